package postgres_test

import (
	"context"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func TestAnotherPriorityReachesTheWorkThatWaits(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, job := w.receive()
	other, _ := w.receive()
	w.dispatch()
	due := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.Reprioritise(ctx, d.ID, pipeline.Stat, due) })
	if j := w.job(d.ID); j.Priority != pipeline.Stat || !j.DueAt.Equal(due) {
		t.Errorf("job %+v", j)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Dictation(ctx, d.ID)
		if got.Priority != pipeline.Stat || !got.DueAt.Equal(due) {
			t.Errorf("dictation %+v", got)
		}
		return err
	})
	same(t, "rung in its new place", w.dispatch(), []pipeline.Doorbell{{JobID: job, PracticeID: w.practice, DispatchNo: 2, Kind: pipeline.TranscribeJob, Priority: pipeline.Stat}})
	if j := w.job(other.ID); j.Priority != pipeline.Routine || !j.DueAt.Equal(other.DueAt) {
		t.Errorf("the other's job %+v", j)
	}
	running := w.claim(job)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.Reprioritise(ctx, d.ID, pipeline.Routine, due)
	})
	w.must(w.work.Heartbeat(ctxb(), job, running.LeaseToken)) // work that runs goes on
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.Reprioritise(ctx, id(), pipeline.Stat, due) }), fault.NotFound, "not_found")
}
