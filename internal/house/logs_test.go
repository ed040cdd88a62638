package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// lines are the methods that write to the log, with the place of their message.
var lines = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "DebugContext": 1, "InfoContext": 1, "WarnContext": 1, "ErrorContext": 1, "Log": 2, "With": -1,
}

// unspoken are names under which a person's words, or a secret, would come into the log.
var unspoken = strings.Fields(`patient mrn birth_date birthdate password secret token cookie authorization body text words word filename
	file_name title heard written search query login email phone reason url uri header headers payload`)

// unread are parts of an expression that hold words of people or secrets.
var unread = strings.Fields(`Text Body Filename PatientName MRN Name Reason Heard Written Password Token Search Title Public RawQuery RequestURI Header`)

// mayName are the places where a value of such a name is Vesper's own: programs, models, files, migrations.
var mayName = []string{"cmd", "internal/services", "models", "bench", "internal/setup", "internal/testkit"}

func TestNoLineOfTheLogHoldsAPersonsWords(t *testing.T) {
	t.Parallel()
	found := 0
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		own := slices.ContainsFunc(mayName, func(room string) bool { return inside(s.pkg, room) })
		n, bad := words(s.ast, own)
		found += n
		for pos, what := range bad {
			t.Errorf("%s logs %s", s.set.Position(pos), what)
		}
	}
	if found < 40 {
		t.Fatalf("only %d lines of the log were found", found)
	}
}

func TestLinesThatHoldWordsAreFound(t *testing.T) {
	t.Parallel()
	const code = `package x
func f() {
	w.Log.InfoContext(ctx, "a", "patient", p.ID)
	s.log.Warn("b", "id", d.PatientName)
	slog.Error("c", "n", fmt.Sprint(sub.Filename))
	log.With("Password", x)
	k.Log.Warn("fine", "job", job.ID, "err", err, "name", worker)
	log.Log(ctx, level, "d", "q", r.URL.RawQuery)
}`
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", code, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, bad := words(file, false); n != 6 || len(bad) != 5 {
		t.Errorf("of %d lines these are found: %v", n, bad)
	}
}

// words finds what the lines of the log in a file may hold of a person's words. own says that names there are Vesper's.
func words(file *ast.File, own bool) (found int, bad map[token.Pos]string) {
	bad = map[token.Pos]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, at := logLine(n)
		if call == nil {
			return true
		}
		found++
		for i, arg := range call.Args[at+1:] {
			if key, ok := text(arg); ok && i%2 == 0 && slices.Contains(unspoken, strings.ToLower(key)) {
				bad[arg.Pos()] = strconv.Quote(key)
			}
			if name := readsWords(arg); name != "" && !own {
				bad[arg.Pos()] = "a " + name
			}
		}
		return true
	})
	return found, bad
}

// logLine is a call that writes to a log, and where its message stands. A logger is what is called log, Log or slog.
func logLine(n ast.Node) (*ast.CallExpr, int) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil, 0
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, 0
	}
	at, known := lines[sel.Sel.Name]
	if !known || len(call.Args) <= at || !isLogger(sel.X) {
		return nil, 0
	}
	return call, at
}

func isLogger(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return strings.EqualFold(x.Name, "log") || x.Name == "slog"
	case *ast.SelectorExpr:
		return strings.EqualFold(x.Sel.Name, "log")
	default:
		return false
	}
}

func text(x ast.Expr) (string, bool) {
	lit, ok := x.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// readsWords names the part of an expression that may hold a person's words.
func readsWords(x ast.Expr) (name string) {
	ast.Inspect(x, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(unread, sel.Sel.Name) {
			name = sel.Sel.Name
		}
		return name == ""
	})
	return name
}
