package notes_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/bench/corpus"
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
		for _, command := range []string{"period", "comma", "colon", "scratch that", "new paragraph", "full stop", "question mark"} {
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
	cases, err := corpus.Load(filepath.Join("..", "testdata", "dictations"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("each", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				name := "dictations/" + c.Name
				spoken := draft(t, c.WorkType, c.Script)
				compareSections(t, name, c, spoken, draft(t, c.WorkType, asEngine(c.Script)))
				judge(t, name+"/facts", missingFacts(c, spoken))
				judge(t, name+"/flags", wrongFlags(c, spoken))
				judge(t, name+"/follow-ups", missingFollowUps(c, spoken))
			})
		}
	})
	unmet(t, "dictations/")
}

// compareSections judges each section alone, in both forms; where the dictation names no sections, the text as a whole.
func compareSections(t *testing.T, name string, c corpus.Case, spoken, written notes.Document) {
	t.Helper()
	if len(c.Expect.Also) > 0 {
		judge(t, name+"/text", differ(words(c.Note.Text()), words(bodyText(spoken)), words(bodyText(written))))
		return
	}
	want, a, b := map[string]string{}, sectionTexts(spoken), sectionTexts(written)
	for _, s := range c.Note.Sections {
		want[s.Key] = s.Heading + "\n" + s.Text
	}
	for _, got := range []map[string]string{a, b} {
		for key := range got {
			want[key] += ""
		}
	}
	for key, text := range want {
		judge(t, name+"/"+key, differ(text, a[key], b[key]))
	}
}

// differ compares what is wanted with a draft of the words as spoken and with one of the words as an engine writes them.
func differ(want, spoken, written string) string {
	out := ""
	if diff := cmp.Diff(want, spoken); diff != "" {
		out += "as spoken (-want +got):\n" + diff
	}
	if diff := cmp.Diff(want, written); diff != "" && written != spoken {
		out += "as an engine writes it (-want +got):\n" + diff
	}
	return out
}

func sectionTexts(doc notes.Document) map[string]string {
	out := map[string]string{}
	for _, s := range filled(doc) {
		out[s.Key] = s.Heading + "\n" + corpus.Untimed(s.Text)
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

func words(text string) string { return strings.Join(strings.Fields(corpus.Untimed(text)), " ") }

func bodyText(doc notes.Document) string {
	var texts []string
	for _, s := range doc.Sections {
		texts = append(texts, s.Text())
	}
	return strings.Join(texts, "\n\n")
}

// missingFacts names the facts that do not stand in the note.
func missingFacts(c corpus.Case, doc notes.Document) string {
	var out []string
	text := bodyText(doc)
	for _, f := range c.Facts {
		if !f.In(text) {
			out = append(out, string(f.Kind)+" "+f.Text)
		}
	}
	return strings.Join(out, "\n")
}

// wrongFlags names the doubts that should be raised and are not, and the flags that must not come.
func wrongFlags(c corpus.Case, doc notes.Document) string {
	var out []string
	for _, want := range c.Expect.Flags.Must {
		if !slices.ContainsFunc(doc.Flags, func(f notes.Flag) bool {
			return f.Kind != notes.FlagMissingSection && want.Of(f.Text+" "+f.Detail)
		}) {
			out = append(out, "no flag: "+want.Why+" "+strings.Join(want.About, ", "))
		}
	}
	for _, not := range c.Expect.Flags.MustNot {
		for _, f := range doc.Flags {
			if not.Of(f.Text) {
				out = append(out, "must not be flagged: "+f.Text+": "+f.Detail)
			}
		}
	}
	return strings.Join(out, "\n")
}

// missingFollowUps names the promises that were not found, with their date where one was said.
func missingFollowUps(c corpus.Case, doc notes.Document) string {
	var out []string
	for _, want := range c.Expect.FollowUps {
		if !slices.ContainsFunc(doc.FollowUps, func(f notes.FollowUp) bool {
			return want.Is(f.Kind) && want.Said(f.Text+" "+f.To) && want.DueOn(f.Due)
		}) {
			out = append(out, want.Kind+" "+strings.Join(want.Text, " or ")+", due "+strings.Join(want.Due, " or "))
		}
	}
	return strings.Join(out, "\n")
}
