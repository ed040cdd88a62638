package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func crash() error {
	return fault.New(fault.Unavailable, "engine_crashed", "The speech engine stopped and was restarted.")
}

// quarantined fails the test unless the dictation is set aside where operators see it.
func (w *world) quarantined(id uuid.UUID) {
	w.Helper()
	if d := w.dictation(id); d.State != pipeline.Failed || !strings.Contains(d.Reason, "3 times in a row") {
		w.Fatalf("%s, %q", d.State, d.Reason)
	}
	jobs := w.jobs(id)
	if j := jobs[len(jobs)-1]; j.State != pipeline.JobDead || j.ErrorCode != pipeline.CodeQuarantined {
		w.Fatalf("job %+v", j)
	}
	events := w.events(id)
	if e := events[len(events)-1]; e.Detail["result"] != "quarantined" {
		w.Fatalf("the record ends with %+v", e)
	}
}

func TestARecordingThatCrashesTheEngineEachTimeIsQuarantinedAndOthersGoOn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.engine.set(func(context.Context, int) error { return crash() })
	poison := w.submit()
	for range 3 {
		w.drain()
		w.hurry()
	}
	w.quarantined(poison)
	w.engine.set(nil)
	w.drafted() // by the same worker
	w.wantState(poison, pipeline.Failed)
	wantFault(t, w.svc.Retry(ctx, w.as("admin"), poison, " "), fault.Invalid, "reason_missing")
	w.must(w.svc.Retry(ctx, w.as("admin"), poison, "The engine was upgraded."))
	w.drain()
	w.wantState(poison, pipeline.Drafted)
}

func TestAWorkerThatIsKilledWithItsWorkCountsAsACrash(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.submit()
	for range 3 {
		bells := w.bells()
		if len(bells) != 1 {
			t.Fatalf("%d doorbells", len(bells))
		}
		job, err := w.work.ClaimJob(ctx, bells[0].JobID, "a worker that is killed")
		w.must(err)
		if job.Attempt != 1 {
			t.Errorf("the %d crashes so far cost attempts: %d", job.Crashes, job.Attempt)
		}
		w.expireLeases()
		w.must(w.keeper.ReapOnce(ctx))
		w.hurry()
	}
	w.quarantined(id)
	w.must(w.svc.Retry(ctx, w.as("supervisor"), id, "The machine has more memory."))
	w.drain()
	w.wantState(id, pipeline.Drafted)
}

func TestWorkThatGetsOnBetweenCrashesIsNotQuarantined(t *testing.T) {
	t.Parallel()
	w := setup(t)
	runs := 0
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 2+runs && runs < 4 { // each run saves one chunk more and then breaks down
			runs++
			return crash()
		}
		return nil
	})
	id := w.submit()
	for range 5 {
		w.drain()
		w.hurry()
	}
	w.wantState(id, pipeline.Drafted)
	if runs != 4 {
		t.Errorf("it broke down %d times", runs)
	}
}

func TestOrdinaryFailuresEndARowOfCrashes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	failures := []error{crash(), crash(), unavailable(), crash(), nil}
	w.engine.set(func(context.Context, int) error {
		err := failures[0]
		if err != nil {
			failures = failures[1:]
		}
		return err
	})
	id := w.submit()
	for range 5 {
		w.drain()
		w.hurry()
	}
	w.wantState(id, pipeline.Drafted)
}

func TestAFailedDraftKeepsTheTranscript(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.Store = brokenStore{w.work}
	id := w.submit()
	w.drain()
	w.wantState(id, pipeline.Failed)
	if d := w.detail(id); d.Transcript == nil || len(d.Transcript.Words) == 0 {
		t.Error("the transcript went with the draft that failed")
	}
	if n := w.rows("transcripts"); n != 1 {
		t.Errorf("%d transcripts", n)
	}
}
