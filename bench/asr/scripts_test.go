package asr_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vesper/bench/asr"
)

func load(t *testing.T, set string) []asr.Script {
	t.Helper()
	scripts, err := asr.Scripts(set)
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) < 40 {
		t.Fatalf("%s has %d scripts, want at least 40", set, len(scripts))
	}
	return scripts
}

func TestEveryScriptIsADictationWithMarkedEntities(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, set := range []string{"tune", "report"} {
		for _, s := range load(t, set) {
			if names[s.Name] {
				t.Errorf("two scripts are called %s", s.Name)
			}
			names[s.Name] = true
			words := len(strings.Fields(strings.Join(s.Sentences, " ")))
			if words < 40 || words > 220 {
				t.Errorf("%s has %d words without dictated marks, want 40 to 220", s.Name, words)
			}
			if len(s.Entities) < 8 {
				t.Errorf("%s marks %d entities, want at least 8", s.Name, len(s.Entities))
			}
			for _, e := range s.Entities {
				if !slices.Contains([]string{"drug", "dose", "num", "neg", "side", "term"}, e.Kind) {
					t.Errorf("%s: unknown kind %q", s.Name, e.Kind)
				}
			}
		}
	}
}

// What is fitted on one set must not have seen the other. A short formula that every physician says may stand in both.
func TestTuneAndReportShareNoSentence(t *testing.T) {
	t.Parallel()
	const formula = 3 // words
	seen := map[string]string{}
	for _, s := range load(t, "tune") {
		for _, sentence := range s.Sentences {
			seen[sentence] = s.Name
		}
	}
	for _, s := range load(t, "report") {
		for _, sentence := range s.Sentences {
			if other, ok := seen[sentence]; ok && len(strings.Fields(sentence)) > formula {
				t.Errorf("%s and %s both say %q", other, s.Name, sentence)
			}
		}
	}
}

func TestTuneAndReportSpeakOfDifferentDrugsAndDiseases(t *testing.T) {
	t.Parallel()
	of := func(set, kind string) map[string]bool {
		found := map[string]bool{}
		for _, s := range load(t, set) {
			for _, e := range s.Entities {
				if e.Kind == kind {
					found[e.Text] = true
				}
			}
		}
		return found
	}
	for _, kind := range []string{"drug", "term"} {
		tune, report := of("tune", kind), of("report", kind)
		var both []string
		for name := range report {
			if tune[name] {
				both = append(both, name)
			}
		}
		slices.Sort(both)
		t.Logf("%s: %d in tune, %d in report, in both: %s", kind, len(tune), len(report), strings.Join(both, ", "))
		if len(both)*20 > len(report) {
			t.Errorf("%d of %d kinds of %s are in both sets, want at most one in twenty", len(both), len(report), kind)
		}
	}
}

const repo = "../.."

// The vocabulary comes from its own sources. Nothing that ships may read or name the scripts, and the people who exist only
// in the scripts must not turn up among the terms.
func TestNothingThatShipsIsMadeFromTheScripts(t *testing.T) {
	t.Parallel()
	looked := 0
	err := filepath.WalkDir(repo, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(repo, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch filepath.ToSlash(rel) {
			case ".git", "bench", "docs", "bin", "data", "web/ui", "web/static":
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || filepath.Base(rel) == "CHANGELOG.md" || filepath.Base(rel) == "Makefile" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		for _, name := range []string{"asr/scripts", "scripts/tune", "scripts/report", "scripts/pairs"} {
			if bytes.Contains(text, []byte(name)) {
				t.Errorf("%s names %s", rel, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 200 {
		t.Fatalf("only %d files looked at", looked)
	}
}

func TestTheLexiconKnowsNobodyFromTheScripts(t *testing.T) {
	t.Parallel()
	looked := 0
	err := filepath.WalkDir(filepath.Join(repo, "internal", "lexicon"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".tsv" { // plain English knows the trees
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		words := strings.FieldsFunc(strings.ToLower(string(text)), func(r rune) bool { return r < 'a' || r > 'z' })
		for _, name := range []string{"ravenel", "umber", "oakley", "dogwood"} {
			if slices.Contains(words, name) {
				t.Errorf("%s has %q, who exists only in the scripts", filepath.Base(path), name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked == 0 {
		t.Fatal("no data of the lexicon found")
	}
}
