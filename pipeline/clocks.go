package pipeline

import (
	"context"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes/templates"
	"vesper/pipeline/turnaround"
)

// ClockTx is the practice's calendar and the clocks that run on it.
type ClockTx interface {
	// TurnaroundPlan returns the newest plan of the practice, or nil.
	TurnaroundPlan(ctx context.Context) (*StoredPlan, error)
	// HoldTurnaroundPlan keeps the plan as it is until the transaction ends. Whoever sets a due time by it does so first.
	HoldTurnaroundPlan(ctx context.Context) error
	// AddTurnaroundPlan makes a plan the newest one. Whoever wants to hold the plan meanwhile waits for the end of this
	// transaction, so that no due time is set by the old one afterwards.
	AddTurnaroundPlan(ctx context.Context, p turnaround.Plan, by uuid.UUID) (int, error)
	// Ways lists the changes of state of several dictations, oldest first.
	Ways(ctx context.Context, dictations []uuid.UUID) (map[uuid.UUID][]StateChange, error)
	// Clocked lists the dictations whose clock still runs: neither signed nor rejected.
	Clocked(ctx context.Context) ([]Clocked, error)
	// ClockedOne is one of them, in whatever state.
	ClockedOne(ctx context.Context, dictation uuid.UUID) (Clocked, error)
	// SetDue sets due times of dictations and of their jobs that have not ended.
	SetDue(ctx context.Context, due map[uuid.UUID]time.Time) error
	// CapDue remembers a due time that is not to be put off by the calendar.
	CapDue(ctx context.Context, dictation uuid.UUID, at time.Time) error
	// TurnaroundCases lists what was received in a time, at most limit, the newest.
	TurnaroundCases(ctx context.Context, from, to time.Time, limit int) ([]TurnaroundCase, error)
}

// StoredPlan is a plan of turn-around as it was set.
type StoredPlan struct {
	Plan   turnaround.Plan
	Number int
	SetBy  string // name
	SetAt  time.Time
}

// Clocked is a dictation with what its clock depends on.
type Clocked struct {
	Dictation
	RaisedAt *time.Time // when it became stat; nil: it was received as what it is
	DueCap   *time.Time // the latest due time, where a rule brought it forward
}

// TurnaroundCase is one dictation for the report.
type TurnaroundCase struct {
	Dictation
	SignedAt *time.Time // nil: not signed
}

// phases says for each state in whose hands a dictation is; states that are not listed are the practice's.
var phases = map[State]turnaround.Phase{
	AwaitingSignature: turnaround.Waiting,
	Rejected:          turnaround.Waiting, // its author must dictate it again, or somebody takes it up
	Signed:            turnaround.Over,
	Delivered:         turnaround.Over,
}

func phase(s State) turnaround.Phase {
	if p, ok := phases[s]; ok {
		return p
	}
	return turnaround.Running
}

// steps makes the phases of a dictation from its way.
func steps(d Dictation, way []StateChange) []turnaround.Step {
	first := d.State
	if len(way) > 0 {
		first = way[0].From
	}
	out := []turnaround.Step{{At: d.ReceivedAt, Phase: phase(first)}}
	for _, c := range way {
		if p := phase(c.To); p != out[len(out)-1].Phase {
			out = append(out, turnaround.Step{At: c.At, Phase: p})
		}
	}
	return out
}

// rulesOf are the practice's rules of turn-around; without any of its own all hours count.
func rulesOf(ctx context.Context, tx Tx) (*turnaround.Rules, error) {
	stored, err := tx.TurnaroundPlan(ctx)
	if err != nil {
		return nil, err
	}
	plan := turnaround.Always()
	if stored != nil {
		plan = stored.Plan
	}
	return plan.Compile()
}

// heldRulesOf are the same, for setting due times by them.
func heldRulesOf(ctx context.Context, tx Tx) (*turnaround.Rules, error) {
	if err := tx.HoldTurnaroundPlan(ctx); err != nil {
		return nil, err
	}
	return rulesOf(ctx, tx)
}

// allowedTime is the turn-around of a kind of document.
func allowedTime(r *turnaround.Rules, workType string, p Priority) (time.Duration, turnaround.Clock) {
	usual := 24 * time.Hour
	if tpl, err := templates.Find(workType); err == nil {
		if usual = tpl.TurnAround.Routine; p == Stat {
			usual = tpl.TurnAround.Stat
		}
	}
	return r.Allowed(workType, string(p), usual)
}

