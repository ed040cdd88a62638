package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
)

// actions are what the record says of a dictation, oldest first, without the workers' stages.
func (w *world) actions(id uuid.UUID) []string {
	w.Helper()
	var out []string
	for _, e := range w.events(id) {
		if e.Action != string(access.Process) {
			out = append(out, e.Action+" "+e.Outcome)
		}
	}
	return out
}

func TestAClaimIsHeldRenewedReleasedAndTakenOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.drafted()
	first, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	w.wantState(id, pipeline.InReview)
	again, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	if again.Token != first.Token || again.Until.Before(first.Until) {
		t.Errorf("the renewal is another claim: %+v, %+v", first, again)
	}
	_, err = w.svc.Claim(ctx, w.as("second"), id)
	wantFault(t, err, fault.Conflict, "claimed")
	if f := fault.As(err); !strings.Contains(f.Public, "Mina Okafor") {
		t.Errorf("the refusal does not name the holder: %s", f.Public)
	}
	if k := fault.KindOf(w.svc.Release(ctx, w.as("second"), id)); k != fault.Forbidden {
		t.Errorf("another editor releases the claim: %q", k)
	}
	w.must(w.svc.Release(ctx, w.as("editor"), id))
	w.wantState(id, pipeline.Drafted)
	_, err = w.svc.Claim(ctx, w.as("second"), id)
	w.must(err)

	w.expireClaims()
	third, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	if third.PersonID != w.people["editor"].ID {
		t.Errorf("the claim is %+v", third)
	}
	_, err = w.svc.Save(ctx, w.as("second"), id, 1, nil)
	wantFault(t, err, fault.Forbidden, "forbidden")
	var claims []string
	for _, a := range w.actions(id) {
		if strings.HasPrefix(a, "note.claim") {
			claims = append(claims, a)
		}
	}
	if len(claims) != 3 {
		t.Errorf("the record knows the claims %v; want those of three holds, the take-over among them", claims)
	}
	w.must(w.svc.Release(ctx, w.as("supervisor"), id))
	w.wantState(id, pipeline.Drafted)
}

func TestAClaimThatRanOutGoesBackToTheQueueAndALiveOneStays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	left := w.reviewed()
	w.expireClaims()
	held := w.reviewed()
	w.must(w.keeper.ReleaseExpiredOnce(ctx))
	w.wantState(left, pipeline.Drafted)
	w.wantState(held, pipeline.InReview)
	events := w.events(left)
	if last := events[len(events)-1]; last.Action != string(access.Release) || last.Detail["why"] != "expired" || last.ActorRole != "system" {
		t.Errorf("the record says %+v", last)
	}
	n := w.count()
	w.must(w.keeper.ReleaseExpiredOnce(ctx))
	if w.count() != n {
		t.Error("a second round finds something to release")
	}
}

// slowToLock lets something happen between the keeper's look and its lock.
type slowToLock struct {
	pipeline.Store
	meanwhile func()
}

type slowTx struct {
	pipeline.Tx
	meanwhile func()
}

func (s slowToLock) InTx(ctx context.Context, practice uuid.UUID, fn func(context.Context, pipeline.Tx) error) error {
	return s.Store.InTx(ctx, practice, func(ctx context.Context, tx pipeline.Tx) error { return fn(ctx, slowTx{tx, s.meanwhile}) })
}

func (t slowTx) DictationForUpdate(ctx context.Context, id uuid.UUID) (pipeline.Dictation, error) {
	t.meanwhile()
	return t.Tx.DictationForUpdate(ctx, id)
}

func TestAClaimThatIsRenewedAtTheLastMomentIsNotReleased(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	w.expireClaims()
	w.worker.Store = slowToLock{w.work, func() {
		_, err := w.svc.Claim(ctx, w.as("editor"), id)
		w.must(err)
	}}
	w.must(w.keeper.ReleaseExpiredOnce(ctx))
	w.wantState(id, pipeline.InReview)
	v := w.newest(id)
	if _, err := w.svc.Save(ctx, w.as("editor"), id, v.Number, editedText(v.Document, "plan", "Rest.")); err != nil {
		t.Errorf("the editor lost the claim that was just renewed: %v", err)
	}
}

