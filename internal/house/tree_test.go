package house_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "vesper"

// root is the module's folder, seen from this package.
const root = "../.."

// source is one Go file of the module.
type source struct {
	file string // relative to the module, with slashes
	pkg  string // folder, "" for the module itself
	test bool
	ast  *ast.File
	text []byte
	set  *token.FileSet
}

// imports lists the import paths of a file.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// sources parses every Go file, whatever system or tags it is meant for: a rule that holds only on Linux is no rule.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, file := range files(t) {
		if path.Ext(file) != ".go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		pkg := path.Dir(file)
		if pkg == "." {
			pkg = ""
		}
		all = append(all, source{file: file, pkg: pkg, test: strings.HasSuffix(file, "_test.go"), ast: parsed, text: text, set: set})
	}
	if len(all) < 20 {
		t.Fatalf("only %d Go files found: the tests do not see the module", len(all))
	}
	return all
}

// files lists what belongs to the module: what git tracks, and without git everything that is not built.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z", "--cached")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		var present []string
		for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
			if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
				present = append(present, name)
			}
		}
		return present
	}
	return walk(t)
}

func walk(t *testing.T) []string {
	t.Helper()
	built := map[string]bool{".git": true, "bin": true, "data": true, "node_modules": true, "web/static/build": true}
	var all []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (built[rel] || built[d.Name()]) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			all = append(all, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isText says whether a file is meant to be read: no NUL in its beginning.
func isText(text []byte) bool { return !bytes.Contains(text[:min(len(text), 8000)], []byte{0}) }
