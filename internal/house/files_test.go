package house_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryPackageSaysOnceWhatItIsFor(t *testing.T) {
	t.Parallel()
	docs := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		if _, seen := docs[s.pkg]; !seen {
			docs[s.pkg] = nil
		}
		if s.ast.Doc == nil {
			continue
		}
		docs[s.pkg] = append(docs[s.pkg], s.file)
		checkDoc(t, s)
	}
	for pkg, files := range docs {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v, wanted one", pkg, len(files), files)
		}
	}
}

func checkDoc(t *testing.T, s source) {
	t.Helper()
	doc, name := s.ast.Doc.Text(), s.ast.Name.Name
	begins := "Package " + name + " "
	if name == "main" {
		begins = "Command "
	}
	if !strings.HasPrefix(doc, begins) || len(doc) < len(begins)+30 {
		t.Errorf("%s: the package comment begins %.40q; it should begin %q and say what the package is for", s.file, doc, begins)
	}
}

func TestNoFileIsTwoFiles(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte{'\n'}); n > 500 && !ast.IsGenerated(s.ast) {
			t.Errorf("%s has %d lines; what grows past 500 is two things", s.file, n)
		}
	}
}

func TestNoTestIsSkipped(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			// To rapid, a skip means: draw another case. That hides nothing.
			if f, ok := n.(*ast.FuncLit); ok && takesRapid(f.Type) {
				return false
			}
			if f, ok := n.(*ast.FuncDecl); ok && takesRapid(f.Type) {
				return false
			}
			if call, ok := n.(*ast.CallExpr); ok && skips(call) {
				t.Errorf("%s skips: what is missing is a failure, and a case that does not apply is not run", s.set.Position(call.Pos()))
			}
			return true
		})
	}
}

func skips(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (sel.Sel.Name == "Skip" || sel.Sel.Name == "Skipf" || sel.Sel.Name == "SkipNow")
}

func takesRapid(f *ast.FuncType) bool {
	for _, p := range f.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok {
			if sel, ok := star.X.(*ast.SelectorExpr); ok && sel.Sel.Name == "T" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "rapid" {
					return true
				}
			}
		}
	}
	return false
}

// forbidden is what no file may hold. The words are put together here, so that this file does not hold them either.
var forbidden = regexp.MustCompile(strings.Join([]string{
	`pypi` + `\.org`, `python` + `hosted\.org`, `npm` + `js\.(org|com)`, `yarn` + `pkg\.com`,
	`deb\.` + `debian\.org`, `archive\.` + `ubuntu\.com`, `proxy\.` + `golang\.org`, `sum\.` + `golang\.org`,
	`crates` + `\.io`, `maven` + `\.org`, `maven` + `\.apache\.org`, `ruby` + `gems\.org`,
	`(^|[^A-Za-z0-9_.~-])/wo` + `rk/(main|shared|brief)`, `(^|[^A-Za-z0-9_.~$}-])/ro` + `ot/[a-z.]`, `(^|[^A-Za-z0-9_.-])/fa` + `rm/`,
}, "|"))

func TestNoFileNamesRegistriesOrThisMachine(t *testing.T) {
	t.Parallel()
	for _, file := range files(t) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if !isText(text) {
			continue
		}
		for i, line := range bytes.Split(text, []byte{'\n'}) {
			if hit := forbidden.Find(line); hit != nil {
				t.Errorf("%s:%d names %q", file, i+1, hit)
			}
		}
	}
}

func TestThePatternFindsWhatItShould(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://py" + "pi.org/simple", `"/ro` + `ot/.cache"`, "cd /wo" + "rk/main"} {
		if !forbidden.MatchString(bad) {
			t.Errorf("%q is not found", bad)
		}
	}
	for _, fine := range []string{"s3/root/objects", "$HOME/projects/main", "GET /work", "the root of the tree"} {
		if forbidden.MatchString(fine) {
			t.Errorf("%q is found", fine)
		}
	}
}

func TestLockFilesNameNoAddresses(t *testing.T) {
	t.Parallel()
	for _, file := range files(t) {
		if path.Base(file) != "package-lock.json" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		var lock struct {
			Packages map[string]struct {
				Resolved  string `json:"resolved"`
				Integrity string `json:"integrity"`
				Link      bool   `json:"link"`
			} `json:"packages"`
		}
		if err := json.Unmarshal(text, &lock); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for name, p := range lock.Packages {
			if p.Resolved != "" {
				t.Errorf("%s: %s names its address", file, name)
			}
			if name != "" && p.Integrity == "" && !p.Link {
				t.Errorf("%s: %s has no digest", file, name)
			}
		}
	}
}

func TestNoLargeFileIsKept(t *testing.T) {
	t.Parallel()
	const most = 2 << 20
	for _, file := range files(t) {
		info, err := os.Stat(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > most {
			t.Errorf("%s has %d bytes; weights, bundles and other large files are fetched or built", file, info.Size())
		}
	}
}
