package pipeline_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
)

// lastEvent is the newest event about a dictation.
func (w *world) lastEvent(id uuid.UUID) (action string, detail map[string]string) {
	w.Helper()
	events := w.events(id)
	e := events[len(events)-1]
	return e.Action, e.Detail
}

// gave reports whether the reason stands in the list of what became of the dictation.
func (w *world) gave(id uuid.UUID, reason string) bool {
	w.Helper()
	var moves []pipeline.StateChange
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		moves, err = tx.Moves(ctx, id)
		return err
	})
	for _, m := range moves {
		if strings.Contains(m.Reason, reason) {
			return true
		}
	}
	return false
}

func TestWorkThatWaitsIsCancelledAndCanBeOrderedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.submit()
	bells := w.bells()
	wantFault(t, w.svc.Cancel(ctx, w.as("supervisor"), id, ""), fault.Invalid, "reason_missing")
	w.must(w.svc.Cancel(ctx, w.as("supervisor"), id, "Dictated twice."))
	if d := w.dictation(id); d.State != pipeline.Failed || d.Reason != "Cancelled: Dictated twice." {
		t.Errorf("%s, %q", d.State, d.Reason)
	}
	if j := w.jobs(id)[0]; j.State != pipeline.JobDead || j.ErrorCode != pipeline.CodeCancelled {
		t.Errorf("job %+v", j)
	}
	if a, detail := w.lastEvent(id); a != string(access.Cancel) || detail["from"] != "queued" || detail["jobs"] != "1" {
		t.Errorf("%s %v", a, detail)
	}
	w.must(w.worker.Do(ctx, bells[0])) // the doorbell comes late
	w.must(w.keeper.ReconcileOnce(ctx))
	w.drain()
	w.wantState(id, pipeline.Failed)
	w.must(w.svc.Retry(ctx, w.as("admin"), id, "It was the only one."))
	w.drain()
	w.wantState(id, pipeline.Drafted)
}

func TestRunningWorkNoticesItsCancellationWithinSeconds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	running, aborted := make(chan struct{}), make(chan time.Duration, 1)
	w.engine.set(func(ctx context.Context, chunk int) error {
		if chunk != 3 {
			return nil
		}
		close(running)
		began := time.Now()
		<-ctx.Done() // as the engine's call does
		aborted <- time.Since(began)
		return ctx.Err()
	})
	id := w.submit()
	bell := w.bells()[0]
	ended := make(chan error, 1)
	go func() { ended <- w.worker.Do(ctx, bell) }()
	<-running
	w.must(w.svc.Cancel(ctx, w.as("admin"), id, "Wrong patient."))
	if took := <-aborted; took > pipeline.LeaseRenewal+2*time.Second {
		t.Errorf("the engine worked on for %s", took)
	}
	w.must(<-ended)
	w.wantState(id, pipeline.Failed)
	if n := w.rows("transcripts"); n != 0 {
		t.Errorf("%d transcripts of cancelled work", n)
	}
}

func TestADeliveryInItsPauseIsCancelledAndOrderedAnew(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, pipeline.TranscribeJob, "x"), fault.Conflict, "state_changed")
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DraftJob, "x"), fault.Conflict, "state_changed")
	job, err := w.work.ClaimJob(ctx, w.bells()[0].JobID, "another worker")
	w.must(err)
	wantFault(t, w.svc.Cancel(ctx, w.as("admin"), id, "x"), fault.Conflict, "delivery_running")
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DeliverJob, "x"), fault.Conflict, "delivery_running")
	w.must(w.work.RetryJob(ctx, job.ID, job.LeaseToken, time.Hour, "ehr_unavailable", false))
	w.must(w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DeliverJob, "The EHR is back."))
	w.must(w.svc.Cancel(ctx, w.as("admin"), id, "Not today."))
	wantFault(t, w.svc.Cancel(ctx, w.as("admin"), id, "Not today."), fault.Conflict, "nothing_to_cancel")
	w.must(w.keeper.ReconcileOnce(ctx))
	w.drain()
	w.wantState(id, pipeline.Signed)
	w.must(w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DeliverJob, "Today after all."))
	w.drain()
	w.wantState(id, pipeline.Delivered)
	var got []string
	for _, j := range w.jobs(id) {
		if j.Kind == pipeline.DeliverJob {
			got = append(got, j.ErrorCode)
		}
	}
	if strings.Join(got, ",") != "superseded,cancelled," {
		t.Errorf("the deliveries ended with %q", got)
	}
}

