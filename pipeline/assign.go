package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline/escalation"
)

// AssignTx is which notes are offered to one editor first.
type AssignTx interface {
	// Assign offers a dictation to an editor until a time, in place of whom it was offered to before.
	Assign(ctx context.Context, a Assignment) error
	// AssignmentOf returns the one that holds now, or nil. That of a closed account does not hold.
	AssignmentOf(ctx context.Context, dictation uuid.UUID) (*Assignment, error)
	// EndAssignment ends it, if there is one, and says why ("claimed", "replaced").
	EndAssignment(ctx context.Context, dictation uuid.UUID, why string) error
	// EditorLoads lists the practice's editors whose accounts are open, the one with the least in hand first, ties by login.
	EditorLoads(ctx context.Context) ([]EditorLoad, error)
}

// Assignment is a dictation that is offered to one editor first.
type Assignment struct {
	ID           uuid.UUID
	DictationID  uuid.UUID
	PersonID     uuid.UUID
	PersonName   string    // read only
	EscalationID uuid.UUID // by which it was decided
	Until        time.Time // from then on anybody may take it
}

// EditorLoad is an editor with the number of notes in hand: held, or assigned and not taken yet.
type EditorLoad struct {
	ID    uuid.UUID
	Login string
	Load  int
}

const (
	// AssignmentLead is how long an assigned note is kept for its editor before anybody may take it.
	AssignmentLead = 30 * time.Minute
	// atWork is how recently somebody took or saved a note who is taken to be at work on it. The editor's page saves two
	// seconds after a change.
	atWork = 15 * time.Minute
)

// offered refuses an editor a note that is kept for another one. Supervisors may take any.
func offered(ctx context.Context, tx Tx, actor access.Actor, id uuid.UUID) error {
	a, err := tx.AssignmentOf(ctx, id)
	if err != nil || a == nil || a.PersonID == actor.ID || actor.Role != access.Editor {
		return err
	}
	wait := max(1, int(math.Ceil(time.Until(a.Until).Minutes())))
	return fault.New(fault.Conflict, "assigned", fmt.Sprintf(
		"This note is assigned to %s and kept for them for up to %s. Take another one, or ask a supervisor.", a.PersonName, minutes(wait)))
}

func minutes(n int) string {
	if n == 1 {
		return "1 more minute"
	}
	return fmt.Sprintf("%d more minutes", n)
}

// knownEditors refuses rules that name an editor who is none, or whose account is closed.
func knownEditors(ctx context.Context, tx Tx, source string, set escalation.Set) error {
	if !set.NamesEditors() {
		return nil
	}
	editors, err := tx.EditorLoads(ctx)
	if err != nil {
		return err
	}
	problems := escalation.CheckEditors(source, set, func(login string) bool { return byLogin(editors, login) >= 0 })
	if len(problems) > 0 {
		return rulesInvalid(problems)
	}
	return nil
}

func byLogin(editors []EditorLoad, login string) int {
	return slices.IndexFunc(editors, func(e EditorLoad) bool { return strings.EqualFold(e.Login, login) })
}

// heldUp reports whether a rule waits because somebody is at work on the note.
func heldUp(r escalation.Rule, w WaitingWork, now time.Time) bool {
	return w.State == InReview && w.LastSign != nil && now.Sub(*w.LastSign) < atWork && r.Waits()
}

// How an editor was chosen, for the record.
const (
	chosenByName = "named"
	chosenByLoad = "least-loaded"
	chosenInLieu = "least-loaded, the named editor's account is closed" // or is no editor's any more
	chosenNobody = "nobody: no editor's account is open"
)

// choose finds whom a note goes to. Whoever holds it now gets it only when named, or when there is nobody else.
func (c *carrier) choose(ctx context.Context, to string) (editor *uuid.UUID, how string, err error) {
	editors, err := c.tx.EditorLoads(ctx)
	if err != nil || len(editors) == 0 {
		return nil, chosenNobody, err
	}
	how = chosenByLoad
	if to != escalation.LeastLoaded {
		if n := byLogin(editors, to); n >= 0 {
			return &editors[n].ID, chosenByName, nil
		}
		how = chosenInLieu
	}
	if len(editors) > 1 && c.w.Holder != nil && editors[0].ID == *c.w.Holder {
		editors = editors[1:]
	}
	return &editors[0].ID, how, nil
}

// reassign gives a note to an editor: the hold of another one ends, and it is offered to this one first. What was saved
// stays, and what is not saved yet stays in its editor's window.
func (c *carrier) reassign(ctx context.Context, to string) error {
	editor, how, err := c.choose(ctx, to)
	if err != nil {
		return err
	}
	c.note("chosen", how)
	if editor == nil {
		return nil // it stays where it is: there is nobody to give it to
	}
	c.note("editor", editor.String())
	if c.w.Holder != nil && *c.w.Holder == *editor {
		c.did = append(c.did, "keep")
		return c.tellSaying(ctx, *editor, c.rule.Say+" You hold it.")
	}
	if c.w.State == InReview {
		c.did = append(c.did, "release")
		if err := c.release(ctx); err != nil {
			return err
		}
	}
	c.did = append(c.did, "assign")
	until := c.now.Add(AssignmentLead).UTC().Truncate(time.Microsecond)
	if err := c.tx.Assign(ctx, Assignment{DictationID: c.w.ID, PersonID: *editor, EscalationID: c.id, Until: until}); err != nil {
		return err
	}
	return c.tellSaying(ctx, *editor, c.rule.Say+" It is assigned to you.")
}

func (c *carrier) note(key, value string) {
	if c.noted == nil {
		c.noted = map[string]string{}
	}
	c.noted[key] = value
}
