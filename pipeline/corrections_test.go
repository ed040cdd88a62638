package pipeline_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/pipeline"
)

// edited drafts a dictation of the recited text and lets the editor save another plan.
func (w *world) edited(plan string) {
	w.Helper()
	id := w.reviewed()
	_, err := w.svc.Save(context.Background(), w.as("editor"), id, w.detail(id).Version.Number, []notes.SectionText{{Key: "plan", Text: plan}})
	w.must(err)
}

func (w *world) learning() pipeline.Learning {
	w.Helper()
	l, err := w.svc.Learning(context.Background(), w.as("supervisor"), w.people["physician"].ID)
	w.must(err)
	return l
}

func TestWhatEditorsChangeAgainAndAgainIsApprovedMadeSeenAndUndone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, boss, author := context.Background(), w.as("supervisor"), w.people["physician"].ID
	w.recite("Subjective: She is well. Plan: Take zanter pell nightly. Rest.")
	for i := range 3 {
		if l := w.learning(); len(l.Suggested) != 0 {
			t.Fatalf("suggested after %d notes: %+v", i, l.Suggested)
		}
		w.edited("Take Zanterpel nightly. Rest.")
	}
	l := w.learning()
	if len(l.Suggested) != 1 || l.Suggested[0] != (pipeline.Suggestion{Heard: "zanter pell", Written: "Zanterpel", Notes: 3, Editors: 1}) {
		t.Fatalf("suggested: %+v", l.Suggested)
	}
	_, err := w.svc.DecideCorrection(ctx, boss, author, "zanter pell", "Warfarin", pipeline.Approved)
	wantFault(t, err, fault.Conflict, "correction_not_suggested")
	for _, who := range []string{"editor", "physician", "admin", "compliance"} {
		_, err := w.svc.DecideCorrection(ctx, w.as(who), author, "zanter pell", "Zanterpel", pipeline.Approved)
		wantFault(t, err, fault.Forbidden, "forbidden")
	}
	c, err := w.svc.DecideCorrection(ctx, boss, author, "zanter pell", "Zanterpel", pipeline.Approved)
	w.must(err)
	if l := w.learning(); len(l.Suggested) != 0 || len(l.Decided) != 1 || l.Decided[0].DecidedByName != boss.Name {
		t.Fatalf("after the approval: %+v", l)
	}

	id := w.drafted()
	doc := w.detail(id).Version.Document
	plan, _ := doc.Section("plan")
	if !strings.Contains(plan.Text(), "Zanterpel nightly") || !slices.ContainsFunc(doc.Flags, func(f notes.Flag) bool {
		return f.Kind == notes.FlagRepair && strings.Contains(f.Detail, boss.Name) && strings.Contains(f.Detail, "zanter pell")
	}) {
		t.Errorf("the draft says %q, flags %+v", plan.Text(), doc.Flags)
	}
	effect := slices.ContainsFunc(w.events(id), func(e audit.Event) bool {
		return e.Detail["result"] == "drafted" && e.Detail["corrections"] == c.ID.String()
	})
	if !effect {
		t.Error("the record does not say which correction the draft was made with")
	}

	w.must(w.svc.UndoCorrection(ctx, boss, c.ID))
	wantFault(t, w.svc.UndoCorrection(ctx, boss, c.ID), fault.NotFound, "not_found")
	after := w.detail(w.drafted()).Version.Document
	if plan, _ := after.Section("plan"); strings.Contains(plan.Text(), "Zanterpel") {
		t.Errorf("an undone correction was made: %q", plan.Text())
	}
	changes := []string{}
	for _, e := range w.events(c.ID) {
		changes = append(changes, e.Detail["change"])
		for _, v := range e.Detail {
			if strings.Contains(strings.ToLower(v), "zanter") {
				t.Errorf("the record holds the words: %v", e.Detail)
			}
		}
	}
	if !slices.Equal(changes, []string{"approved", "undone"}) {
		t.Errorf("the record says %v", changes)
	}
}

func TestADismissedCorrectionIsNotSuggestedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.recite("Subjective: She is well. Plan: Take zanter pell nightly. Rest.")
	for range 3 {
		w.edited("Take Zanterpel nightly. Rest.")
	}
	_, err := w.svc.DecideCorrection(context.Background(), w.as("supervisor"), w.people["physician"].ID, "zanter pell", "Zanterpel", pipeline.Dismissed)
	w.must(err)
	if l := w.learning(); len(l.Suggested) != 0 || len(l.Decided) != 1 {
		t.Errorf("after dismissing: %+v", l)
	}
	doc := w.detail(w.drafted()).Version.Document
	if plan, _ := doc.Section("plan"); strings.Contains(plan.Text(), "Zanterpel") {
		t.Errorf("a dismissed correction was made: %q", plan.Text())
	}
}
