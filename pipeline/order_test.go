package pipeline_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/testkit"
	"vesper/pipeline"
)

// heard is the order in which transcriptions came to their end.
func (w *world) heard() []uuid.UUID {
	w.Helper()
	return testkit.Column[uuid.UUID](w, w.admin, `SELECT dictation_id FROM jobs WHERE kind = 'transcribe' AND state = 'done' ORDER BY finished_at`)
}

func TestThroughTheRealQueueStatGoesFirstAndNobodyWaitsForAnImport(t *testing.T) {
	t.Parallel()
	w := setup(t)
	busy, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.engine.set(func(context.Context, int) error {
		once.Do(func() { close(busy) })
		<-proceed
		return nil
	})
	w.worker.ID = newID()
	w.must(w.work.ReportWorker(context.Background(), pipeline.WorkerReport{ID: w.worker.ID, Slots: 1, Transcriptions: 1, Drafts: 2, Deliveries: 3}))
	var imported []uuid.UUID
	for range 12 { // the physician hands in a folder of files
		imported = append(imported, w.submit())
	}
	w.aliveWith(testkit.Redis(t), 1)
	<-busy // with the first of them
	sub := w.submission()
	sub.EncounterID = nil
	r, err := w.svc.Submit(context.Background(), w.as("other"), sub)
	w.must(err)
	single := r.DictationID
	stat := w.submit(func(s *pipeline.Submission) { s.Priority = pipeline.Stat })
	testkit.Until(t, soon, "stat is rung though the worker is busy", func() bool {
		return len(testkit.Column[int](t, w.admin, `SELECT dispatch_no FROM jobs WHERE priority = 'stat' AND dispatch_no > 0`)) == 1
	})
	close(proceed)
	testkit.Until(t, soon+20*time.Second, "all are transcribed", func() bool { return len(w.heard()) == len(imported)+2 })
	order := w.heard()
	if order[1] != stat {
		t.Errorf("stat came at place %d, not next", slices.Index(order, stat))
	}
	if at := slices.Index(order, single); at > 3 {
		t.Errorf("the other physician's single note came at place %d of %d", at, len(order))
	}
}
