package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline/escalation"
	"vesper/pipeline/turnaround"
)

// EscalateEvery is how often rules are looked at.
const EscalateEvery = time.Minute

// escalateBatch is how many dictations are looked at in one transaction.
const escalateBatch = 2000

// applyRule is the name in the record of a rule that was carried out.
const applyRule access.Action = "escalation.apply"

// escalate looks at all that waits, with the rules of each practice. One process does it at a time; should two do it all the
// same, a unique key lets one of them carry out each rule.
func (k *Keeper) escalate(ctx context.Context) error {
	_, err := k.Worker.Store.Alone(ctx, "escalations", func(ctx context.Context) error {
		practices, err := k.Worker.Store.Practices(ctx)
		if err != nil {
			return err
		}
		for _, practice := range practices { // one that cannot be looked at does not hold up the others
			if e := k.escalatePractice(ctx, practice); e != nil {
				err = errors.Join(err, fmt.Errorf("practice %s: %w", practice, e))
			}
		}
		return err
	})
	return err
}

func (k *Keeper) escalatePractice(ctx context.Context, practice uuid.UUID) (failed error) {
	for after := uuid.Nil; ; {
		var hits []hit
		var seen int
		err := k.Worker.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) error {
			work, err := tx.WaitingWork(ctx, after, escalateBatch)
			if err != nil {
				return err
			}
			seen = len(work)
			if seen > 0 {
				after = work[seen-1].ID
			}
			hits, err = k.lookAt(ctx, tx, work)
			return err
		})
		if err != nil {
			return err
		}
		for _, h := range hits {
			if err := k.carryOut(ctx, practice, h); err != nil {
				failed = errors.Join(failed, fmt.Errorf("rule %s for dictation %s: %w", h.rule, h.dictation, err))
			}
		}
		if seen < escalateBatch || ctx.Err() != nil {
			return failed
		}
	}
}

// hit is a rule that holds for a dictation and was not carried out yet.
type hit struct {
	dictation uuid.UUID
	rule      string
}

// lookAt finds the rules that hold.
func (k *Keeper) lookAt(ctx context.Context, tx Tx, work []WaitingWork) ([]hit, error) {
	if len(work) == 0 {
		return nil, nil
	}
	j, err := judgeOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(work))
	for i, w := range work {
		ids[i] = w.ID
	}
	ways, err := tx.Ways(ctx, ids)
	if err != nil {
		return nil, err
	}
	done, err := tx.Escalated(ctx, ids)
	if err != nil {
		return nil, err
	}
	var hits []hit
	for _, w := range work {
		f := j.facts(w, ways[w.ID], k.now())
		for _, r := range j.set.Rules {
			if _, due := dueNow(r, w, f, done, k.now()); due {
				hits = append(hits, hit{w.ID, r.Name})
			}
		}
	}
	return hits, nil
}

// dueNow names what a rule is to do for a dictation now, if anything: the condition holds, it was not carried out yet or is to
// be again, and nobody at work keeps it back.
func dueNow(r escalation.Rule, w WaitingWork, f escalation.Facts, done map[RuleOn][]escalation.Done, now time.Time) (episode string, due bool) {
	episode, holds := r.When.Holds(f, now)
	if !holds || heldUp(r, w, now) {
		return "", false
	}
	return r.Next(episode, done[RuleOn{w.ID, r.Name}], now)
}

func (k *Keeper) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}

// judge is a practice's rules with its calendar.
type judge struct {
	set    escalation.Set
	number int
	rules  *turnaround.Rules
}

func judgeOf(ctx context.Context, tx Tx) (judge, error) {
	stored, err := tx.EscalationRules(ctx)
	if err != nil {
		return judge{}, err
	}
	source := stored.Source
	if source == "" {
		source = escalation.Default()
	}
	set, problems := escalation.Parse(source)
	if len(problems) > 0 { // they were checked when they were set
		return judge{}, fault.New(fault.Internal, "rules_unreadable", "The practice's escalation rules cannot be read. Set them anew.")
	}
	rules, err := rulesOf(ctx, tx)
	return judge{set, stored.Number, rules}, err
}

