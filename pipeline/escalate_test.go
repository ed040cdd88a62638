package pipeline_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/ehr/sandbox"
	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/escalation"
)

// hookList allows any webhook whose address begins with https or is the test's own.
type hookList struct{}

func (hookList) Check(url string) error {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://127.0.0.1:") {
		return fault.New(fault.Invalid, "webhook_url", "no")
	}
	return nil
}

func (hookList) Secret(id uuid.UUID) string { return "whsec_" + id.String() }

func setRules(w *world, a access.Actor, _ uuid.UUID) error {
	return w.rules(a, "rules: [{name: any-stat, say: A STAT dictation is here., when: {priority: stat}, do: [notify: 'role:supervisor']}]")
}

func addAndRemoveWebhook(w *world, a access.Actor, _ uuid.UUID) error {
	h, _, err := w.svc.AddWebhook(context.Background(), w.as("supervisor"), "https://hooks.example/"+newID().String())
	if err != nil {
		return err
	}
	return w.svc.RemoveWebhook(context.Background(), a, h.ID)
}

// deadMessage is a message about a dictation that was given up.
func (w *world) deadMessage(about uuid.UUID) uuid.UUID {
	w.Helper()
	id, e := newID(), newID()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if _, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: e, DictationID: about, Rule: "a-rule", Episode: e.String()}); err != nil {
			return err
		}
		return tx.InsertMessage(ctx, pipeline.Message{ID: id, EscalationID: e, DictationID: about, Channel: pipeline.ByMail, Address: "x@practice.example"})
	})
	testkit.Exec(w, w.admin, `UPDATE messages SET state = 'dead', ended_at = now(), error_code = 'mail_refused' WHERE id = $1`, id)
	return id
}

// rules sets the practice's rules.
func (w *world) rules(a access.Actor, source string) error {
	e, err := w.svc.Escalations(context.Background(), w.as("supervisor"))
	if err != nil {
		return err
	}
	_, err = w.svc.SetEscalationRules(context.Background(), a, e.Rules.Number, source)
	return err
}

// look looks at all rules as if it were later.
func (w *world) look(later time.Duration) {
	w.Helper()
	w.keeper.Now = func() time.Time { return time.Now().Add(later) }
	w.must(w.keeper.EscalateOnce(context.Background()))
}

// told is what a person was told, the newest first.
func (w *world) told(who string) (out []string) {
	w.Helper()
	list, err := w.svc.Notices(context.Background(), w.as(who))
	w.must(err)
	for _, n := range list {
		out = append(out, n.Say)
	}
	return out
}

func stat(s *pipeline.Submission) { s.Priority = pipeline.Stat }

func TestARuleIsCarriedOutOnceForAllWhoAreToldAndIsOnRecord(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.drafted(stat)
	w.look(30 * time.Minute)
	if got := w.told("supervisor"); len(got) != 0 {
		t.Fatalf("told too early: %v", got)
	}
	before := w.count()
	for range 3 {
		w.look(61 * time.Minute) // of two hours
	}
	for who, want := range map[string]int{"supervisor": 1, "editor": 1, "second": 1, "physician": 0, "admin": 0} {
		if got := w.told(who); len(got) != want || want == 1 && got[0] != "Half of the time for a STAT note is used." {
			t.Errorf("%s was told %v", who, got)
		}
	}
	events := w.events(id)
	last := events[len(events)-1]
	if w.count() != before+1 || last.Action != "escalation.apply" || last.Detail["rule"] != "stat-half-used" || last.Detail["told"] != "3" || last.ActorRole != "system" {
		t.Errorf("%d events, the last %+v", w.count()-before, last)
	}
	n, err := w.svc.UnreadNotices(ctx, w.as("editor"))
	w.must(err)
	list, err := w.svc.Notices(ctx, w.as("editor"))
	w.must(err)
	if n != 1 || list[0].DictationID != id || list[0].WorkType != "progress" || list[0].State != pipeline.Drafted {
		t.Errorf("%d unread, %+v", n, list)
	}
	if err := w.svc.ReadNotices(ctx, w.as("second"), &list[0].ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("somebody else's notification: %v", err)
	}
	w.must(w.svc.ReadNotices(ctx, w.as("editor"), &list[0].ID))
	if n, _ := w.svc.UnreadNotices(ctx, w.as("editor")); n != 0 {
		t.Errorf("%d unread after reading", n)
	}
}

