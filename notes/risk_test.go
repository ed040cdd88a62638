package notes_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/notes"
	"vesper/transcribe"
)

// unsureOf drafts a script in which one word was heard with a confidence, and returns the flags for doubts as
// "kind severity text".
func unsureOf(t *testing.T, script, word string, confidence float64) []string {
	t.Helper()
	tr := heard("Plan colon\n" + script)
	for i := range tr.Words {
		if tr.Words[i].Text == word {
			tr.Words[i].Confidence = confidence
		}
	}
	out := []string{}
	for _, f := range mustDraft(t, tr, template(t, "progress")).Flags {
		if f.Kind != notes.FlagMissingSection {
			out = append(out, f.Kind+" "+string(f.Severity)+" "+f.Text)
		}
	}
	return out
}

func TestOnlyWordsThatCanHarmAreFlagged(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, script, word string
		confidence         float64
		want               []string
	}{
		{"an ordinary word", "she walks daily period", "walks", 0.1, []string{}},
		{"a dose", "lisinopril seven milligrams daily period", "seven", 0.5, []string{"low_confidence critical 7 mg"}},
		{"a dose that is sure", "lisinopril seven milligrams daily period", "seven", 0.9, []string{}},
		{"fifteen or fifty", "lisinopril fifty milligrams daily period", "fifty", 0.9, []string{"low_confidence critical 50 mg"}},
		{"fifty weeks are no dose", "return in fifty weeks period", "fifty", 0.9, []string{}},
		{"a side", "ice the left knee period", "left", 0.4, []string{"low_confidence critical left"}},
		{"a negation", "she has no fever period", "no", 0.4, []string{"low_confidence critical no"}},
		{"the name of a drug", "continue zubapril daily period", "zubapril", 0.4, []string{"low_confidence critical zubapril"}},
		{"a drug of the list", "continue lisinopril daily period", "lisinopril", 0.4, []string{}},
		{
			"a dose without a drug", "trial of kelorix forty milligrams daily period", "", 0,
			[]string{"drug_name critical trial of kelorix 40 mg"},
		},
		{
			"a dose after words that sound like its drug", "adore vest that in forty milligrams daily period", "", 0,
			[]string{"repair notice atorvastatin"},
		},
		{"a dose with verbs only", "increase it to forty milligrams daily period", "", 0, []string{}},
		{"neighbours share a flag", "zubapril seven milligrams daily period", "zubapril", 0.2, []string{"low_confidence critical zubapril"}},
		{"a torn number", "fentanyl one hundred, twelve micrograms period", "", 0, []string{"number critical one hundred, twelve"}},
		{"a lost number", "midazolam for milligrams period", "", 0, []string{"number critical for milligrams"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, unsureOf(t, c.script, c.word, c.confidence)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.script, diff)
			}
		})
	}
}

func TestFlagsForUnsureWordsAreFewAndTheLeastSure(t *testing.T) {
	t.Parallel()
	tr := heard("Plan colon left knee and right hip and left foot and right arm and left eye period")
	for i := range tr.Words {
		if tr.Words[i].Text == "left" || tr.Words[i].Text == "right" {
			tr.Words[i].Confidence = 0.4 - float64(i)/100
		}
	}
	doc, err := notes.Draft(tr, template(t, "progress"), notes.Options{MaxDoubts: 2})
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, f := range doc.Flags {
		if f.Kind == notes.FlagLowConfidence {
			got = append(got, f.Start)
		}
	}
	if len(got) != 2 || got[0] < tr.Words[10].Start || got[1] < tr.Words[13].Start {
		t.Errorf("flagged at %v", got)
	}
}

func TestStruckTextIsFlaggedAndNotWritten(t *testing.T) {
	t.Parallel()
	tr := heard("Subjective colon\nshe eats period")
	tr.Spans = append(tr.Spans, transcribe.Span{Start: 5, End: 6, Kind: transcribe.SpanStruck, Reason: "phantom", Text: "thanks for watching"})
	doc := mustDraft(t, tr, template(t, "progress"))
	f := flagOf(doc, notes.FlagStruck, "subjective")
	if f == nil || f.Text != "thanks for watching" || f.Start != 5 || f.Severity != notes.Notice {
		t.Fatalf("flags: %+v", doc.Flags)
	}
	if s, _ := doc.Section("subjective"); s.Text() != "She eats." {
		t.Errorf("the section holds %q", s.Text())
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "subjective", Text: "She eats. thanks for watching"}}, "vma", noon)
	if src := sourceOf(t, next, "subjective", "thanks"); src.Kind != notes.FromSpeech || src.Start != 5 {
		t.Errorf("the restored text comes from %+v", src)
	}
}

func TestALoopOverSpeechMustBeListenedTo(t *testing.T) {
	t.Parallel()
	tr := heard("Subjective colon\nshe eats period")
	tr.Spans = append(tr.Spans, transcribe.Span{Start: 5, End: 9, Kind: transcribe.SpanStruck, Reason: transcribe.ReasonLoop, Text: "daily daily daily"})
	f := flagOf(mustDraft(t, tr, template(t, "progress")), notes.FlagStruck, "subjective")
	if f == nil || f.Severity != notes.Critical {
		t.Fatalf("flag: %+v", f)
	}
}