func (j judge) facts(w WaitingWork, way []StateChange, now time.Time) escalation.Facts {
	f := escalation.Facts{
		State: string(w.State), WorkType: w.WorkType, Priority: string(w.Priority), Due: w.DueAt, Clock: readClock(j.rules, w.Dictation, way, now),
		Calendar: j.rules.Calendar, Way: []escalation.Entered{{At: w.ReceivedAt, State: string(w.State)}},
	}
	if len(way) > 0 {
		f.Way[0].State = string(way[0].From)
	}
	for _, c := range way {
		f.Way = append(f.Way, escalation.Entered{At: c.At, State: string(c.To)})
	}
	if w.JobID != nil {
		f.Job, f.JobID = string(w.Job), w.JobID.String()
	}
	endedByPerson := w.Job == CodeCancelled || w.Job == CodeSuperseded // who knows of it already
	if w.DeliveryID != nil && !endedByPerson && (w.DeliveryRefused || f.Job == "dead" || f.Job == "quarantined") {
		f.Delivery, f.DeliveryID = "failed", w.DeliveryID.String()+" "+f.JobID
	}
	if w.ClaimID != nil && w.LastSign != nil {
		f.ClaimID, f.LastSign = w.ClaimID.String(), *w.LastSign
	}
	return f
}

// carryOut does what a rule says, in one transaction with the row that keeps it from being done twice and with its event.
// The condition is looked at again under the lock: somebody may have saved, sent or signed since.
func (k *Keeper) carryOut(ctx context.Context, practice uuid.UUID, h hit) error {
	return k.Worker.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) error {
		if _, err := tx.DictationForUpdate(ctx, h.dictation); err != nil {
			return err
		}
		w, err := tx.WaitingOne(ctx, h.dictation)
		if err != nil {
			return err
		}
		j, err := judgeOf(ctx, tx)
		if err != nil {
			return err
		}
		n := slices.IndexFunc(j.set.Rules, func(r escalation.Rule) bool { return r.Name == h.rule })
		if n < 0 {
			return nil // the rules were changed meanwhile
		}
		ways, err := tx.Ways(ctx, []uuid.UUID{w.ID})
		if err != nil {
			return err
		}
		before, err := tx.Escalated(ctx, []uuid.UUID{w.ID})
		if err != nil {
			return err
		}
		rule, now := j.set.Rules[n], k.now()
		episode, due := dueNow(rule, w, j.facts(w, ways[w.ID], now), before, now)
		if !due {
			return nil
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		fresh, err := tx.AddEscalation(ctx, Escalation{ID: id, DictationID: w.ID, Rule: rule.Name, Episode: episode, RulesNumber: j.number, At: now})
		if err != nil || !fresh {
			return err
		}
		c := carrier{tx: tx, w: w, rule: rule, id: id, now: now, practice: practice, zone: j.rules.Plan.Zone}
		for _, a := range assignmentsFirst(rule.Do) {
			if err := c.act(ctx, a); err != nil {
				return err
			}
		}
		detail := map[string]string{"rule": rule.Name, "rules": itoa(j.number), "did": strings.Join(c.did, ","), "told": itoa(c.told)}
		maps.Copy(detail, c.noted)
		return tx.Audit(ctx, done(access.SystemActor(practice), applyRule, w.ID, detail))
	})
}

// assignmentsFirst puts the choice of an editor before the rest: who is told in other roles too is told of it once, and then
// that the note is theirs.
func assignmentsFirst(do []escalation.Action) []escalation.Action {
	rank := func(a escalation.Action) int {
		if a.Reassign == escalation.ToEditor {
			return 0
		}
		return 1
	}
	out := slices.Clone(do)
	slices.SortStableFunc(out, func(a, b escalation.Action) int { return rank(a) - rank(b) })
	return out
}

// carrier carries out one rule.
type carrier struct {
	tx       Tx
	w        WaitingWork
	rule     escalation.Rule
	id       uuid.UUID // of the escalation
	now      time.Time
	practice uuid.UUID
	zone     string
	did      []string
	noted    map[string]string // more of what was done, for the record
	told     int
	persons  map[uuid.UUID]bool
}