func TestOfTwoEditorsAtOnceOneGetsTheNote(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range 5 {
		id := w.drafted()
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, who := range []string{"editor", "second"} {
			wg.Go(func() { _, errs[i] = w.svc.Claim(context.Background(), w.as(who), id) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("outcomes %v", errs)
		}
		for _, err := range errs {
			if err != nil {
				wantFault(t, err, fault.Conflict, "claimed")
			}
		}
		w.wantState(id, pipeline.InReview)
	}
}

func TestASaveOnAnOldVersionIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	v := w.newest(id)
	saved, err := w.svc.Save(ctx, w.as("editor"), id, v.Number, editedText(v.Document, "plan", "Theirs."))
	w.must(err)
	_, err = w.svc.Save(ctx, w.as("editor"), id, v.Number, editedText(v.Document, "plan", "Mine."))
	wantFault(t, err, fault.Conflict, "version_conflict")
	if got, _ := w.newest(id).Document.Section("plan"); got.Text() != "Theirs." {
		t.Errorf("the plan reads %q", got.Text())
	}
	mine, err := w.svc.Save(ctx, w.as("editor"), id, saved.Number, editedText(v.Document, "plan", "Mine."))
	w.must(err)
	if mine.Number != 3 || mine.By == nil || *mine.By != w.people["editor"].ID || mine.Kind != pipeline.EditorEdit {
		t.Errorf("version %+v", mine)
	}
	h, err := w.svc.History(ctx, w.as("compliance"), id)
	w.must(err)
	if len(h.Versions) != 3 {
		t.Fatalf("%d versions are kept", len(h.Versions))
	}
	for i, want := range []string{"", "Theirs.", "Mine."} {
		if got, _ := h.Versions[i].Document.Section("plan"); want != "" && got.Text() != want {
			t.Errorf("version %d reads %q", i+1, got.Text())
		}
		if h.Versions[i].ContentHash != notes.ContentHash(h.Versions[i].Document) {
			t.Errorf("version %d has another hash", i+1)
		}
	}
	wantFault(t, w.svc.Send(ctx, w.as("editor"), id, 2), fault.Conflict, "version_conflict")
}

func TestManySavesAtOnceAreVersionsInARowOrToldOff(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	v := w.newest(id)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 10 {
		wg.Go(func() {
			_, err := w.svc.Save(context.Background(), w.as("editor"), id, v.Number, editedText(v.Document, "plan", newID().String()))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if fault.As(err).Code != "version_conflict" {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if n := w.newest(id).Number; won != 1 || n != v.Number+1 {
		t.Errorf("%d saves won, the newest version is %d", won, n)
	}
}

func TestWordsThatDidNotChangeKeepTheirSource(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	v := w.newest(id)
	before, _ := v.Document.Section("plan")
	text := before.Text()
	next, err := w.svc.Save(context.Background(), w.as("editor"), id, v.Number, editedText(v.Document, "plan", text+" Return if worse."))
	w.must(err)
	after, _ := next.Document.Section("plan")
	if after.Text() != text+" Return if worse." {
		t.Fatalf("the plan reads %q", after.Text())
	}
	spoken, typed := "", ""
	for _, r := range after.Runs {
		switch r.Source.Kind {
		case notes.FromSpeech:
			spoken += r.Text
			if r.Source.End <= r.Source.Start {
				t.Errorf("%q has no place in the recording: %+v", r.Text, r.Source)
			}
		case notes.FromPerson:
			typed += r.Text
			if r.Source.By != w.people["editor"].ID.String() || r.Source.At == nil {
				t.Errorf("%q has no author: %+v", r.Text, r.Source)
			}
		}
	}
	for _, word := range strings.Fields(text) {
		if !strings.Contains(spoken, word) {
			t.Errorf("%q lost its source; spoken is %q", word, spoken)
		}
	}
	if !strings.Contains(typed, "Return if worse.") {
		t.Errorf("typed is %q", typed)
	}
}

func TestADoubtIsSettledOnceWithAName(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	v := w.newest(id)
	if len(v.Document.Flags) < 2 {
		t.Fatalf("the recited transcript gives %d doubts; the tests need two", len(v.Document.Flags))
	}
	flag := v.Document.Flags[0].ID
	next, err := w.svc.Settle(ctx, w.as("editor"), id, v.Number, flag, "heard")
	w.must(err)
	s := next.Document.Flags[0].Settled
	if s == nil || s.By != w.people["editor"].ID.String() || s.How != "heard" || s.At.IsZero() {
		t.Errorf("settlement %+v", s)
	}
	_, err = w.svc.Settle(ctx, w.as("editor"), id, next.Number, flag, "heard")
	wantFault(t, err, fault.Conflict, "flag_settled")
	_, err = w.svc.Settle(ctx, w.as("editor"), id, v.Number, flag, "heard")
	wantFault(t, err, fault.Conflict, "version_conflict")
	_, err = w.svc.Settle(ctx, w.as("editor"), id, next.Number, "no-such", "heard")
	wantFault(t, err, fault.NotFound, "flag_unknown")
	if n := w.newest(id).Number; n != next.Number {
		t.Errorf("refused settlements made version %d", n)
	}
}

func TestANoteWithoutAPatientIsNotSent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed(func(s *pipeline.Submission) { s.EncounterID = nil })
	latest := w.settleAll(w.as("editor"), id)
	wantFault(t, w.svc.Send(ctx, w.as("editor"), id, latest), fault.Invalid, "patient_missing")
	w.wantState(id, pipeline.InReview)
	w.must(w.svc.Bind(ctx, w.as("editor"), id, nil, &w.visit.ID, ""))
	if d := w.dictation(id); d.PatientID == nil || *d.PatientID != w.patient.ID {
		t.Errorf("the visit did not bring its patient: %+v", d)
	}
	w.must(w.svc.Send(ctx, w.as("editor"), id, latest))
	w.wantState(id, pipeline.AwaitingSignature)
}

func TestThePatientIsBoundByThoseInChargeAndNotUnderThePhysiciansPen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	wantFault(t, w.svc.Bind(ctx, w.as("supervisor"), id, &w.patient.ID, nil, ""), fault.Conflict, "state_changed")
	w.must(w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, nil, "consult"))
	if d := w.dictation(id); d.WorkType != "consult" || d.EncounterID != nil {
		t.Errorf("bound to %+v", d)
	}
	wantFault(t, w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, nil, "poem"), fault.NotFound, "work_type_unknown")
	drafted := w.drafted()
	wantFault(t, w.svc.Bind(ctx, w.as("editor"), drafted, &w.patient.ID, nil, ""), fault.Forbidden, "forbidden")
	w.must(w.svc.Bind(ctx, w.as("supervisor"), drafted, &w.patient.ID, nil, ""))
	w.sign(id)
	wantFault(t, w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, nil, ""), fault.Conflict, "state_changed")
}

