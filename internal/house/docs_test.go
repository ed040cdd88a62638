package house_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fence = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	code  = regexp.MustCompile("`[^`\n]*`")
	link  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	title = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

func TestLinksBetweenDocumentsResolve(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, file := range files(t) {
		if path.Ext(file) != ".md" {
			continue
		}
		for _, to := range linksOf(t, file) {
			seen++
			if fault := broken(file, to); fault != "" {
				t.Errorf("%s: link %q: %s", file, to, fault)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d links found: the test does not see the documents", seen)
	}
}

// linksOf lists the targets of a document's links and pictures that stay in the repository.
func linksOf(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range link.FindAllStringSubmatch(prose(string(text)), -1) {
		if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
			out = append(out, m[1])
		}
	}
	return out
}

// prose is a document without what it quotes.
func prose(text string) string { return code.ReplaceAllString(fence.ReplaceAllString(text, ""), "") }

// broken says what is wrong with a link from a file, "" for nothing.
func broken(file, to string) string {
	target, anchor, _ := strings.Cut(to, "#")
	at := path.Join(path.Dir(file), target)
	if target == "" {
		at = file
	}
	info, err := os.Stat(filepath.Join(root, at))
	switch {
	case err != nil:
		return "there is no such file"
	case anchor == "":
		return ""
	case info.IsDir() || path.Ext(at) != ".md":
		return "only documents have headings to point at"
	}
	text, err := os.ReadFile(filepath.Join(root, at))
	if err != nil {
		return err.Error()
	}
	for _, m := range title.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
		if anchorOf(m[1]) == anchor {
			return ""
		}
	}
	return "there is no such heading"
}

// anchorOf is the name that a heading gets where Markdown is shown: lower case, spaces as hyphens, no punctuation.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		default:
			return -1
		}
	}, strings.TrimSpace(heading))
}

func TestTheLinkCheckFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	for to, ok := range map[string]bool{
		"docs/architecture.md": true, "docs/operations.md#the-data-folder": true, "docs": true, "#licences": true,
		"docs/nowhere.md": false, "docs/operations.md#no-such-heading": false, "go.mod#module": false,
	} {
		if fault := broken("README.md", to); (fault == "") != ok {
			t.Errorf("%s: found %q", to, fault)
		}
	}
}
