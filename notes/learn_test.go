package notes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/notes"
)

// corrected drafts a plan, saves another text for it and lists what can be learned from that.
func corrected(t *testing.T, script, saved string) []notes.Correction {
	t.Helper()
	doc := draft(t, "progress", "Plan: "+script)
	return notes.Corrections(doc, notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: saved}}, "vma", noon))
}

func TestMishearingsCanBeLearnedAndWhatBelongsToOnePatientCannot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, saved, heard, written string }{
		{"See doctor Brandle next week.", "See doctor Brandl next week.", "Brandle", "Brandl"},
		{"Refer to zorn clinick soon.", "Refer to Zorn Clinic soon.", "zorn clinick", "Zorn Clinic"},
		{"Take zanter pell at night.", "Take Zanterpel at night.", "zanter pell", "Zanterpel"},
		{"Give 40 mg.", "Give 50 mg.", "", ""},
		{"Rest the left knee.", "Rest the right knee.", "", ""},
		{"He has no fever.", "He has fever.", "", ""},
		{"She walks daily.", "He walks daily.", "", ""},
		{"Continue clonidine.", "Continue clonazepam.", "", ""},
		{"He walks slowly.", "He runs slowly.", "", ""},
		{"Follow up with zorn.", "Follow up with the surgeon tomorrow.", "", ""},
	} {
		var want []notes.Correction
		if c.heard != "" {
			want = []notes.Correction{{Heard: c.heard, Written: c.written}}
		}
		if diff := cmp.Diff(want, corrected(t, c.script, c.saved)); diff != "" {
			t.Errorf("%q → %q (-want +got):\n%s", c.script, c.saved, diff)
		}
	}
}

func TestAnApprovedCorrectionIsMadeVisiblyAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	opts := notes.Options{Corrections: []notes.Correction{{ID: "c1", Heard: "zanter pell", Written: "Zanterpel", ApprovedBy: "Sam Okafor"}}}
	doc, err := notes.Draft(heard("Plan: Take zanter pell, at night. The zanter, pell stays."), template(t, "progress"), opts)
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := doc.Section("plan")
	if plan.Text() != "Take Zanterpel, at night. The zanter, pell stays." {
		t.Fatalf("the plan is %q", plan.Text())
	}
	if diff := cmp.Diff([]string{"c1"}, notes.LearnedIn(doc)); diff != "" {
		t.Error(diff)
	}
	f := flagOf(doc, notes.FlagRepair, "plan")
	if f == nil || !strings.Contains(f.Detail, "zanter pell") || !strings.Contains(f.Detail, "Sam Okafor") || f.End <= f.Start {
		t.Fatalf("flag: %+v", f)
	}
	if src := sourceOf(t, doc, "plan", "Zanterpel"); !strings.HasPrefix(src.Said, "zanter pell") || len(src.Words) != 2 {
		t.Errorf("the source is %+v", src)
	}
}