func TestAReasonIsAskedForAndReachesWhoeverIsNext(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	for _, reason := range []string{"", "  \n", strings.Repeat("x", 501)} {
		wantFault(t, w.svc.Return(ctx, w.as("physician"), id, reason), fault.Invalid, "reason_missing")
		wantFault(t, w.svc.Reject(ctx, w.as("supervisor"), id, reason), fault.Invalid, "reason_missing")
		wantFault(t, w.svc.Retry(ctx, w.as("supervisor"), id, reason), fault.Invalid, "reason_missing")
	}
	w.must(w.svc.Return(ctx, w.as("physician"), id, "  Hear the dose again. "))
	if d := w.dictation(id); d.State != pipeline.Drafted || d.Reason != "Hear the dose again." {
		t.Errorf("returned as %s with %q", d.State, d.Reason)
	}
	_, err := w.svc.Claim(ctx, w.as("second"), id)
	w.must(err)
	if d := w.dictation(id); d.Reason != "Hear the dose again." {
		t.Errorf("the editor who takes it does not see the reason: %q", d.Reason)
	}
}

func TestEveryReasonStaysInTheHistory(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	w.must(w.svc.Return(ctx, w.as("physician"), id, "Hear the dose again."))
	_, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	w.must(w.svc.Reject(ctx, w.as("editor"), id, "Wind noise only."))
	w.must(w.svc.Retry(ctx, w.as("supervisor"), id, "The author insists."))
	if d := w.dictation(id); d.State != pipeline.Queued || d.Reason != "" {
		t.Errorf("ordered again it is %s with %q", d.State, d.Reason)
	}
	h, err := w.svc.History(ctx, w.as("supervisor"), id)
	w.must(err)
	var steps, reasons []string
	for i, m := range h.Moves {
		if i > 0 && m.From != h.Moves[i-1].To {
			t.Errorf("step %d starts from %s, the one before ended in %s", i, m.From, h.Moves[i-1].To)
		}
		if m.At.IsZero() {
			t.Errorf("step %d has no time", i)
		}
		steps = append(steps, string(m.To))
		if m.Reason != "" && (len(reasons) == 0 || reasons[len(reasons)-1] != m.Reason) {
			reasons = append(reasons, m.Reason)
		}
	}
	if got, want := strings.Join(steps, " "), "queued transcribed drafted in_review awaiting_signature drafted in_review rejected rejected queued"; got != want {
		t.Errorf("steps: %s\nwant:  %s", got, want)
	}
	if got, want := strings.Join(reasons, " "), "Hear the dose again. Wind noise only. The author insists."; got != want {
		t.Errorf("reasons: %s\nwant:    %s", got, want)
	}
}

