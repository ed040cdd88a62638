package notes_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/bench/corpus"
	"vesper/notes"
)

// TestGoldenCasesBecomeWhatTheirFoldersExpect drafts testdata/golden/NAME/input.txt and compares the note with
// expected.txt beside it. How to write a case is in testdata/golden/README.md.
func TestGoldenCasesBecomeWhatTheirFoldersExpect(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/golden/*/input.txt")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no golden cases found: %v", err)
	}
	t.Run("each", func(t *testing.T) {
		for _, path := range folders {
			folder := filepath.Dir(path)
			t.Run(filepath.Base(folder), func(t *testing.T) {
				t.Parallel()
				workType, script := goldenInput(t, path)
				want := goldenBlocks(t, filepath.Join(folder, "expected.txt"))
				judge(t, "golden/"+filepath.Base(folder), goldenDiff(want, draft(t, workType, script)))
			})
		}
	})
	unmet(t, "golden/")
}

// goldenInput reads a case's words; a first line "work type: hp" names another work type than progress.
func goldenInput(t *testing.T, path string) (workType, script string) {
	t.Helper()
	script = string(read(t, path))
	if first, rest, _ := strings.Cut(script, "\n"); strings.HasPrefix(first, "work type:") {
		return strings.TrimSpace(strings.TrimPrefix(first, "work type:")), rest
	}
	return "progress", script
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goldenBlocks reads an expectation: "[name]" on a line of its own, and the text below it.
func goldenBlocks(t *testing.T, path string) map[string]string {
	t.Helper()
	blocks, name := map[string]string{}, ""
	for line := range strings.Lines(string(read(t, path))) {
		line = strings.TrimRight(line, "\n")
		if inner, ok := strings.CutPrefix(line, "["); ok && strings.HasSuffix(inner, "]") && !strings.Contains(inner, "blank") {
			name = strings.TrimSuffix(inner, "]")
			blocks[name] = ""
			continue
		}
		blocks[name] += line + "\n"
	}
	for name, text := range blocks {
		blocks[name] = strings.TrimSpace(text)
	}
	if _, stray := blocks[""]; stray || len(blocks) == 0 {
		t.Fatalf("%s: text before the first [name], or none", path)
	}
	return blocks
}

// goldenDiff compares all sections with text, and what else the expectation names.
func goldenDiff(want map[string]string, doc notes.Document) string {
	sections, got := map[string]string{}, map[string]string{}
	var wrong []string
	for name, text := range want {
		switch name {
		case "flags":
			wrong = append(wrong, absent("flag", lines(text), func(l string) bool { return flagged(doc, l) })...)
		case "no flags":
			wrong = append(wrong, falseAlarms(doc, lines(text))...)
		case "follow-ups":
			wrong = append(wrong, absent("follow-up", lines(text), func(l string) bool { return promised(doc, l) })...)
		case "no follow-ups":
			for _, f := range doc.FollowUps {
				wrong = append(wrong, "follow-up that was not promised: "+f.Kind+" "+f.Text)
			}
		case "removed":
			wrong = append(wrong, absent("removed", lines(text), func(l string) bool { return removed(doc, l) })...)
		default:
			sections[name] = text
		}
	}
	for _, s := range doc.Sections {
		if text := s.Text(); text != "" {
			got[s.Key] = corpus.Untimed(text)
		}
	}
	slices.Sort(wrong)
	return cmp.Diff(sections, got) + strings.Join(wrong, "\n")
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

func absent(what string, want []string, has func(string) bool) []string {
	var out []string
	for _, line := range want {
		if !has(line) {
			out = append(out, "no "+what+": "+line)
		}
	}
	return out
}

// fields are the parts of a line "critical | left | knee".
func fields(line string) []string {
	parts := strings.Split(line, "|")
	for i := range parts {
		parts[i] = strings.ToLower(strings.TrimSpace(parts[i]))
	}
	return parts
}

// flagged says that a flag of this severity, "any" for either, has all the words in its kind, text or reason.
func flagged(doc notes.Document, line string) bool {
	want := fields(line)
	return slices.ContainsFunc(doc.Flags, func(f notes.Flag) bool {
		return (want[0] == "any" || want[0] == string(f.Severity)) && hasAll(f.Kind+" "+f.Text+" "+f.Detail, want[1:])
	})
}

// falseAlarms are the flags about one of the words; without words, every flag but missing sections.
func falseAlarms(doc notes.Document, about []string) []string {
	var out []string
	for _, f := range doc.Flags {
		if f.Kind == notes.FlagMissingSection {
			continue
		}
		if len(about) == 0 || slices.ContainsFunc(about, func(w string) bool { return hasAll(f.Text+" "+f.Detail, []string{w}) }) {
			out = append(out, "false alarm: "+f.Kind+" "+f.Text+": "+f.Detail)
		}
	}
	return out
}

// promised says that a follow-up of this kind has the words, and the due date where the line has one.
func promised(doc notes.Document, line string) bool {
	want := fields(line)
	return slices.ContainsFunc(doc.FollowUps, func(f notes.FollowUp) bool {
		return f.Kind == want[0] && hasAll(f.Text+" "+f.To, want[1:2]) && (len(want) < 3 || hasAll(f.Due, want[2:]))
	})
}

func removed(doc notes.Document, line string) bool {
	want := fields(line)
	return slices.ContainsFunc(doc.Removed, func(r notes.Removed) bool {
		return string(r.Reason) == want[0] && hasAll(r.Text, want[1:])
	})
}

func hasAll(text string, want []string) bool {
	for _, w := range want {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
			return false
		}
	}
	return true
}
