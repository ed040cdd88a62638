package nemesis_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vesper/internal/testkit"
)

// TestACrashAnywhereLosesNothing kills a process once at each crash point of the program while dictations go the whole way,
// and judges what is left as after any other day.
func TestACrashAnywhereLosesNothing(t *testing.T) {
	points := crashPoints(t)
	lanes := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")}
	other := listen(t)
	p := newPractice(t, program(t, "crashpoints"), "VESPER_CRASH_FILE="+strings.Join(lanes, string(filepath.ListSeparator)), other.allowed())
	other.hears(p)
	d := p.open(*seed)
	next, armed, since := 0, map[string]string{}, time.Now()
	testkit.Until(t, 20*time.Minute, "a process is killed at each crash point", func() bool {
		for _, lane := range lanes {
			if point := armed[lane]; point != "" {
				if _, err := os.Stat(lane + "." + point); err != nil {
					continue
				}
				say("%5.1f s  %s", time.Since(since).Seconds(), point)
				delete(armed, lane)
				since = time.Now()
			}
			if next < len(points) {
				armed[lane] = points[next]
				arm(t, lane, points[next])
				next++
			}
		}
		if time.Since(since) > 5*time.Minute {
			t.Fatalf("nobody comes to %v", armed)
		}
		return len(armed) == 0
	})
	d.end(t)
	other.judge(t, p)
	p.judge(t, "go test ./bench/nemesis -run TestACrashAnywhere -v -args -seed "+strconv.FormatUint(*seed, 10))
}

// arm writes the name of a place, never half of it.
func arm(t *testing.T, file, point string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(point), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// crashPoints finds every crashpoint.At of the program in its source, so that a new one is walked by itself.
func crashPoints(t *testing.T) []string {
	t.Helper()
	var points []string
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if e != nil && e.IsDir() && (e.Name() == "node_modules" || e.Name() == "testdata" || e.Name() == ".git") {
				return fs.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if name, ok := crashPoint(n); ok {
				if slices.Contains(points, name) {
					t.Errorf("the crash point %s is there twice", name)
				}
				points = append(points, name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(points) < 20 {
		t.Fatalf("only %d crash points found: %v", len(points), points)
	}
	return points
}

func crashPoint(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "At" {
		return "", false
	}
	if pkg, ok := sel.X.(*ast.Ident); !ok || pkg.Name != "crashpoint" {
		return "", false
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	name, err := strconv.Unquote(lit.Value)
	return name, err == nil
}
