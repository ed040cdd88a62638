package postgres_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func (w *world) decide(c pipeline.Correction) error {
	return w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertCorrection(ctx, c) })
}

func (w *world) corrections() (out []pipeline.Correction) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		out, err = tx.Corrections(ctx, w.physician.ID)
		return err
	})
	return out
}

func (w *world) correction(heard, written string, d pipeline.Decision) pipeline.Correction {
	return pipeline.Correction{ID: id(), AuthorID: w.physician.ID, Heard: heard, Written: written, Notes: 3, Decision: d, DecidedBy: w.physician.ID}
}

func TestADecisionAboutACorrectionStandsOnceUntilItIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.correction("zanter pell", "Zanterpel", pipeline.Approved)
	w.must(w.decide(c))
	wantFault(t, w.decide(w.correction("Zanter Pell", "Zanterpel", pipeline.Dismissed)), fault.Conflict, "correction_decided")
	wantFault(t, w.decide(w.correction("zanter pell", "Xanterpel", pipeline.Approved)), fault.Conflict, "correction_decided")
	w.must(w.decide(w.correction("brandle", "Brandl", pipeline.Dismissed)))
	got := w.corrections()
	if len(got) != 2 || got[1].ID != c.ID || got[1].Heard != c.Heard || got[1].Written != c.Written || got[1].Notes != 3 || got[1].Decision != pipeline.Approved ||
		got[1].DecidedByName != w.physician.Name || got[1].DecidedAt.IsZero() {
		t.Fatalf("decisions: %+v", got)
	}
	undo := func() error {
		return w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.UndoCorrection(ctx, c.ID, w.physician.ID) })
	}
	w.must(undo())
	wantFault(t, undo(), fault.NotFound, "not_found")
	if got := w.corrections(); len(got) != 1 {
		t.Errorf("still standing: %+v", got)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		old, err := tx.Correction(ctx, c.ID)
		if old.UndoneAt == nil {
			t.Error("an undone decision has no time of undoing")
		}
		return err
	})
	w.must(w.decide(w.correction("zanter pell", "Zanterpel", pipeline.Approved)))
}

func TestDecisionsAboutCorrectionsAreHistoryAndStayInTheirPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.correction("zanter pell", "Zanterpel", pipeline.Approved)
	w.must(w.decide(c))
	w.must(w.decide(w.correction("brandle", "Brandl", pipeline.Dismissed)))
	w.must(w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.UndoCorrection(ctx, c.ID, w.physician.ID) }))
	for sql, state := range map[string]string{
		"UPDATE corrections SET written = 'x'": "42501", "DELETE FROM corrections": "42501", "TRUNCATE corrections": "42501",
		"UPDATE corrections SET undone_at = NULL, undone_by = NULL WHERE undone_at IS NOT NULL": "VS002",
	} {
		_, err := w.raw(w.logins.Serve, w.practice, sql)
		wantState(t, err, state)
	}
	for sql, state := range map[string]string{"DELETE FROM corrections": "VS001", "UPDATE corrections SET written = 'x' WHERE undone_at IS NULL": "VS002"} {
		_, err := w.raw(w.admin, uuid.Nil, sql)
		wantState(t, err, state)
	}
	other := w.newPractice("Harbor Clinic")
	for practice, want := range map[uuid.UUID]int64{w.practice: 2, other: 0, uuid.Nil: 0} {
		if n, err := w.raw(w.logins.Serve, practice, "SELECT * FROM corrections"); err != nil || n != want {
			t.Errorf("practice %v sees %d rows, %v; want %d", practice, n, err, want)
		}
	}
}
