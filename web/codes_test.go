package web

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The codes are part of the API: clients decide by them. A new one is added to the file; none is renamed or removed.
func TestTheCodesOfProblemsStayAsTheyArePublished(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:fault\.[A-Z]\w+, |http\.Status\w+:? *,? *\{?|Code: |codeRateLimited = )"([a-z_]+)"`)
	found := map[string]bool{}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(raw), -1) {
			found[m[1]] = true
		}
	}
	var got []string
	for c := range found {
		got = append(got, c)
	}
	slices.Sort(got)
	raw, err := os.ReadFile("testdata/codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(string(raw)); !slices.Equal(got, want) {
		t.Errorf("codes in the source:\n%s\n\ncodes as published:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
