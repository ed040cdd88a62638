package notes_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// mostGaps is how many lines testdata/known-gaps.txt may have. It only ever gets smaller.
const mostGaps = 44

// gapList holds the cases that do not pass yet, by name. A case that passes must leave the list; one that fails must not
// join it.
type gapList struct {
	mu    sync.Mutex
	known map[string]bool
	met   map[string]bool
}

var gaps = sync.OnceValues(func() (*gapList, error) {
	text, err := os.ReadFile("testdata/known-gaps.txt")
	if err != nil {
		return nil, err
	}
	list := &gapList{known: map[string]bool{}, met: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if name := strings.TrimSpace(line); name != "" {
			list.known[name] = true
		}
	}
	return list, nil
})

// judge fails the test for a case with a difference that is not a known gap, and for a known gap without one.
func judge(t *testing.T, name, diff string) {
	t.Helper()
	list, err := gaps()
	if err != nil {
		t.Fatal(err)
	}
	list.mu.Lock()
	known := list.known[name]
	list.met[name] = true
	list.mu.Unlock()
	switch {
	case diff != "" && !known:
		t.Errorf("%s:\n%s", name, diff)
	case diff == "" && known:
		t.Errorf("%s passes now: take its line out of notes/testdata/known-gaps.txt", name)
	}
}

// unmet are the gaps with a prefix that no case has judged.
func unmet(t *testing.T, prefix string) {
	t.Helper()
	list, err := gaps()
	if err != nil {
		t.Fatal(err)
	}
	list.mu.Lock()
	defer list.mu.Unlock()
	for name := range list.known {
		if strings.HasPrefix(name, prefix) && !list.met[name] {
			t.Errorf("known-gaps.txt names %s, which is no case", name)
		}
	}
}

func TestTheListOfKnownGapsOnlyShrinks(t *testing.T) {
	t.Parallel()
	list, err := gaps()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(list.known); n > mostGaps {
		t.Errorf("known-gaps.txt has %d lines, at most %d are allowed: mend the gap instead", n, mostGaps)
	}
	for name := range list.known {
		if !slices.Contains([]string{"golden", "dictations"}, strings.Split(name, "/")[0]) {
			t.Errorf("%s is neither a golden case nor a dictation", name)
		}
	}
}
