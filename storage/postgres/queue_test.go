package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

var ctxb = context.Background

// bells collects what was rung.
type bells struct {
	sync.Mutex
	rung []pipeline.Doorbell
}

func (b *bells) ring(_ context.Context, d pipeline.Doorbell) error {
	b.Lock()
	defer b.Unlock()
	b.rung = append(b.rung, d)
	return nil
}

func (w *world) dispatch() []pipeline.Doorbell {
	w.Helper()
	var b bells
	n, err := w.work.Dispatch(ctxb(), 0, b.ring)
	w.must(err)
	if n != len(b.rung) {
		w.Fatalf("%d counted, %d rung", n, len(b.rung))
	}
	return b.rung
}

func (w *world) claim(job uuid.UUID) pipeline.Job {
	w.Helper()
	j, err := w.work.ClaimJob(ctxb(), job, "worker-1")
	w.must(err)
	return j
}

func (w *world) job(dictation uuid.UUID) (job pipeline.Job) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		jobs, err := tx.Jobs(ctx, dictation)
		if err == nil {
			job = jobs[len(jobs)-1]
		}
		return err
	})
	return job
}

func TestAJobIsRungOnceAndAgainOnlyWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, job := w.receive()
	same(t, "first ring", w.dispatch(), []pipeline.Doorbell{{JobID: job, PracticeID: w.practice, DispatchNo: 1, Kind: pipeline.TranscribeJob, Priority: pipeline.Routine}})
	if again := w.dispatch(); len(again) != 0 {
		t.Errorf("rung again at once: %v", again)
	}
	w.super(`UPDATE jobs SET dispatched_at = now() - interval '16 seconds'`)
	if again := w.dispatch(); len(again) != 1 || again[0].DispatchNo != 2 {
		t.Errorf("after silence: %v", again)
	}
	if j := w.job(d.ID); j.DispatchNo != 2 || j.State != pipeline.JobQueued {
		t.Errorf("job: %+v", j)
	}
	w.claim(job)
	w.super(`UPDATE jobs SET dispatched_at = now() - interval '61 seconds'`)
	if again := w.dispatch(); len(again) != 0 {
		t.Errorf("a running job is rung: %v", again)
	}
}

func TestStatGoesFirstThenByDueTime(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	due := func(hours int, p pipeline.Priority) uuid.UUID {
		_, job := w.receive(func(d *pipeline.Dictation) { d.DueAt, d.Priority = d.ReceivedAt.Add(time.Duration(hours)*time.Hour), p })
		return job
	}
	late, soon, stat := due(20, pipeline.Routine), due(1, pipeline.Routine), due(30, pipeline.Stat)
	var got []uuid.UUID
	for _, b := range w.dispatch() {
		got = append(got, b.JobID)
	}
	same(t, "order", got, []uuid.UUID{stat, soon, late})
}

func TestABellThatFailsUndoesOnlyItsOwnDispatch(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	first, _ := w.receive(func(d *pipeline.Dictation) { d.Priority = pipeline.Stat })
	second, _ := w.receive()
	down := errors.New("queue is down")
	calls := 0
	n, err := w.work.Dispatch(ctxb(), 10, func(context.Context, pipeline.Doorbell) error {
		if calls++; calls == 2 {
			return down
		}
		return nil
	})
	if n != 1 || !errors.Is(err, down) {
		t.Fatalf("%d, %v", n, err)
	}
	if a, b := w.job(first.ID), w.job(second.ID); a.DispatchNo != 1 || b.DispatchNo != 0 {
		t.Errorf("dispatch numbers %d, %d", a.DispatchNo, b.DispatchNo)
	}
}

func TestTwoRelaysAtOnceRingEachJobOnce(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	for range 12 {
		w.receive()
	}
	other := w.open(w.logins.Work)
	var b bells
	var wg sync.WaitGroup
	entered, leave := make(chan struct{}), make(chan struct{})
	wg.Go(func() { // is at it while the other relay looks
		once := sync.OnceFunc(func() { close(entered); <-leave })
		_, err := w.work.Dispatch(ctxb(), 6, func(ctx context.Context, d pipeline.Doorbell) error { once(); return b.ring(ctx, d) })
		if err != nil {
			t.Error(err)
		}
	})
	<-entered
	n, err := other.Dispatch(ctxb(), 100, b.ring)
	close(leave)
	wg.Wait()
	if err != nil || n != 0 {
		t.Errorf("the second relay rang %d at the same time, %v", n, err)
	}
	if n, err := other.Dispatch(ctxb(), 100, b.ring); err != nil || n != 6 {
		t.Errorf("the second relay then rang %d, %v; want the 6 others", n, err)
	}
	seen := map[uuid.UUID]bool{}
	for _, d := range b.rung {
		if seen[d.JobID] {
			t.Errorf("job %s was rung twice", d.JobID)
		}
		seen[d.JobID] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d of 12 rung", len(seen))
	}
}

