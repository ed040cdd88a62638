package notes_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/notes"
)

var dictatedOn = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func draftOn(t interface{ Fatal(...any) }, script string) notes.Document {
	doc, err := notes.Draft(heard(script), templateOf(t), notes.Options{Dictated: dictatedOn})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func promise(d notes.Document, kind string) *notes.FollowUp {
	for i := range d.FollowUps {
		if d.FollowUps[i].Kind == kind {
			return &d.FollowUps[i]
		}
	}
	return nil
}

const promises = `Subjective colon
she is here for follow up of hypertension period
Plan colon
number one basic metabolic panel after two weeks period
number two follow up in four weeks period`

func TestPromisesAreInTheDraftWithDateAndSentence(t *testing.T) {
	t.Parallel()
	doc := draftOn(t, promises)
	if len(doc.FollowUps) != 2 {
		t.Fatalf("found %+v", doc.FollowUps)
	}
	lab, visit := promise(doc, "lab"), promise(doc, "appointment")
	if lab == nil || lab.Due != "2026-12-08" || lab.DueWords != "after 2 weeks" && lab.DueWords != "after two weeks" || lab.Owner != "practice" {
		t.Errorf("lab: %+v", lab)
	}
	if visit == nil || visit.Due != "2026-12-22" || visit.Section != "plan" || len(visit.Words) == 0 || visit.End <= visit.Start || visit.Start <= lab.End {
		t.Errorf("visit: %+v", visit)
	}
	s, _ := doc.Section("plan")
	if s.Text()[visit.From:visit.Until] != visit.Text {
		t.Errorf("the link leads to %q", s.Text()[visit.From:visit.Until])
	}
	undated := draft(t, "progress", promises)
	if f := promise(undated, "appointment"); f == nil || !strings.HasPrefix(f.Due, "in ") {
		t.Errorf("without a day: %+v", f)
	}
}

func TestAnEditMarksWhatItDidToPromises(t *testing.T) {
	t.Parallel()
	doc := draftOn(t, promises)
	before := *promise(doc, "appointment")
	plan := func(d notes.Document, text string) notes.Document {
		return notes.Rebase(d, []notes.SectionText{{Key: "plan", Text: text}}, "vma", noon)
	}
	s, _ := doc.Section("plan")
	edited := plan(doc, strings.Replace(strings.Replace(s.Text(), "4 weeks", "6 weeks", 1), "four weeks", "six weeks", 1))
	got := promise(edited, "appointment")
	if got == nil || got.ID != before.ID || got.Due != "2027-01-05" || got.Change == nil || got.Change.How != "edited" || got.Change.By != "vma" {
		t.Errorf("after a change of the interval: %+v", got)
	}
	if lab := promise(edited, "lab"); lab.Change != nil {
		t.Errorf("the untouched promise is marked: %+v", lab)
	}
	moved := plan(doc, "Discussed with the family.\n"+s.Text())
	if got := promise(moved, "appointment"); got.ID != before.ID || got.Change != nil || got.From == before.From {
		t.Errorf("after text before it: %+v", got)
	}
	gone := plan(doc, "1. Basic metabolic panel after 2 weeks.\n2. Refer to cardiology.")
	if got := promise(gone, "appointment"); got == nil || !got.Withdrawn() || got.Text != before.Text {
		t.Errorf("after it was deleted: %+v", got)
	}
	if got := promise(gone, "referral"); got == nil || got.Change == nil || got.Change.How != "added" || got.To != "cardiology" {
		t.Errorf("what the editor added: %+v", got)
	}
	back := plan(gone, s.Text())
	if got := promise(back, "appointment"); got == nil || got.Withdrawn() || got.ID != before.ID {
		t.Errorf("after it was restored: %+v", got)
	}
}

func TestPromisesPointAtTheirWordsInEveryVersion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := anyDraft(t)
		for range 2 {
			for _, f := range doc.FollowUps {
				s, ok := doc.Section(f.Section)
				if !f.Withdrawn() && (!ok || f.Until > len(s.Text()) || s.Text()[f.From:f.Until] != f.Text || f.Kind == "") {
					t.Fatalf("%+v does not lie in %q", f, s.Text())
				}
			}
			doc = notes.Rebase(doc, anyEdit(t, doc), "editor", noon)
		}
	})
}
