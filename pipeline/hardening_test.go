package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"vesper/ehr/sandbox"
	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// sameList hands two keepers the same list of unattended dictations, as when both look at the same moment.
type sameList struct {
	pipeline.Store
	lost []pipeline.Dictation
}

func (s sameList) Unattended(context.Context) ([]pipeline.Dictation, error) { return s.lost, nil }

func TestTwoKeepersGiveAnUnattendedDictationOneJob(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	w.loseJobs()
	before := len(w.jobs(id))
	lost, err := w.work.Unattended(ctx)
	w.must(err)
	if len(lost) != 1 {
		t.Fatalf("%d dictations are unattended", len(lost))
	}
	var both sync.WaitGroup
	for range 2 {
		worker := *w.worker
		worker.Store = sameList{w.work, lost}
		keeper := &pipeline.Keeper{Worker: &worker, Settings: frozen, Log: worker.Log}
		both.Go(func() {
			if err := keeper.ReconcileOnce(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := len(w.jobs(id)) - before; n != 1 {
		t.Errorf("two keepers made %d jobs, want 1", n)
	}
	w.drain()
	w.wantState(id, pipeline.Delivered)
}

func TestAKeeperWithAnOldListDoesNotDeliverWhatAPersonCancelled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	w.loseJobs()
	lost, err := w.work.Unattended(ctx)
	w.must(err)
	w.must(w.keeper.ReconcileOnce(ctx)) // another keeper was faster
	w.must(w.svc.Cancel(ctx, w.as("admin"), id, "Not today."))
	before := len(w.jobs(id))
	worker := *w.worker
	worker.Store = sameList{w.work, lost}
	late := &pipeline.Keeper{Worker: &worker, Settings: frozen, Log: worker.Log}
	w.must(late.ReconcileOnce(ctx))
	if n := len(w.jobs(id)); n != before || !strings.HasPrefix(w.dictation(id).Reason, "Cancelled") {
		t.Errorf("%d jobs were made; the reason is %q", n-before, w.dictation(id).Reason)
	}
	w.drain()
	w.wantState(id, pipeline.Signed)
	if n := w.inEHR(id); n != 0 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}

func TestADeliveryThatEndedSaysWhyAndForgetsItWhenOrderedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	w.ehrFaults.set(func(*http.Request) sandbox.Fault { return sandbox.Fault{Refuse: http.StatusUnprocessableEntity} })
	w.drain()
	w.wantState(id, pipeline.Signed)
	card, err := w.svc.Card(ctx, w.as("admin"), id)
	w.must(err)
	if card.Reason == "" {
		t.Error("an operator does not see why the note is not in the EHR")
	}
	w.ehrFaults.set(nil)
	w.must(w.svc.Retry(ctx, w.as("admin"), id, "The EHR is mended."))
	if r := w.dictation(id).Reason; r != "" {
		t.Errorf("ordered again, it still says %q", r)
	}
	w.drain()
	w.wantState(id, pipeline.Delivered)
}

// awayObjects is an object store that cannot be reached.
type awayObjects struct{ pipeline.Objects }

func (awayObjects) Open(context.Context, pipeline.Audio) (io.ReadSeekCloser, error) {
	return nil, fault.New(fault.Unavailable, "object_store_unavailable", "The audio store cannot be reached.")
}

func TestALongOutageOfTheObjectStoreEndsByItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	w.worker.Objects = awayObjects{w.vault}
	for range 12 { // a quarter of an hour of pauses, more than a job's own attempts
		w.drain()
		w.hurry()
	}
	w.wantState(id, pipeline.Queued)
	w.worker.Objects = w.vault
	w.drain()
	w.wantState(id, pipeline.Drafted)
}

func TestAnOutageThatDoesNotEndComesBeforeAPerson(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	w.worker.Objects = awayObjects{w.vault}
	for range 24 {
		w.drain()
		w.hurry()
	}
	w.wantState(id, pipeline.Failed)
}

func TestWrongSettingsAreNotBlamedOnTheRecording(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.engine.set(func(context.Context, int) error {
		return fault.New(fault.Invalid, "language_unknown", "The model does not know this language.")
	})
	id := w.submit()
	w.drain()
	w.wantState(id, pipeline.Failed)
	if r := w.dictation(id).Reason; !strings.Contains(r, "language") {
		t.Errorf("the reason is %q", r)
	}
}

func TestWhatThePhysicianWroteWhenReturningIsForThoseWhoMayReadTheNote(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	w.must(w.svc.Return(ctx, w.as("physician"), id, "The dose is wrong, "+canary+" takes half."))
	_, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	for who, sees := range map[string]bool{"physician": true, "editor": true, "supervisor": true, "compliance": true, "admin": false, "second": false} {
		card, err := w.svc.Card(ctx, w.as(who), id)
		w.must(err)
		if (card.Reason != "") != sees {
			t.Errorf("%s reads the reason: %v, want %v", who, card.Reason != "", sees)
		}
		cards, err := w.svc.Cards(ctx, w.as(who), pipeline.Filter{})
		w.must(err)
		for _, c := range cards {
			if (c.Reason != "") != sees {
				t.Errorf("%s reads the reason in the list: %v, want %v", who, c.Reason != "", sees)
			}
		}
	}
}

func TestARefusalIsRecordedThoughTheClientHangsUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.drafted()
	ctx, hangUp := context.WithCancel(context.Background())
	hanging := *w.svc
	hanging.Store = hangsUp{w.serve, hangUp}
	_, err := hanging.Detail(ctx, w.as("admin"), id)
	wantFault(t, err, fault.Forbidden, "forbidden")
	for _, e := range w.events(id) {
		if e.Outcome == "refused" && e.ActorID == w.people["admin"].ID && e.Action == string(access.View) {
			return
		}
	}
	t.Error("the record does not hold the refusal")
}

// hangsUp cancels the request when its first transaction is over.
type hangsUp struct {
	pipeline.Store
	hangUp func()
}

func (s hangsUp) InTx(ctx context.Context, practice uuid.UUID, fn func(context.Context, pipeline.Tx) error) error {
	defer s.hangUp()
	return s.Store.InTx(ctx, practice, fn)
}

func TestADisabledPhysicianDoesNotSignWithASessionThatIsStillOpen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	req := w.request(id)
	w.must(w.svc.SetPersonDisabled(ctx, w.as("admin"), w.people["physician"].ID, true))
	_, err := w.svc.Sign(ctx, w.as("physician"), id, req)
	wantFault(t, err, fault.Forbidden, "account_disabled")
	w.wantState(id, pipeline.AwaitingSignature)
}