func TestTwoKeepersNeverTellTwice(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range 4 {
		w.drafted(stat)
	}
	var all sync.WaitGroup
	for range 4 {
		k := &pipeline.Keeper{Worker: w.worker, Settings: frozen, Log: w.keeper.Log, Now: func() time.Time { return time.Now().Add(90 * time.Minute) }}
		all.Go(func() { w.must(k.EscalateUnlocked(context.Background(), w.practice)) })
	}
	all.Wait()
	if got := w.told("supervisor"); len(got) != 4 {
		t.Errorf("told %d times of 4 dictations", len(got))
	}
	if n := testkit.Exec(t, w.admin, `SELECT FROM audit_events WHERE action = 'escalation.apply'`); n != 4 {
		t.Errorf("%d events", n)
	}
}

func TestOneKeeperLooksAtATime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.drafted(stat)
	held, err := w.work.Alone(context.Background(), "escalations", func(context.Context) error {
		w.look(90 * time.Minute)
		return nil
	})
	if err != nil || !held || len(w.told("supervisor")) != 0 {
		t.Errorf("the second looked too: %v, %v", held, err)
	}
	w.look(90 * time.Minute)
	if len(w.told("supervisor")) != 1 {
		t.Error("nobody looks after the first is done")
	}
}

func TestWhatCannotBeRecordedIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.drafted(stat)
	testkit.Exec(t, w.admin, `REVOKE INSERT ON audit_events FROM vesper_app`)
	w.keeper.Now = func() time.Time { return time.Now().Add(90 * time.Minute) }
	if err := w.keeper.EscalateOnce(context.Background()); err == nil {
		t.Error("no error")
	}
	if got := w.told("supervisor"); len(got) != 0 {
		t.Errorf("told %v of %s", got, id)
	}
	testkit.Exec(t, w.admin, `GRANT INSERT ON audit_events TO vesper_app`)
	w.look(90 * time.Minute)
	if got := w.told("supervisor"); len(got) != 1 {
		t.Errorf("later told %v", got)
	}
}

func TestNewRulesAreAboutWhatWaitsAlready(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.drafted()
	w.look(0)
	if got := w.told("supervisor"); len(got) != 0 {
		t.Fatalf("told %v", got)
	}
	w.must(w.rules(w.as("supervisor"), "rules: [{name: any-draft, say: A draft is here., when: {state: drafted}, do: [notify: 'role:supervisor']}]"))
	w.look(0)
	if got := w.told("supervisor"); len(got) != 1 || got[0] != "A draft is here." {
		t.Errorf("told %v", got)
	}
	err := w.rules(w.as("supervisor"), "rules: [{name: x, when: {}}]")
	wantFault(t, err, fault.Invalid, "rules_invalid")
	if p := fault.As(err).Public; !strings.Contains(p, "ine 1:") {
		t.Errorf("the problem is told as %q", p)
	}
	w.must(w.rules(w.as("supervisor"), ""))
	e, err := w.svc.Escalations(context.Background(), w.as("supervisor"))
	w.must(err)
	if e.Rules.Source != escalation.Default() || e.Rules.Number != 2 || len(e.Recent) != 1 || len(e.Set.Rules) < 10 {
		t.Errorf("back at the defaults: %+v", e)
	}
	_, err = w.svc.SetEscalationRules(context.Background(), w.as("supervisor"), 0, "")
	wantFault(t, err, fault.Conflict, "settings_changed")
}

func TestOverdueWorkIsRaisedAndGoesFirst(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	w.look(29 * time.Hour) // four hours and more after 24
	d, j := w.dictation(id), w.jobs(id)[0]
	if d.Priority != pipeline.Stat || j.Priority != pipeline.Stat || !d.DueAt.Equal(j.DueAt) {
		t.Errorf("dictation %s due %s, job %s due %s", d.Priority, d.DueAt, j.Priority, j.DueAt)
	}
	if got := w.told("supervisor"); len(got) != 2 {
		t.Errorf("told %v", got)
	}
	w.look(29 * time.Hour)
	if got := w.told("supervisor"); len(got) > 3 {
		t.Errorf("told again and again: %v", got)
	}
}

func TestADueTimeCanBeBroughtForward(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.must(w.rules(w.as("supervisor"), "rules: [{name: letters-today, say: Due within two hours., when: {work_type: progress}, do: [due_within: 2h]}]"))
	id := w.submit()
	w.look(0)
	d := w.dictation(id)
	if in := time.Until(d.DueAt); in > 2*time.Hour || in < 119*time.Minute {
		t.Errorf("due in %s", in)
	}
	w.setPlan(office())
	if again := w.dictation(id); again.DueAt.After(d.DueAt) {
		t.Errorf("the calendar put it off to %s", again.DueAt)
	}
}