// dueBy is when a dictation is due: its turn-around after receipt, without the time that waited for the physician. One that
// was raised to stat is due when the time of stat work since then is over, or by its old time where that is earlier.
func dueBy(r *turnaround.Rules, c Clocked, way []StateChange) time.Time {
	p := c.Priority
	if c.RaisedAt != nil {
		p = Routine
	}
	allowed, clock := allowedTime(r, c.WorkType, p)
	due := turnaround.Due(steps(c.Dictation, way), allowed, clock)
	if c.RaisedAt != nil {
		allowed, clock = allowedTime(r, c.WorkType, Stat)
		due = earlier(due, clock.Add(*c.RaisedAt, allowed))
	}
	if c.DueCap != nil {
		due = earlier(due, *c.DueCap)
	}
	return due.UTC().Truncate(time.Microsecond) // as PostgreSQL keeps it
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// dueAtReceipt is the due time of what was just received.
func dueAtReceipt(ctx context.Context, tx Tx, d Dictation) (time.Time, error) {
	r, err := heldRulesOf(ctx, tx)
	if err != nil {
		return time.Time{}, err
	}
	return dueBy(r, Clocked{Dictation: d}, nil), nil
}

// DueAs is when a dictation would be due had it this priority from now on.
func DueAs(ctx context.Context, tx Tx, dictation uuid.UUID, p Priority, now time.Time) (time.Time, error) {
	r, err := heldRulesOf(ctx, tx)
	if err != nil {
		return time.Time{}, err
	}
	c, err := tx.ClockedOne(ctx, dictation)
	if err != nil {
		return time.Time{}, err
	}
	way, err := tx.Ways(ctx, []uuid.UUID{dictation})
	if err != nil {
		return time.Time{}, err
	}
	switch p {
	case c.Priority:
	case Stat:
		c.RaisedAt = &now
	default:
		c.RaisedAt, c.DueCap = nil, nil
	}
	c.Priority = p
	return dueBy(r, c, way[dictation]), nil
}

// moveDue sets the due time anew after a dictation came back from its author: the time in between was not the practice's.
func moveDue(ctx context.Context, tx Tx, dictation uuid.UUID) error {
	c, err := tx.ClockedOne(ctx, dictation)
	if err != nil {
		return err
	}
	r, err := heldRulesOf(ctx, tx)
	if err != nil {
		return err
	}
	way, err := tx.Ways(ctx, []uuid.UUID{dictation})
	if err != nil {
		return err
	}
	if due := dueBy(r, c, way[dictation]); !due.Equal(c.DueAt) {
		return tx.SetDue(ctx, map[uuid.UUID]time.Time{dictation: due})
	}
	return nil
}

// moveAllDue sets the due times of all that is not signed by these rules, and says how many changed.
func moveAllDue(ctx context.Context, tx Tx, r *turnaround.Rules) (int, error) {
	open, err := tx.Clocked(ctx)
	if err != nil {
		return 0, err
	}
	ids := make([]uuid.UUID, len(open))
	for i, c := range open {
		ids[i] = c.ID
	}
	ways, err := tx.Ways(ctx, ids)
	if err != nil {
		return 0, err
	}
	due := map[uuid.UUID]time.Time{}
	for _, c := range open {
		if at := dueBy(r, c, ways[c.ID]); !at.Equal(c.DueAt) {
			due[c.ID] = at
		}
	}
	return len(due), tx.SetDue(ctx, due)
}

// readClocks puts on each card what its clock shows.
func readClocks(ctx context.Context, tx Tx, now time.Time, cards []Card) error {
	if len(cards) == 0 {
		return nil
	}
	r, err := rulesOf(ctx, tx)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(cards))
	for i, c := range cards {
		ids[i] = c.ID
	}
	ways, err := tx.Ways(ctx, ids)
	if err != nil {
		return err
	}
	for i, c := range cards {
		cards[i].Clock = readClock(r, c.Dictation, ways[c.ID], now)
	}
	return nil
}

// readClock is what the clock of one dictation shows. Allowed is what the due time of the row allows, so that the two say the
// same whatever became of priority and calendar since.
func readClock(r *turnaround.Rules, d Dictation, way []StateChange, now time.Time) turnaround.Reading {
	_, clock := allowedTime(r, d.WorkType, d.Priority)
	s := steps(d, way)
	return turnaround.Read(s, now, turnaround.AllowedBy(s, d.DueAt, clock), clock)
}

// TurnaroundPlan is the practice's calendar and turn-around; number 0 means that it has set none.
func (s *Service) TurnaroundPlan(ctx context.Context, actor access.Actor) (StoredPlan, error) {
	out := StoredPlan{Plan: turnaround.Always()}
	err := s.inTx(ctx, actor, access.ReadTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ReadTurnaround, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		stored, err := tx.TurnaroundPlan(ctx)
		if stored != nil {
			out = *stored
		}
		return err
	})
	return out, err
}

// SetTurnaroundPlan changes calendar and turn-around, and with them the due times of all that is not signed yet. number is
// that of the plan the change is based on.
func (s *Service) SetTurnaroundPlan(ctx context.Context, actor access.Actor, number int, p turnaround.Plan) (moved int, err error) {
	err = s.inTx(ctx, actor, access.ManageTurnaround, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ManageTurnaround, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		rules, err := p.Compile()
		if err != nil {
			return err
		}
		if err := knownWorkTypes(p); err != nil {
			return err
		}
		got, err := tx.AddTurnaroundPlan(ctx, p, actor.ID)
		if err != nil {
			return err
		}
		if got != number+1 {
			return changedMeanwhile()
		}
		if moved, err = moveAllDue(ctx, tx, rules); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageTurnaround, "practice", actor.PracticeID, "done", map[string]string{
			"change": "plan", "number": itoa(got), "moved": itoa(moved),
		}))
	})
	if err == nil {
		s.Kick()
	}
	return moved, err
}

func changedMeanwhile() error {
	return fault.New(fault.Conflict, "settings_changed", "Somebody changed these settings meanwhile. Reload the page and repeat your change.")
}

func knownWorkTypes(p turnaround.Plan) error {
	for _, t := range p.Targets {
		if tpl, err := templates.Find(t.WorkType); t.WorkType != "" && (err != nil || tpl.Key != t.WorkType) {
			return fault.New(fault.Invalid, "turnaround_targets", "There is no work type "+t.WorkType+". Use the key of one of your kinds of document.")
		}
	}
	return nil
}