func TestOneOfManyWorkersGetsAJob(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	_, job := w.receive()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []pipeline.Job
	for range 8 {
		wg.Go(func() {
			j, err := w.work.ClaimJob(ctxb(), job, "w")
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, j)
			} else if f := fault.As(err); f.Code != "job_taken" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d workers have the job", len(won))
	}
	j := won[0]
	if j.Attempt != 1 || j.LeaseToken == uuid.Nil || j.State != pipeline.JobRunning || time.Until(j.LeaseUntil) < pipeline.Lease/2 {
		t.Errorf("claimed: %+v", j)
	}
	_, err := w.work.ClaimJob(ctxb(), id(), "w")
	wantFault(t, err, fault.Conflict, "job_taken")
}

func TestALateWorkerIsFencedOff(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, job := w.receive()
	old := w.claim(job)
	w.must(w.work.SaveChunk(ctxb(), job, old.LeaseToken, 0, 2, json.RawMessage(`{"n":0}`)))
	w.super(`UPDATE jobs SET lease_until = now() - interval '1 second'`)
	fresh := w.claim(job)
	if fresh.Attempt != 1 || fresh.Crashes != 1 || fresh.LeaseToken == old.LeaseToken {
		t.Fatalf("second run: %+v", fresh)
	}
	finish := func(token uuid.UUID) error {
		return w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.FinishJob(ctx, job, token) })
	}
	bury := func(token uuid.UUID) error {
		return w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.BuryJob(ctx, job, token, "x") })
	}
	for _, err := range []error{
		w.work.Heartbeat(ctxb(), job, old.LeaseToken),
		w.work.RetryJob(ctxb(), job, old.LeaseToken, 0, "x", false),
		w.work.SaveChunk(ctxb(), job, old.LeaseToken, 1, 2, json.RawMessage(`{"n":"late"}`)),
		finish(old.LeaseToken), bury(old.LeaseToken),
	} {
		wantFault(t, err, fault.Conflict, "job_fenced")
	}
	w.must(w.work.Heartbeat(ctxb(), job, fresh.LeaseToken))
	w.must(w.work.SaveChunk(ctxb(), job, fresh.LeaseToken, 1, 2, json.RawMessage(`{"n":1}`)))
	w.must(w.work.SaveChunk(ctxb(), job, fresh.LeaseToken, 0, 2, json.RawMessage(`{"n":"again"}`)))
	chunks, err := w.work.Chunks(ctxb(), job)
	w.must(err)
	if len(chunks) != 2 || string(chunks[0]) != `{"n": 0}` || string(chunks[1]) != `{"n": 1}` {
		t.Errorf("chunks: %s", chunks)
	}
	w.must(finish(fresh.LeaseToken))
	wantFault(t, finish(fresh.LeaseToken), fault.Conflict, "job_fenced")
	if j := w.job(d.ID); j.State != pipeline.JobDone || j.LeaseToken != uuid.Nil {
		t.Errorf("done: %+v", j)
	}
	_, err = w.raw(w.logins.Work, w.practice, `UPDATE jobs SET state = 'queued', finished_at = NULL WHERE id = $1`, job)
	wantState(t, err, "VS002")
}

func TestRetriesWaitForTheirTimeAndShutDownCostsNoAttempt(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, job := w.receive()
	w.dispatch()
	j := w.claim(job)
	w.must(w.work.RetryJob(ctxb(), job, j.LeaseToken, time.Hour, "engine_busy", false))
	if got := w.job(d.ID); got.State != pipeline.JobQueued || got.Attempt != 1 || got.ErrorCode != "engine_busy" {
		t.Errorf("retried: %+v", got)
	}
	if rung := w.dispatch(); len(rung) != 0 {
		t.Errorf("rung before its time: %v", rung)
	}
	_, err := w.work.ClaimJob(ctxb(), job, "w")
	wantFault(t, err, fault.Conflict, "job_taken")
	w.super(`UPDATE jobs SET run_after = now()`)
	if rung := w.dispatch(); len(rung) != 1 || rung[0].DispatchNo != 2 {
		t.Errorf("not rung in its time: %v", rung)
	}
	j = w.claim(job)
	w.must(w.work.RetryJob(ctxb(), job, j.LeaseToken, -time.Second, "stopped", true))
	if got := w.job(d.ID); got.Attempt != 1 {
		t.Errorf("shut-down cost an attempt: %+v", got)
	}
}