func (c *carrier) act(ctx context.Context, a escalation.Action) error {
	switch {
	case len(a.Notify) > 0:
		c.did = append(c.did, "notify")
		for _, who := range a.Notify {
			if err := c.notify(ctx, who); err != nil {
				return err
			}
		}
		return nil
	case a.Raise != "" && c.w.Priority != Stat:
		c.did = append(c.did, "raise")
		due, err := DueAs(ctx, c.tx, c.w.ID, Stat, c.now)
		if err != nil {
			return err
		}
		c.w.Priority, c.w.DueAt = Stat, due
		return c.tx.Reprioritise(ctx, c.w.ID, Stat, due)
	case a.DueWithin.Given():
		at := c.now.Add(a.DueWithin.D()).UTC().Truncate(time.Microsecond)
		if !at.Before(c.w.DueAt) {
			return nil // it is due before that
		}
		c.did = append(c.did, "due")
		if err := c.tx.CapDue(ctx, c.w.ID, at); err != nil {
			return err
		}
		c.w.DueAt = at
		return c.tx.Reprioritise(ctx, c.w.ID, c.w.Priority, at)
	case a.Reassign == escalation.ToEditor && (c.w.State == Drafted || c.w.State == InReview):
		return c.reassign(ctx, a.To)
	case a.Reassign == escalation.Release && c.w.State == InReview:
		c.did = append(c.did, "release")
		return c.release(ctx)
	}
	return nil
}

// release gives a note back to the queue. All that its holder saved stays.
func (c *carrier) release(ctx context.Context) error {
	if err := c.tx.ReleaseClaim(ctx, c.w.ID, "escalated"); err != nil {
		return err
	}
	if err := c.tx.Move(ctx, c.w.ID, []State{InReview}, Drafted, c.w.Reason); err != nil {
		return err
	}
	c.w.State = Drafted
	return c.tx.Audit(ctx, done(access.SystemActor(c.practice), access.Release, c.w.ID, map[string]string{"why": "escalated", "rule": c.rule.Name}))
}

// notify tells one of the rule's recipients: people in the app, and by mail where they want it.
func (c *carrier) notify(ctx context.Context, who string) error {
	role, isRole := strings.CutPrefix(who, "role:")
	address, isMail := strings.CutPrefix(who, "mail:")
	switch {
	case who == "author":
		return c.tell(ctx, c.w.AuthorID)
	case who == "holder":
		if c.w.Holder == nil {
			return nil
		}
		return c.tell(ctx, *c.w.Holder)
	case who == "webhook":
		hooks, err := c.tx.Webhooks(ctx)
		if err != nil {
			return err
		}
		for _, h := range hooks {
			if err := c.send(ctx, Message{Channel: ByWebhook, WebhookID: &h.ID}, c.rule.Say); err != nil {
				return err
			}
		}
		return nil
	case isMail:
		return c.send(ctx, Message{Channel: ByMail, Address: address}, c.rule.Say)
	case isRole:
		people, err := c.tx.People(ctx, role)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := c.tell(ctx, p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *carrier) tell(ctx context.Context, person uuid.UUID) error {
	return c.tellSaying(ctx, person, c.rule.Say)
}

func (c *carrier) tellSaying(ctx context.Context, person uuid.UUID, say string) error {
	if c.persons[person] {
		return nil
	}
	p, err := c.tx.Person(ctx, person)
	if err != nil || p.Disabled {
		return err
	}
	if c.persons == nil {
		c.persons = map[uuid.UUID]bool{}
	}
	c.persons[person] = true
	c.told++
	if err := c.tx.InsertNotice(ctx, Notice{PersonID: person, EscalationID: c.id, DictationID: c.w.ID, Say: say}); err != nil {
		return err
	}
	s, err := c.tx.NoticeSettings(ctx, person)
	if err != nil || !s.ByMail {
		return err
	}
	return c.send(ctx, Message{Channel: ByMail, Address: s.Address}, say)
}

func (c *carrier) send(ctx context.Context, m Message, say string) error {
	m.EscalationID, m.DictationID = c.id, c.w.ID
	m.Content = Content{
		Rule: c.rule.Name, Say: say, DictationID: c.w.ID, State: c.w.State, Priority: c.w.Priority, WorkType: c.w.WorkType,
		DueAt: c.w.DueAt, Zone: c.zone, At: c.now.UTC().Truncate(time.Second),
	}
	return c.tx.InsertMessage(ctx, m)
}