func TestAHoldThatNobodyWorksOnIsGivenBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	testkit.Exec(t, w.admin, `UPDATE claims SET until = now() + interval '1 day' WHERE ended_at IS NULL`) // its page is open
	w.look(46 * time.Minute)
	if got := w.told("editor"); len(got) != 1 || !strings.Contains(got[0], "45 minutes") {
		t.Errorf("the holder was told %v", got)
	}
	w.wantState(id, pipeline.InReview)
	w.look(121 * time.Minute)
	w.wantState(id, pipeline.Drafted)
	if got := w.told("editor"); len(got) != 2 {
		t.Errorf("the holder was told %v", got)
	}
	if got := w.actions(id); !strings.HasSuffix(strings.Join(got, " "), "note.release done escalation.apply done") {
		t.Errorf("the record says %v", got)
	}
	_, err := w.svc.Claim(context.Background(), w.as("second"), id)
	w.must(err)
}

func TestSavingIsASignOfLife(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	testkit.Exec(t, w.admin, `UPDATE claims SET until = now() + interval '1 day' WHERE ended_at IS NULL`)
	testkit.Exec(t, w.admin, `SET session_replication_role = replica; UPDATE note_versions SET at = now() + interval '2 hours'`)
	w.look(121 * time.Minute)
	w.wantState(id, pipeline.InReview)
	if got := w.told("editor"); len(got) != 0 {
		t.Errorf("told %v", got)
	}
}

func TestPhysiciansAreToldWhatWaitsForThem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.awaiting()
	w.look(25 * time.Hour)
	if got := w.told("physician"); len(got) != 1 || !strings.Contains(got[0], "your signature") {
		t.Errorf("told %v", got)
	}
	if got := append(w.told("other"), w.told("supervisor")...); len(got) != 0 {
		t.Errorf("others were told %v", got)
	}
	w.look(73 * time.Hour)
	if got := w.told("supervisor"); len(got) != 1 {
		t.Errorf("the supervisor was told %v of %s", got, id)
	}
}

func TestStepsThatWereGivenUpAreBroughtToPeople(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.failed()
	w.look(0)
	for who, want := range map[string]int{"supervisor": 1, "admin": 1, "editor": 0} {
		if got := w.told(who); len(got) != want {
			t.Errorf("%s was told %v", who, got)
		}
	}
}

func TestARuleCanBeAboutWhatWasQuarantined(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.must(w.rules(w.as("supervisor"), "rules: [{name: poison, say: This broke the engine again and again., when: {job: quarantined}, do: [notify: 'role:admin']}, "+
		"{name: given-up, say: This was given up., when: {job: dead}, do: [notify: 'role:supervisor']}]"))
	w.failed()
	w.look(0)
	w.engine.set(func(context.Context, int) error { return crash() })
	poison := w.submit()
	for range 3 {
		w.drain()
		w.hurry()
	}
	w.quarantined(poison)
	w.look(0)
	for who, want := range map[string]int{"admin": 1, "supervisor": 2} {
		if got := w.told(who); len(got) != want {
			t.Errorf("%s was told %v", who, got)
		}
	}
}

func TestWhatAPersonCancelledIsNoFailure(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.must(w.rules(w.as("supervisor"), "rules: [{name: given-up, say: This was given up., when: {job: dead}, do: [notify: 'role:supervisor']}, "+
		"{name: poison, say: This broke the engine., when: {job: quarantined}, do: [notify: 'role:supervisor']}, "+
		"{name: undelivered, say: This is not delivered., when: {delivery: failed}, do: [notify: 'role:supervisor']}]"))
	w.must(w.svc.Cancel(ctx, w.as("admin"), w.signed(), "Not today."))
	w.must(w.svc.Cancel(ctx, w.as("admin"), w.submit(), "Not today."))
	w.look(0)
	if got := w.told("supervisor"); len(got) != 0 {
		t.Errorf("of what was cancelled people were told %v", got)
	}
	refused := w.signed()
	w.ehrFaults.set(always(sandbox.Fault{Refuse: http.StatusUnprocessableEntity}))
	w.drain()
	w.look(0)
	if got := w.told("supervisor"); len(got) != 2 {
		t.Errorf("of what failed people were told %v", got)
	}
	// The delivery is ordered again and cancelled: its row still says that the EHR refused it.
	w.must(w.svc.Rerun(ctx, w.as("admin"), refused, pipeline.DeliverJob, "Once more."))
	w.must(w.svc.Cancel(ctx, w.as("admin"), refused, "Not today."))
	w.look(0)
	if got := w.told("supervisor"); len(got) != 2 {
		t.Errorf("after it was cancelled people were told %v", got)
	}
}

func TestTheKeeperLooksByItself(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.failed()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.keeper.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	testkit.Until(t, 10*time.Second, "the supervisor is told", func() bool { return len(w.told("supervisor")) > 0 })
}
