package notes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/notes"
	"vesper/transcribe"
)

// sectionCase is a dictation with the section of each of its words. The files hold the work type and then, in the order
// of dictation, lines of "section | words".
type sectionCase struct {
	name, workType string
	transcript     transcribe.Transcript
	want           []string // section of each word
}

func sectionCases(t *testing.T, folder string) []sectionCase {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	var out []sectionCase
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := sectionCase{name: strings.TrimSuffix(filepath.Base(path), ".txt")}
		var said []string
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if rest, ok := strings.CutPrefix(line, "# "); ok {
				c.workType = rest
				continue
			}
			key, words, ok := strings.Cut(line, "|")
			if !ok {
				continue
			}
			said = append(said, words)
			for range strings.Fields(words) {
				c.want = append(c.want, strings.TrimSpace(key))
			}
		}
		c.transcript = heard(strings.Join(said, " "))
		out = append(out, c)
	}
	return out
}

// wrong lists the runs of words that are in another section than they should be, and counts the words placed.
func (c sectionCase) wrong(doc notes.Document) (lines []string, bad, all int) {
	at := map[int]string{}
	for _, s := range doc.Sections {
		for _, r := range s.Runs {
			for _, w := range r.Source.Words {
				at[w] = s.Key
			}
		}
	}
	for i := 0; i < len(c.want); i++ {
		got, placed := at[i]
		if !placed {
			continue
		}
		all++
		if got == c.want[i] {
			continue
		}
		j := i
		var words []string
		for ; j < len(c.want) && c.want[j] == c.want[i] && (at[j] == got || at[j] == ""); j++ {
			words = append(words, c.transcript.Words[j].Text)
			if at[j] != "" {
				bad++
				all++
			}
		}
		all--
		lines = append(lines, c.want[i]+" → "+got+": "+strings.Join(words, " "))
		i = j - 1
	}
	return lines, bad, all
}

// TestSectionsOfDictationsWithAndWithoutHeadings measures which share of the words stands in the right section.
func TestSectionsOfDictationsWithAndWithoutHeadings(t *testing.T) {
	t.Parallel()
	for folder, least := range map[string]float64{"testdata/sections": 0.99, "testdata/sections-second": 0.97, "testdata/sections-held": 0.97, "testdata/sections-fresh": 0.97, "testdata/sections-last": 0.92} {
		bad, all := 0, 0
		for _, c := range sectionCases(t, folder) {
			if len(c.transcript.Words) != len(c.want) {
				t.Fatalf("%s: %d words, %d expected", c.name, len(c.transcript.Words), len(c.want))
			}
			doc := mustDraft(t, c.transcript, template(t, c.workType))
			lines, b, n := c.wrong(doc)
			bad, all = bad+b, all+n
			for _, line := range lines {
				t.Logf("%s: %s", c.name, line)
			}
		}
		share := 1 - float64(bad)/float64(all)
		t.Logf("%s: %.1f%% of %d words in the right section", folder, 100*share, all)
		if share < least {
			t.Errorf("%s: %.3f of the words are in the right section, want %.3f", folder, share, least)
		}
	}
}
