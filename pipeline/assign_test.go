package pipeline_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
)

// giving is a rule that gives notes of these states to somebody.
func giving(states, to string, more ...string) string {
	return fmt.Sprintf("rules: [{name: give, say: A note waits for an editor., when: {state: [%s]}, do: [{reassign: editor, to: %s%s}]}]", states, to, strings.Join(more, ""))
}

// queue is what an editor's queue shows, in its order.
func (w *world) queue(who string) (out []pipeline.Card) {
	w.Helper()
	actor := w.as(who)
	out, err := w.svc.Cards(context.Background(), actor, pipeline.Filter{States: []pipeline.State{pipeline.Drafted, pipeline.InReview}, ForEditor: &actor.ID})
	w.must(err)
	return out
}

// assigned is to whom a note is assigned, by name; "" for nobody.
func (w *world) assigned(id uuid.UUID) string {
	w.Helper()
	c, err := w.svc.Card(context.Background(), w.as("supervisor"), id)
	w.must(err)
	return c.Assignee
}

func TestANoteIsGivenToTheEditorWithTheLeastInHand(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	held, first, second := w.reviewed(), w.drafted(), w.drafted()
	w.must(w.rules(w.as("supervisor"), giving("drafted", "least-loaded")))
	w.look(0)
	// The first editor holds one: the second gets one, and then the logins decide.
	var to []string
	for _, id := range []uuid.UUID{first, second} {
		to = append(to, w.assigned(id))
	}
	slices.Sort(to)
	want := []string{w.people["editor"].Name, w.people["second"].Name}
	slices.Sort(want)
	if !slices.Equal(to, want) {
		t.Fatalf("assigned to %v, want %v", to, want)
	}
	var mine uuid.UUID
	for _, id := range []uuid.UUID{first, second} {
		if w.assigned(id) == w.people["second"].Name {
			mine = id
		}
	}
	if got := w.told("second"); len(got) != 1 || got[0] != "A note waits for an editor. It is assigned to you." {
		t.Errorf("told %v", got)
	}
	if action, detail := w.lastEvent(mine); action != "escalation.apply" || detail["did"] != "assign" || detail["chosen"] != "least-loaded" || detail["editor"] != w.people["second"].ID.String() {
		t.Errorf("%s %v", action, detail)
	}

	// It is at the head of that queue, stands in the other one too, and is kept for its editor.
	if q := w.queue("second"); q[0].ID != mine || q[0].AssignedTo == nil || *q[0].AssignedTo != w.people["second"].ID {
		t.Errorf("the queue begins with %+v", q[0])
	}
	if q := w.queue("editor"); !slices.ContainsFunc(q, func(c pipeline.Card) bool { return c.ID == mine }) || len(q) != 3 {
		t.Errorf("the other editor sees %d", len(q))
	}
	_, err := w.svc.Claim(ctx, w.as("editor"), mine)
	wantFault(t, err, fault.Conflict, "assigned")
	if p := fault.As(err).Public; !strings.Contains(p, w.people["second"].Name) || !strings.Contains(p, "30 more minutes") {
		t.Errorf("refused with %q", p)
	}
	w.wantState(mine, pipeline.Drafted)
	_, err = w.svc.Claim(ctx, w.as("second"), mine)
	w.must(err)
	w.must(w.svc.Release(ctx, w.as("second"), mine)) // given back, it is anybody's
	_, err = w.svc.Claim(ctx, w.as("editor"), mine)
	w.must(err)
	w.wantState(held, pipeline.InReview)
}

func TestAnAssignedNoteIsAnybodysAfterAWhileAndASupervisorsAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	one, two := w.drafted(), w.drafted()
	w.must(w.rules(w.as("supervisor"), giving("drafted", "second")))
	w.look(0)
	if q := w.queue("second"); len(q) != 2 || q[0].AssignedTo == nil {
		t.Errorf("the editor's queue: %+v", q)
	}
	_, err := w.svc.Claim(ctx, w.as("supervisor"), one)
	w.must(err)
	_, err = w.svc.Claim(ctx, w.as("editor"), two)
	wantFault(t, err, fault.Conflict, "assigned")
	testkit.Exec(t, w.admin, `UPDATE assignments SET until = now()`)
	if to := w.assigned(two); to != "" {
		t.Errorf("still kept for %s", to)
	}
	_, err = w.svc.Claim(ctx, w.as("editor"), two)
	w.must(err)
}