func TestEveryStageBeforeTheSignatureIsOrderedAnewAndNothingThatPeopleWroteGoes(t *testing.T) {
	t.Parallel()
	for _, state := range []pipeline.State{
		pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature, pipeline.Failed, pipeline.Rejected,
	} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			ctx := context.Background()
			id := w.at(state)
			before := w.newest(id)
			runs, _ := w.engine.history()
			reason := "A better model, from " + string(state) + "."
			w.must(w.svc.Rerun(ctx, w.as("supervisor"), id, pipeline.TranscribeJob, reason))
			w.wantState(id, pipeline.Queued)
			if a, detail := w.lastEvent(id); a != string(access.Rerun) || detail["from"] != string(state) || detail["stage"] != "transcribe" {
				t.Errorf("%s %v", a, detail)
			}
			if !w.gave(id, reason) || w.dictation(id).Reason != "" {
				t.Errorf("the reason is not where it belongs; beside the dictation stands %q", w.dictation(id).Reason)
			}
			if err := w.svc.Release(ctx, w.as("editor"), id); err == nil {
				t.Error("the editor still holds it")
			}
			w.drain()
			w.wantState(id, pipeline.Drafted)
			if again, _ := w.engine.history(); again != runs+1 {
				t.Errorf("the engine ran %d times more", again-runs)
			}
			w.must(w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DraftJob, "Another template."))
			w.wantState(id, pipeline.Transcribed)
			w.drain()
			w.wantState(id, pipeline.Drafted)
			if v := w.newest(id); v.Kind != pipeline.EngineDraft || v.Number != before.Number+2 {
				t.Errorf("version %d, a %s, follows %d", v.Number, v.Kind, before.Number)
			}
			if before.Number > 0 {
				h, err := w.svc.History(ctx, w.as("compliance"), id)
				w.must(err)
				if old := h.Versions[before.Number-1]; old.ContentHash != before.ContentHash || old.Kind != before.Kind {
					t.Errorf("version %d was %+v and is %+v", before.Number, before.ContentHash, old.ContentHash)
				}
			}
		})
	}
}

func TestADraftAnewIsComparedWithItselfWhenSigning(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	_, err := w.svc.Save(ctx, w.as("editor"), id, 1, editedText(w.newest(id).Document, "plan", "Rest and fluids."))
	w.must(err)
	w.must(w.svc.Rerun(ctx, w.as("supervisor"), id, pipeline.DraftJob, "The editor mixed up two notes."))
	wantFault(t, w.svc.Send(ctx, w.as("editor"), id, 2), fault.Forbidden, "forbidden")
	w.drain()
	_, err = w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	w.must(w.svc.Send(ctx, w.as("editor"), id, w.settleAll(w.as("editor"), id)))
	p, err := w.svc.SignaturePreview(ctx, w.as("physician"), id)
	w.must(err)
	for _, c := range p.Changes {
		if c.Op != notes.Equal {
			t.Errorf("nobody changed the new draft, and the preview shows %+v", c)
		}
	}
	w.sign(id)
	for _, stage := range []pipeline.JobKind{pipeline.TranscribeJob, pipeline.DraftJob} {
		wantFault(t, w.svc.Rerun(ctx, w.as("supervisor"), id, stage, "x"), fault.Conflict, "state_changed")
	}
	w.drain()
	w.wantState(id, pipeline.Delivered)
	wantFault(t, w.svc.Rerun(ctx, w.as("supervisor"), id, pipeline.DeliverJob, "x"), fault.Conflict, "state_changed")
}

func TestWhatCannotBeMadeAnewSaysSo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.submit()
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, pipeline.DraftJob, "x"), fault.Conflict, "no_transcript")
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, "translate", "x"), fault.Invalid, "stage_unknown")
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), id, pipeline.TranscribeJob, strings.Repeat("x", 501)), fault.Invalid, "reason_missing")
	signed := w.signed()
	addendum, err := w.svc.Addendum(ctx, w.as("physician"), signed, "The culture came back negative.")
	w.must(err)
	testkit.Exec(t, w.admin, `UPDATE dictations SET state = 'awaiting_signature' WHERE id = $1`, addendum)
	wantFault(t, w.svc.Rerun(ctx, w.as("admin"), addendum, pipeline.TranscribeJob, "x"), fault.Conflict, "addendum_has_no_recording")
}
