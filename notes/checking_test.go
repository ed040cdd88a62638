package notes_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/notes"
	"vesper/notes/templates"
)

func open(d notes.Document, kind string) (out []notes.Flag) {
	for _, f := range d.Flags {
		if f.Kind == kind && f.Settled == nil {
			out = append(out, f)
		}
	}
	return out
}

const twoSides = "Subjective: Pain in the left knee.\nAssessment: Right knee pain.\nPlan: Rest."

func TestAContradictionNamesBothPlacesOfTheRecording(t *testing.T) {
	t.Parallel()
	found := open(draft(t, "progress", twoSides), notes.FlagSide)
	if len(found) != 1 || found[0].Severity != notes.Critical || found[0].End <= found[0].Start || len(found[0].Also) != 1 || found[0].Also[0].End <= found[0].Also[0].Start {
		t.Fatalf("flags: %+v", found)
	}
	if found[0].Also[0].Start >= found[0].Start {
		t.Errorf("the later place is not the one that is flagged: %+v", found[0])
	}
}

func TestAnEditThatRemovesAContradictionSettlesItWhereverItWasMade(t *testing.T) {
	t.Parallel()
	for key, text := range map[string]string{"assessment": "Left knee pain.", "subjective": "Pain in the right knee."} {
		next := notes.Rebase(draft(t, "progress", twoSides), []notes.SectionText{{Key: key, Text: text}}, "vma", noon)
		f := flagOf(next, notes.FlagSide, "assessment")
		if f == nil || f.Settled == nil || f.Settled.By != "vma" || f.Settled.How != "edited" {
			t.Errorf("after an edit of %s the flag is %+v", key, f)
		}
	}
}

func TestAnEditThatBringsAContradictionInIsFlaggedOnce(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Subjective: Pain in the left knee.\nAssessment: Left knee pain.\nPlan: Rest.")
	if len(open(doc, notes.FlagSide)) != 0 {
		t.Fatalf("flags: %+v", doc.Flags)
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Injection of the right knee."}}, "vma", noon)
	again := notes.Rebase(next, []notes.SectionText{{Key: "plan", Text: "Injection of the right knee. Rest."}}, "vma", noon)
	for _, d := range []notes.Document{next, again} {
		if found := open(d, notes.FlagSide); len(found) != 1 || found[0].Section != "plan" {
			t.Errorf("flags: %+v", found)
		}
	}
}

func TestASettledContradictionStaysSettled(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", twoSides)
	doc, err := notes.Settle(doc, open(doc, notes.FlagSide)[0].ID, "heard", "vma", noon)
	if err != nil {
		t.Fatal(err)
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Rest and ice."}}, "vma", noon)
	if found := open(next, notes.FlagSide); len(found) != 0 {
		t.Errorf("asked again: %+v", found)
	}
}

func TestWhatOnlyTheRecordContradictsStaysOpenUntilItsWordsChange(t *testing.T) {
	t.Parallel()
	opts := notes.Options{Patient: notes.Patient{Name: "Alice Quill"}}
	doc, err := notes.Draft(heard("Subjective: Mrs. Pemberton feels well.\nPlan: Rest."), template(t, "progress"), opts)
	if err != nil {
		t.Fatal(err)
	}
	next := notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: "Rest and ice."}}, "vma", noon)
	if len(open(next, notes.FlagIdentity)) != 1 {
		t.Fatalf("flags: %+v", next.Flags)
	}
	next = notes.Rebase(next, []notes.SectionText{{Key: "subjective", Text: "Mrs. Quill feels well."}}, "vma", noon)
	if len(open(next, notes.FlagIdentity)) != 0 {
		t.Errorf("flags: %+v", next.Flags)
	}
}

func TestEveryUnsureWordIsFlaggedOrListedHoweverManyThereAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "places")
		most := rapid.IntRange(1, 12).Draw(t, "most")
		tr := heard("Subjective colon\n" + strings.Repeat("ice the left knee period\n", n))
		for i := range tr.Words {
			if tr.Words[i].Text == "left" {
				tr.Words[i].Confidence = rapid.Float64Range(0, 0.49).Draw(t, "sure")
			}
		}
		doc, err := notes.Draft(tr, templateOf(t), notes.Options{MaxDoubts: most, MaxFlags: rapid.IntRange(1, 20).Draw(t, "flags")})
		if err != nil {
			t.Fatal(err)
		}
		alone := open(doc, notes.FlagLowConfidence)
		listed := 0
		for _, f := range open(doc, notes.FlagMore) {
			for _, folded := range f.More {
				if folded.Kind == notes.FlagLowConfidence {
					listed++
					if f.Severity != notes.Critical {
						t.Fatalf("a critical doubt lies in a notice: %+v", f)
					}
				}
			}
		}
		if len(alone)+listed != n || len(alone) != min(n, most) {
			t.Fatalf("%d places: %d alone, %d listed", n, len(alone), listed)
		}
	})
}

func TestTheLeastGraveNoticesOfAFullNoteBecomeOne(t *testing.T) {
	t.Parallel()
	script := "Subjective colon\n"
	for i := range 9 {
		script += fmt.Sprintf("she walks number%d slowly today\nscratch that\nshe eats period\n", i)
	}
	doc, err := notes.Draft(heard(script), template(t, "progress"), notes.Options{MaxFlags: 6})
	if err != nil {
		t.Fatal(err)
	}
	more := open(doc, notes.FlagMore)
	if len(more) != 1 || len(doc.Flags) > 6 || len(more[0].More)+len(open(doc, notes.FlagScratched)) != 9 {
		t.Fatalf("%d flags, folded: %+v", len(doc.Flags), more)
	}
	if !strings.Contains(more[0].Detail, "0:") || more[0].Severity != notes.Notice {
		t.Errorf("the flag says %q", more[0].Detail)
	}
}

func TestAStatementThatTheWorkTypeAsksForIsMissedUntilItIsMade(t *testing.T) {
	t.Parallel()
	for _, tpl := range templates.All() {
		for _, st := range tpl.Statements {
			doc := mustDraft(t, heard("she is well period"), tpl)
			named := func(d notes.Document) bool {
				return slices.ContainsFunc(open(d, notes.FlagStatement), func(f notes.Flag) bool { return f.Text == st.Name }) ||
					slices.ContainsFunc(open(d, notes.FlagMissingSection), func(f notes.Flag) bool { return slices.Contains(st.Sections, f.Section) })
			}
			if !named(doc) {
				t.Errorf("%s: %q is not missed", tpl.Key, st.Name)
			}
			key, text := tpl.Default(), "She is well."
			if len(st.Says) > 0 {
				text += " " + st.Says[0] + "."
			} else {
				key = st.Sections[0]
			}
			if next := notes.Rebase(doc, []notes.SectionText{{Key: key, Text: text}}, "vma", noon); named(next) {
				t.Errorf("%s: %q is missed although the note says %q", tpl.Key, st.Name, text)
			}
		}
	}
}
