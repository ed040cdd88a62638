package pipeline_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// staffed reports the worker with so many slots, and what it measured in runs before.
func (w *world) staffed(slots int, audio, engine time.Duration) {
	w.Helper()
	w.worker.ID = newID()
	w.must(w.work.ReportWorker(context.Background(), pipeline.WorkerReport{
		ID: w.worker.ID, Name: "worker-1", Slots: slots, Transcriptions: slots + 1, Drafts: 2, Deliveries: 3,
	}))
	w.must(w.work.MeasureRun(context.Background(), w.worker.ID, audio, engine))
}

func TestTheReceiptSaysHowLongItWillTake(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	send := func(p pipeline.Priority, who string) pipeline.Receipt {
		t.Helper()
		sub := w.submission()
		sub.Priority, sub.EncounterID = p, nil
		r, err := w.svc.Submit(ctx, w.as(who), sub)
		w.must(err)
		return r
	}
	if r := send(pipeline.Routine, "physician"); r.WaitKnown {
		t.Errorf("a wait is told that nobody measured: %+v", r)
	}
	w.staffed(1, 120*time.Second, 60*time.Second) // a minute for each
	for range 3 {
		send(pipeline.Routine, "physician")
	}
	if r := send(pipeline.Routine, "physician"); !r.WaitKnown || r.Wait.Round(time.Second) != 4*time.Minute {
		t.Errorf("behind four of the same author it takes %s (%v)", r.Wait, r.WaitKnown)
	}
	if r := send(pipeline.Routine, "other"); r.Wait.Round(time.Second) != time.Minute {
		t.Errorf("another author waits %s", r.Wait)
	}
	if r := send(pipeline.Stat, "other"); r.Wait != 0 {
		t.Errorf("stat waits %s", r.Wait)
	}
	q, err := w.svc.Queue(ctx, w.as("physician"))
	w.must(err)
	if !q.Accepting || q.Words() != "A recording sent now waits about 7 min for the speech engine." { // five of its own, one of the other, stat
		t.Errorf("%+v: %s", q, q.Words())
	}
}

func TestWhatWasTranscribedIsMeasured(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.ID = newID()
	w.must(w.work.ReportWorker(context.Background(), pipeline.WorkerReport{ID: w.worker.ID, Slots: 2, Transcriptions: 3, Drafts: 2, Deliveries: 3}))
	w.drafted()
	load, err := w.serve.Workload(context.Background(), newID())
	w.must(err)
	if load.Runs != 1 || load.AudioSeconds <= 0 || load.Speed() <= 0 || load.Slots != 2 {
		t.Errorf("workload %+v", load)
	}
}

func TestBeyondTheBoundRoutineRecordingsArePutOff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.svc.QueueLimit = 2
	w.staffed(1, 120*time.Second, 60*time.Second)
	w.submit()
	w.must(w.svc.Admit(ctx, pipeline.Routine))
	w.submit()
	err := w.svc.Admit(ctx, pipeline.Routine)
	wantFault(t, err, fault.Unavailable, "queue_full")
	if f := fault.As(err); f.RetryAfter != time.Minute { // one recording's time
		t.Errorf("to be tried again after %s", f.RetryAfter)
	}
	w.must(w.svc.Admit(ctx, pipeline.Stat))
	q, err := w.svc.Queue(ctx, w.as("physician"))
	w.must(err)
	if q.Accepting || !strings.Contains(q.Words(), "stay on your device") {
		t.Errorf("%+v: %s", q, q.Words())
	}
	w.submit() // what was begun is taken
	w.drain()
	w.must(w.svc.Admit(ctx, pipeline.Routine))
}

func TestWaitsAreSaidInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "less than a minute", 44 * time.Second: "less than a minute", 46 * time.Second: "about 1 min", 3*time.Minute + 10*time.Second: "about 4 min",
		89 * time.Minute: "about 89 min", 100 * time.Minute: "about 2 h", 5 * time.Hour: "about 5 h",
	} {
		q := pipeline.QueueState{Wait: d, WaitKnown: true, Accepting: true, Workload: pipeline.Workload{Slots: 1}}
		if got := q.Words(); got != "A recording sent now waits "+want+" for the speech engine." {
			t.Errorf("%s: %s", d, got)
		}
	}
	idle := pipeline.QueueState{Accepting: true}
	if !strings.Contains(idle.Words(), "No speech engine") {
		t.Error(idle.Words())
	}
}

func TestAStoppedWorkerFinishesItsChunkAndAnotherGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	stopping := make(chan struct{})
	w.worker.Stopping = stopping
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 3 {
			close(stopping) // in the middle of the third chunk
		}
		return nil
	})
	id := w.submit()
	w.must(w.worker.Do(ctx, w.bells()[0]))
	if j := w.jobs(id)[0]; j.State != pipeline.JobQueued || j.Attempt != 0 || j.ErrorCode != "stopped" || j.Crashes != 0 {
		t.Errorf("job %+v", j)
	}
	if n := w.rows("job_chunks"); n != 3 {
		t.Errorf("%d chunks are saved", n)
	}
	w.must(w.worker.Do(ctx, w.bells()[0])) // a stopping worker takes nothing
	if j := w.jobs(id)[0]; j.State != pipeline.JobQueued {
		t.Errorf("job %+v", j)
	}
	w.engine.set(nil)
	w.hurry() // the bell above was spent on the worker that stops
	second := w.newWorker("worker-2", w.worker.Log)
	w.must(second.Do(ctx, w.bells()[0]))
	w.wantState(id, pipeline.Drafted)
	if _, resumed := w.engine.history(); resumed[len(resumed)-1] != 3 {
		t.Errorf("the second worker was given %v saved chunks", resumed)
	}
}

// lateBeat lets a worker's heartbeat come after its result is committed.
type lateBeat struct {
	pipeline.Store
	refused chan struct{}
}

func (s lateBeat) Heartbeat(ctx context.Context, id, token uuid.UUID) error {
	err := s.Store.Heartbeat(ctx, id, token)
	if err != nil {
		close(s.refused)
	}
	return err
}

func (s lateBeat) MeasureRun(ctx context.Context, _ uuid.UUID, _, _ time.Duration) error {
	select {
	case <-s.refused:
	case <-ctx.Done():
	}
	return nil
}

func TestAHeartbeatAfterTheResultTakesNothingBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.Store = lateBeat{w.work, make(chan struct{})}
	id := w.submit()
	w.must(w.worker.Do(context.Background(), w.bells()[0]))
	w.wantState(id, pipeline.Drafted) // it went on with the draft
	if strings.Contains(w.logs.String(), "lease lost") {
		t.Error("the log tells of a result thrown away that was kept")
	}
}