func TestTheReaperTakesUpSilentJobsAndReportsThoseThatTakeTheirWorkersWithThem(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	_, silent := w.receive()
	_, alive := w.receive()
	tired, spent := w.receive()
	w.claim(silent)
	w.claim(alive)
	w.claim(spent)
	w.super(`UPDATE jobs SET crashes = 2 WHERE id = '`+spent.String()+`'`,
		`UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id <> '`+alive.String()+`'`)
	n, exhausted, err := w.work.Reap(ctxb())
	w.must(err)
	if n != 1 || len(exhausted) != 1 || exhausted[0].ID != spent {
		t.Fatalf("%d requeued, exhausted %+v", n, exhausted)
	}
	if rung := w.dispatch(); len(rung) != 1 || rung[0].JobID != silent {
		t.Errorf("rung after the reaper: %v", rung)
	}
	_, err = w.work.ClaimJob(ctxb(), spent, "w")
	wantFault(t, err, fault.Conflict, "job_taken") // a stray bell does not give it another worker
	w.must(w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		return tx.BuryJob(ctx, spent, exhausted[0].LeaseToken, "quarantined")
	}))
	if j := w.job(tired.ID); j.State != pipeline.JobDead || j.ErrorCode != "quarantined" {
		t.Errorf("buried: %+v", j)
	}
	depth, err := w.serve.QueueDepth(ctxb())
	w.must(err)
	same(t, "depth", depth, map[pipeline.JobState]int{pipeline.JobQueued: 1, pipeline.JobRunning: 1, pipeline.JobDead: 1})
}

func TestTheSameWorkOrderedTwiceIsOneJob(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	d, job := w.receive(func(d *pipeline.Dictation) { d.Priority = pipeline.Stat })
	order := pipeline.Job{DictationID: d.ID, Kind: pipeline.TranscribeJob, InputSHA256: sum(d.ID.String()), Settings: json.RawMessage(`{"model":"base"}`)}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		again, err := tx.AddJob(ctx, order)
		w.must(err)
		if again != job {
			t.Errorf("a second job %s beside %s", again, job)
		}
		order.Gen, err = tx.NextGen(ctx, d.ID, pipeline.TranscribeJob)
		w.must(err)
		next, err := tx.AddJob(ctx, order)
		w.must(err)
		if next == job || order.Gen != 1 {
			t.Errorf("generation %d is job %s", order.Gen, next)
		}
		jobs, err := tx.Jobs(ctx, d.ID)
		w.must(err)
		if len(jobs) != 2 || jobs[0].ID != job || string(jobs[1].Settings) != `{"model": "base"}` || jobs[1].Priority != pipeline.Stat ||
			!jobs[1].DueAt.Equal(d.DueAt) || jobs[1].MaxAttempts < 1 {
			t.Errorf("jobs: %+v", jobs)
		}
		return nil
	})
	order.DictationID = id()
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.AddJob(ctx, order); return err }), fault.NotFound, "not_found")
}

func TestUnattendedFindsExactlyWhatNothingMovesAlong(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.receive() // its job is queued
	w.draft()   // waits for an editor
	stuck, job := w.receive()
	signed, _, _ := w.sign() // no delivery job was ordered
	finish := w.claim(job)
	w.must(w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.FinishJob(ctx, job, finish.LeaseToken) }))
	check := func(want ...uuid.UUID) {
		t.Helper()
		lost, err := w.work.Unattended(ctxb())
		w.must(err)
		var got []uuid.UUID
		for _, d := range lost {
			got = append(got, d.ID)
		}
		same(t, "unattended", got, want)
	}
	check(stuck.ID, signed.ID)
	var deliver uuid.UUID
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		deliver, err = tx.AddJob(ctx, pipeline.Job{DictationID: signed.ID, Kind: pipeline.DeliverJob, InputSHA256: sum("t")})
		return err
	})
	check(stuck.ID)
	dead := w.claim(deliver)
	w.must(w.work.InTx(ctxb(), w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		return tx.BuryJob(ctx, deliver, dead.LeaseToken, "ehr_refused")
	}))
	check(stuck.ID) // the dead delivery waits for a person
}

func TestTheWebServersLoginCannotDoTheWorkersPart(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	_, job := w.receive()
	_, err := w.serve.Dispatch(ctxb(), 1, (&bells{}).ring)
	wantFault(t, err, fault.Internal, "database_role_not_worker")
	_, err = w.serve.ClaimJob(ctxb(), job, "w")
	wantFault(t, err, fault.Internal, "database_role_not_worker")
	_, err = w.serve.Unattended(ctxb())
	wantFault(t, err, fault.Internal, "database_role_not_worker")
	n, err := w.raw(w.logins.Serve, uuid.Nil, `UPDATE jobs SET state = 'queued'`)
	if err != nil || n != 0 {
		t.Errorf("changed %d jobs, %v", n, err)
	}
}
