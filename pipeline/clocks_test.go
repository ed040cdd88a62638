package pipeline_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/turnaround"
)

// planNumber is that of the newest plan.
func (w *world) planNumber() int {
	w.Helper()
	p, err := w.svc.TurnaroundPlan(context.Background(), w.as("supervisor"))
	w.must(err)
	return p.Number
}

// office is open on weekdays from eight to five in New York, with 4 hours for routine and 1 for STAT work.
func office() turnaround.Plan {
	p, day := turnaround.Always(), []string{"08:00-17:00"}
	p.Zone, p.Hours = "America/New_York", turnaround.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day}
	p.Targets = []turnaround.Target{{Priority: "routine", Hours: 4}, {Priority: "stat", Hours: 1}, {WorkType: "consult", Priority: "routine", Hours: 9}}
	return p
}

// setPlan sets a plan and says how many due times moved.
func (w *world) setPlan(p turnaround.Plan) int {
	w.Helper()
	moved, err := w.svc.SetTurnaroundPlan(context.Background(), w.as("supervisor"), w.planNumber(), p)
	w.must(err)
	return moved
}

// newYork reads a time as the clocks of the practice show it.
func newYork(t testing.TB, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// receivedAt lets the service believe that it is some other time.
func (w *world) receivedAt(at time.Time) {
	w.svc.Now = func() time.Time { return at }
}

// putBack moves a step of a dictation's way, and all before it, into the past.
func (w *world) putBack(id uuid.UUID, hours string) {
	w.Helper()
	testkit.Exec(w, w.admin, `SET session_replication_role = replica; UPDATE state_changes SET at = at - interval '`+hours+` hours' WHERE dictation_id = '`+id.String()+
		`'; UPDATE dictations SET received_at = received_at - interval '`+hours+` hours', due_at = due_at - interval '`+hours+` hours' WHERE id = '`+id.String()+`'`)
}

func TestWhatIsReceivedIsDueByThePracticesCalendar(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.setPlan(office())
	friday := newYork(t, "2026-11-27 16:00")
	w.receivedAt(friday)
	for _, c := range []struct {
		priority pipeline.Priority
		kind     string
		due      string
	}{{pipeline.Routine, "progress", "2026-11-30 11:00"}, {pipeline.Stat, "progress", "2026-11-27 17:00"}, {pipeline.Routine, "consult", "2026-11-30 16:00"}} {
		id := w.submit(func(s *pipeline.Submission) { s.Priority, s.WorkType = c.priority, c.kind })
		d := w.dictation(id)
		if want := newYork(t, c.due); !d.DueAt.Equal(want) || !w.jobs(id)[0].DueAt.Equal(want) {
			t.Errorf("%s %s is due %s, its job %s, want %s", c.priority, c.kind, d.DueAt, w.jobs(id)[0].DueAt, want)
		}
	}
}

func TestAChangedCalendarMovesWhatWaitsAndLeavesWhatIsSigned(t *testing.T) {
	t.Parallel()
	w := setup(t)
	signed := w.signed()
	w.receivedAt(newYork(t, "2026-11-27 16:00"))
	waiting := w.submit()
	before := w.dictation(signed).DueAt
	if moved := w.setPlan(office()); moved != 1 {
		t.Errorf("%d due times moved", moved)
	}
	want := newYork(t, "2026-11-30 11:00")
	if d := w.dictation(waiting); !d.DueAt.Equal(want) || !w.jobs(waiting)[0].DueAt.Equal(want) {
		t.Errorf("due %s, want %s", d.DueAt, want)
	}
	if after := w.dictation(signed).DueAt; !after.Equal(before) {
		t.Errorf("the signed note was due %s and is due %s", before, after)
	}
	if moved := w.setPlan(office()); moved != 0 {
		t.Errorf("the same plan moves %d", moved)
	}
	_, err := w.svc.SetTurnaroundPlan(context.Background(), w.as("supervisor"), 0, office())
	wantFault(t, err, fault.Conflict, "settings_changed")
	bad := office()
	bad.Targets = append(bad.Targets, turnaround.Target{WorkType: "poem", Priority: "stat", Hours: 1})
	_, err = w.svc.SetTurnaroundPlan(context.Background(), w.as("supervisor"), w.planNumber(), bad)
	wantFault(t, err, fault.Invalid, "turnaround_targets")
}

// What is received while the calendar changes must not keep a due time of the old one.
func TestNothingIsReceivedByACalendarThatIsOver(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.receivedAt(newYork(t, "2026-11-27 16:00"))
	var all sync.WaitGroup
	ids := make([]uuid.UUID, 8)
	for i := range ids {
		all.Go(func() { ids[i] = w.submit() })
	}
	w.setPlan(office())
	all.Wait()
	for _, id := range ids {
		if d := w.dictation(id); !d.DueAt.Equal(newYork(t, "2026-11-30 11:00")) {
			t.Errorf("due %s", d.DueAt)
		}
	}
}

func TestThePhysiciansTimeIsCountedApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	due := w.dictation(id).DueAt
	w.putBack(id, "5") // it has waited for the physician for five hours
	w.must(w.svc.Return(ctx, w.as("physician"), id, "Please hear the plan again."))
	if got := w.dictation(id).DueAt; got.Sub(due).Abs() > time.Minute {
		t.Errorf("due %s, want %s: what waited for the physician is not the practice's", got, due)
	}
	card, err := w.svc.Card(ctx, w.as("supervisor"), id)
	w.must(err)
	r := card.Clock
	if r.Paused < 5*time.Hour || r.Paused > 5*time.Hour+time.Minute || r.Used > time.Minute || r.Phase != turnaround.Running {
		t.Errorf("the clock shows %+v", r)
	}
	if (r.Allowed - 24*time.Hour).Abs() > time.Second {
		t.Errorf("allowed are %s", r.Allowed)
	}
	cards, err := w.svc.Cards(ctx, w.as("supervisor"), pipeline.Filter{})
	w.must(err)
	if got := cards[0].Clock; got.Paused < 5*time.Hour || got.Allowed != r.Allowed {
		t.Errorf("in the list the clock shows %+v", got)
	}
}