func TestThePhysicianMayCorrectWhatWaitsForTheSignature(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	v := w.newest(id)
	next, err := w.svc.Save(ctx, w.as("physician"), id, v.Number, editedText(v.Document, "plan", "Amoxicillin 800 mg twice daily for 10 days."))
	w.must(err)
	if next.By == nil || *next.By != w.people["physician"].ID {
		t.Errorf("version by %v", next.By)
	}
	w.wantState(id, pipeline.AwaitingSignature)
	_, err = w.svc.Save(ctx, w.as("other"), id, next.Number, nil)
	wantFault(t, err, fault.Forbidden, "forbidden")
	w.settleAll(w.as("physician"), id)
	w.sign(id)
	_, err = w.svc.Save(ctx, w.as("physician"), id, next.Number, nil)
	wantFault(t, err, fault.Forbidden, "forbidden")
}

func TestWhatNeedsAttentionIsNotHiddenByWhatWasRejected(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	reject := func(daysAgo int) uuid.UUID {
		id := w.drafted()
		_, err := w.svc.Claim(ctx, w.as("editor"), id)
		w.must(err)
		w.must(w.svc.Reject(ctx, w.as("editor"), id, "Wind noise only."))
		testkit.Exec(w, w.admin, fmt.Sprintf(`SET session_replication_role = replica;
			UPDATE dictations SET due_at = due_at - interval '90 days', updated_at = updated_at - interval '%d days' WHERE id = '%s'`, daysAgo, id))
		return id
	}
	settled, lately, today := reject(15), reject(13), reject(0)
	failed := w.drafted()
	testkit.Exec(w, w.admin, fmt.Sprintf(`SET session_replication_role = replica; UPDATE dictations SET state = 'failed' WHERE id = '%s'`, failed))
	cards, err := w.svc.Attention(ctx, w.as("supervisor"))
	w.must(err)
	var got []uuid.UUID
	for _, c := range cards {
		got = append(got, c.ID)
	}
	if !slices.Equal(got, []uuid.UUID{failed, today, lately}) {
		t.Errorf("got %v, want %v (settled: %s)", got, []uuid.UUID{failed, today, lately}, settled)
	}
}