func TestANoteOfSomebodyWhoIsAwayIsGivenToAnother(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	testkit.Exec(t, w.admin, `UPDATE claims SET until = now() + interval '1 day' WHERE ended_at IS NULL`) // its page is open
	version := w.newest(id).Number
	w.must(w.rules(w.as("supervisor"), giving("in_review", "least-loaded")))
	w.look(14 * time.Minute)
	w.wantState(id, pipeline.InReview)
	if got := w.told("second"); len(got) != 0 {
		t.Fatalf("told of a note that somebody works on: %v", got)
	}
	w.look(16 * time.Minute)
	w.wantState(id, pipeline.Drafted)
	if to := w.assigned(id); to != w.people["second"].Name {
		t.Errorf("it went to %q", to)
	}
	if got := strings.Join(w.actions(id), " "); !strings.HasSuffix(got, "note.release done escalation.apply done") {
		t.Errorf("the record says %s", got)
	}
	if n := w.newest(id).Number; n != version {
		t.Errorf("version %d became %d", version, n)
	}
	_, err := w.svc.Claim(ctx, w.as("editor"), id) // the page that is still open renews its hold
	wantFault(t, err, fault.Conflict, "assigned")
}

func TestOnlyARuleThatSaysSoInterruptsSomebodyAtWork(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	w.must(w.rules(w.as("supervisor"), giving("in_review", "second", ", interrupt: true")))
	w.look(0)
	w.wantState(id, pipeline.Drafted)
	if to := w.assigned(id); to != w.people["second"].Name {
		t.Errorf("it went to %q", to)
	}
}

func TestWhoHoldsANoteAndIsNamedKeepsIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.reviewed()
	testkit.Exec(t, w.admin, `UPDATE claims SET until = now() + interval '1 day' WHERE ended_at IS NULL`)
	w.must(w.rules(w.as("supervisor"), giving("in_review", "editor")))
	w.look(time.Hour)
	w.wantState(id, pipeline.InReview)
	if got := w.told("editor"); len(got) != 1 || !strings.HasSuffix(got[0], "You hold it.") {
		t.Errorf("told %v", got)
	}
}

func TestANamedEditorMustExistAndIsReplacedWhenTheAccountIsClosed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	supervisor := w.as("supervisor")
	for _, nobody := range []string{"nobody", "physician"} {
		err := w.rules(supervisor, giving("drafted", nobody))
		wantFault(t, err, fault.Invalid, "rules_invalid")
		if p := fault.As(err).Public; !strings.Contains(p, "ine 1:") || !strings.Contains(p, nobody) {
			t.Errorf("told %q", p)
		}
	}
	w.must(w.rules(supervisor, giving("drafted", "SECOND")))
	w.must(w.svc.SetPersonDisabled(context.Background(), w.as("admin"), w.people["second"].ID, true))
	wantFault(t, w.rules(supervisor, giving("drafted", "second")), fault.Invalid, "rules_invalid")
	id := w.drafted()
	w.look(0)
	if to := w.assigned(id); to != w.people["editor"].Name {
		t.Errorf("it went to %q", to)
	}
	if _, detail := w.lastEvent(id); !strings.Contains(detail["chosen"], "account is closed") {
		t.Errorf("the record says %v", detail)
	}
	// An assignment to an account that is closed later shuts nobody out, and without any editor nothing is given away.
	w.must(w.svc.SetPersonDisabled(context.Background(), w.as("admin"), w.people["editor"].ID, true))
	if to := w.assigned(id); to != "" {
		t.Errorf("still kept for %q", to)
	}
	late := w.drafted()
	w.look(0)
	if _, detail := w.lastEvent(late); !strings.HasPrefix(detail["chosen"], "nobody") || w.assigned(late) != "" {
		t.Errorf("the record says %v", detail)
	}
}

func TestARuleIsCarriedOutAgainWhileItHolds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.must(w.rules(w.as("supervisor"), "rules: [{name: waits, say: A draft waits., when: {state: drafted}, again: 4h, do: [notify: 'role:supervisor']}]"))
	id := w.drafted()
	for i, step := range []struct {
		after time.Duration
		told  int
	}{{0, 1}, {3 * time.Hour, 1}, {4 * time.Hour, 2}, {4*time.Hour + time.Minute, 2}, {8*time.Hour + time.Minute, 3}} {
		w.look(step.after)
		w.look(step.after) // a second look, as after a restart
		if got := w.told("supervisor"); len(got) != step.told {
			t.Fatalf("step %d: told %d times, want %d", i, len(got), step.told)
		}
	}
	_, err := w.svc.Claim(context.Background(), w.as("editor"), id)
	w.must(err)
	w.look(20 * time.Hour)
	if got := w.told("supervisor"); len(got) != 3 {
		t.Errorf("told %d times after it was over", len(got))
	}
}