func TestAnotherWorkTypeHasAnotherDueTime(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.setPlan(office())
	w.receivedAt(newYork(t, "2026-11-27 16:00"))
	id := w.submit()
	w.svc.Now = time.Now
	w.drain()
	_, err := w.svc.Claim(context.Background(), w.as("editor"), id)
	w.must(err)
	w.must(w.svc.Bind(context.Background(), w.as("editor"), id, &w.patient.ID, nil, "consult"))
	if d := w.dictation(id); !d.DueAt.Equal(newYork(t, "2026-11-30 16:00")) {
		t.Errorf("due %s", d.DueAt)
	}
}

func TestWhatIsRaisedIsDueAfterTheTimeOfStatWork(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	now := time.Now().UTC()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		due, err := pipeline.DueAs(ctx, tx, id, pipeline.Stat, now)
		w.must(err)
		if due.Sub(now).Round(time.Second) != 2*time.Hour {
			t.Errorf("as STAT it would be due in %s", due.Sub(now))
		}
		return tx.Reprioritise(ctx, id, pipeline.Stat, due)
	})
	if j := w.jobs(id)[0]; j.Priority != pipeline.Stat {
		t.Errorf("its job is %s", j.Priority)
	}
	before := w.dictation(id).DueAt
	w.setPlan(turnaround.Always()) // counts everything anew
	if after := w.dictation(id).DueAt; after.Sub(before).Abs() > time.Second {
		t.Errorf("counted anew it is due %s, it was %s", after, before)
	}
}

func TestTheReportCountsByWorkTypeAndPriority(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	w.signed()
	slow := w.signed()
	testkit.Exec(t, w.admin, `UPDATE dictations SET received_at = received_at - interval '30 hours', due_at = due_at - interval '30 hours' WHERE id = $1`, slow)
	late := w.submit(func(s *pipeline.Submission) { s.Priority = pipeline.Stat })
	testkit.Exec(t, w.admin, `UPDATE dictations SET due_at = now() - interval '1 hour' WHERE id = $1`, late)
	r, err := w.svc.TurnaroundReport(ctx, w.as("supervisor"), time.Time{}, time.Time{})
	w.must(err)
	if len(r.Lines) != 2 || r.All.Received != 3 || r.All.Signed != 2 || r.Partly {
		t.Fatalf("report %+v", r)
	}
	stat, routine := r.Lines[0], r.Lines[1]
	if stat.Priority != pipeline.Stat || stat.Open != 1 || stat.Overdue != 1 || stat.Signed != 0 {
		t.Errorf("stat %+v", stat)
	}
	if routine.Signed != 2 || routine.ReadyOnTime != 1 || routine.OnTime() != 0.5 || routine.Median > time.Minute || routine.P90.Round(time.Hour) != 30*time.Hour {
		t.Errorf("routine %+v", routine)
	}
	for _, span := range [][2]time.Time{{time.Now(), time.Now().Add(-time.Hour)}, {time.Now().AddDate(-2, 0, 0), time.Now()}} {
		_, err := w.svc.TurnaroundReport(ctx, w.as("supervisor"), span[0], span[1])
		wantFault(t, err, fault.Invalid, "report_span")
	}
	_, err = w.svc.TurnaroundReport(ctx, w.as("editor"), time.Time{}, time.Time{})
	wantFault(t, err, fault.Forbidden, "forbidden")
}
