package notes_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"vesper/notes"
)

// asEngine writes a script as engines do: a capital at each breath, a comma before and a point after a dictated mark.
func asEngine(script string) string {
	lines := strings.Split(strings.TrimSpace(script), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		for _, command := range []string{"period", "comma", "colon", "scratch that", "new paragraph"} {
			if rest, ok := strings.CutSuffix(line, " "+command); ok {
				line = rest + ", " + command
			}
		}
		lines[i] = strings.ToUpper(line[:1]) + strings.TrimSuffix(line[1:], ".") + "."
	}
	return strings.Join(lines, "\n")
}

// TestSpokenDictationsBecomeTheNotesExpected drafts each script of testdata as it was spoken, with no marks but the
// dictated ones, and as an engine writes it, with its own marks and capitals around the commands.
func TestSpokenDictationsBecomeTheNotesExpected(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../testdata/dictations/*/script.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no dictations found: %v", err)
	}
	for _, path := range scripts {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			script := read(t, path)
			want := expected(t, folder)
			spoken := draft(t, want.WorkType, string(script))
			if diff := cmp.Diff(want.Sections, filled(spoken)); diff != "" {
				t.Errorf("as spoken (-want +got):\n%s", diff)
			}
			written := draft(t, want.WorkType, asEngine(string(script)))
			if diff := cmp.Diff(want.Sections, filled(written)); diff != "" {
				t.Errorf("as an engine writes it (-want +got):\n%s", diff)
			}
			for _, f := range facts(t, folder) {
				if !f.in(notes.Text(spoken)) {
					t.Errorf("the %s %q is lost", f.Kind, f.Text)
				}
			}
		})
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func expected(t *testing.T, folder string) notes.Output {
	t.Helper()
	var out notes.Output
	if err := json.Unmarshal(read(t, filepath.Join(folder, "note.json")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// filled are the sections that have text.
func filled(d notes.Document) []notes.SectionOutput {
	var out []notes.SectionOutput
	for _, s := range d.Output().Sections {
		if s.Text != "" {
			out = append(out, s)
		}
	}
	return out
}

// fact is something that must survive from the recording to the note.
type fact struct {
	Kind   string   `yaml:"kind"`
	Text   string   `yaml:"text"`
	Accept []string `yaml:"accept"`
}

func (f fact) in(text string) bool {
	for _, form := range append([]string{f.Text}, f.Accept...) {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			return true
		}
	}
	return false
}

func facts(t *testing.T, folder string) []fact {
	t.Helper()
	var out []fact
	if err := yaml.Unmarshal(read(t, filepath.Join(folder, "facts.yaml")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
