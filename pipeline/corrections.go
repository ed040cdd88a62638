package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/notes"
)

// Decision is what a supervisor decided about a correction.
type Decision string

// The decisions. An approved correction is made in the author's next drafts; a dismissed one is not suggested again.
const (
	Approved  Decision = "approved"
	Dismissed Decision = "dismissed"
)

// Correction is a decision about words that editors changed again and again in an author's notes. Rows are history: undoing
// a decision sets UndoneAt.
type Correction struct {
	ID            uuid.UUID
	PracticeID    uuid.UUID
	AuthorID      uuid.UUID
	Heard         string // as the drafts had it
	Written       string // as the editors wrote it
	Notes         int    // in how many notes, when it was decided
	Decision      Decision
	DecidedBy     uuid.UUID
	DecidedByName string
	DecidedAt     time.Time
	UndoneAt      *time.Time
}

// Suggestion is a change that editors made in several of an author's notes, about which nobody has decided.
type Suggestion struct {
	Heard   string
	Written string
	Notes   int // in how many notes
	Editors int // by how many people
}

// Learning is what an author's notes teach: what is suggested, the most frequent first, and what was decided, the newest
// first.
type Learning struct {
	Suggested []Suggestion
	Decided   []Correction
}

// CorrectionTx is the aggregate of learned corrections.
type CorrectionTx interface {
	// InsertCorrection keeps a decision; Conflict ("correction_decided") when one stands about the same words.
	InsertCorrection(ctx context.Context, c Correction) error
	// Correction returns one decision, undone or not, or NotFound.
	Correction(ctx context.Context, id uuid.UUID) (Correction, error)
	// UndoCorrection ends a decision; NotFound when it is not there or undone already.
	UndoCorrection(ctx context.Context, id, by uuid.UUID) error
	// Corrections lists the decisions about an author's notes that stand, newest first.
	Corrections(ctx context.Context, author uuid.UUID) ([]Correction, error)
	// EditedVersions returns, of each of the author's newest notes (at most most) that somebody else edited after its last
	// draft, that draft and the last such edit, one after the other.
	EditedVersions(ctx context.Context, author uuid.UUID, most int) ([]Version, error)
}

// The bounds of learning.
const (
	learnFrom     = 100 // newest notes of an author that are compared
	againAndAgain = 3   // notes in which a change must be made
	mostSuggested = 50
	mostLearned   = 300 // approved corrections of an author
)

// Learning lists what the edits of an author's notes suggest, and what was decided.
func (s *Service) Learning(ctx context.Context, actor access.Actor, author uuid.UUID) (out Learning, err error) {
	err = s.inTx(ctx, actor, access.ManageCorrections, author, func(ctx context.Context, tx Tx) (err error) {
		if err := mayLearn(ctx, tx, actor, author); err != nil {
			return err
		}
		if out, err = learning(ctx, tx, author); err != nil {
			return err
		}
		subject, id := about(actor, access.ManageCorrections, author)
		return tx.Audit(ctx, event(actor, access.ManageCorrections, subject, id, "done",
			map[string]string{"change": "read", "suggested": itoa(len(out.Suggested)), "decided": itoa(len(out.Decided))}))
	})
	return out, err
}

// DecideCorrection approves or dismisses what is suggested for an author. Only what editors did make again and again can be
// decided; anything else is refused.
func (s *Service) DecideCorrection(ctx context.Context, actor access.Actor, author uuid.UUID, heard, written string, d Decision) (c Correction, err error) {
	if c.ID, err = uuid.NewV7(); err != nil {
		return c, fmt.Errorf("make id: %w", err)
	}
	id := c.ID
	err = s.inTx(ctx, actor, access.ManageCorrections, author, func(ctx context.Context, tx Tx) error {
		if err := mayLearn(ctx, tx, actor, author); err != nil {
			return err
		}
		if d != Approved && d != Dismissed {
			return fault.New(fault.Invalid, "correction_decision", "Decide with approved or dismissed.")
		}
		known, err := learning(ctx, tx, author)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(known.Suggested, func(x Suggestion) bool { return x.Heard == heard && x.Written == written })
		if at < 0 {
			return fault.New(fault.Conflict, "correction_not_suggested", "This is not suggested any more. Read the list again.")
		}
		if d == Approved && len(approved(known.Decided)) >= mostLearned {
			return fault.New(fault.Invalid, "corrections_too_many", fmt.Sprintf("An author has at most %d corrections. Undo some first.", mostLearned))
		}
		c = Correction{ID: id, PracticeID: actor.PracticeID, AuthorID: author, Heard: heard, Written: written, Notes: known.Suggested[at].Notes, Decision: d, DecidedBy: actor.ID}
		if err := tx.InsertCorrection(ctx, c); err != nil {
			return err
		}
		if err := tx.Audit(ctx, correctionEvent(actor, c, string(d))); err != nil {
			return err
		}
		c, err = tx.Correction(ctx, id)
		return err
	})
	return c, err
}

// UndoCorrection ends a decision: an approved correction is not made any more, and both kinds may be suggested again. Notes
// that were drafted with it stay as they are.
func (s *Service) UndoCorrection(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.inTx(ctx, actor, access.ManageCorrections, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ManageCorrections, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		c, err := tx.Correction(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.UndoCorrection(ctx, id, actor.ID); err != nil {
			return err
		}
		return tx.Audit(ctx, correctionEvent(actor, c, "undone"))
	})
}

func mayLearn(ctx context.Context, tx Tx, actor access.Actor, author uuid.UUID) error {
	if err := access.Decide(actor, access.ManageCorrections, access.Resource{PracticeID: actor.PracticeID, AuthorID: author}); err != nil {
		return err
	}
	return mustBePhysician(ctx, tx, &author)
}

// learning compares drafts with what editors made of them.
func learning(ctx context.Context, tx Tx, author uuid.UUID) (out Learning, err error) {
	if out.Decided, err = tx.Corrections(ctx, author); err != nil {
		return out, err
	}
	versions, err := tx.EditedVersions(ctx, author, learnFrom)
	if err != nil {
		return out, err
	}
	out.Suggested = suggestions(versions, out.Decided)
	return out, nil
}

// suggestions counts the changes from each draft to its edit, and keeps those that were made again and again, about which
// nothing is decided, and that always came out the same way.
func suggestions(versions []Version, decided []Correction) []Suggestion {
	type count struct {
		Suggestion
		editors map[uuid.UUID]bool
	}
	counts := map[[2]string]*count{}
	ways := map[string]int{} // how many different texts were written for the same words
	for i := 0; i+1 < len(versions); i += 2 {
		for _, c := range notes.Corrections(versions[i].Document, versions[i+1].Document) {
			key := [2]string{strings.ToLower(c.Heard), c.Written}
			if counts[key] == nil {
				counts[key] = &count{Suggestion: Suggestion{Heard: c.Heard, Written: c.Written}, editors: map[uuid.UUID]bool{}}
				ways[key[0]]++
			}
			counts[key].Notes++
			counts[key].editors[deref(versions[i+1].By)] = true
		}
	}
	out := []Suggestion{}
	for key, c := range counts {
		known := slices.ContainsFunc(decided, func(d Correction) bool {
			return strings.EqualFold(d.Heard, c.Heard) && (d.Decision == Approved || strings.EqualFold(d.Written, c.Written))
		})
		if c.Notes >= againAndAgain && ways[key[0]] == 1 && !known {
			c.Editors = len(c.editors)
			out = append(out, c.Suggestion)
		}
	}
	slices.SortFunc(out, func(a, b Suggestion) int {
		return cmp.Or(cmp.Compare(b.Notes, a.Notes), cmp.Compare(a.Heard, b.Heard), cmp.Compare(a.Written, b.Written))
	})
	return out[:min(len(out), mostSuggested)]
}

func approved(decided []Correction) (ids []uuid.UUID) {
	for _, c := range decided {
		if c.Decision == Approved {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// approvedFor returns the corrections that a draft job was ordered with, for the drafter. One that was undone since is made
// all the same: a job's settings never change.
func approvedFor(ctx context.Context, tx Tx, ids []uuid.UUID) ([]notes.Correction, error) {
	var out []notes.Correction
	for _, id := range ids {
		c, err := tx.Correction(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, notes.Correction{ID: c.ID.String(), Heard: c.Heard, Written: c.Written, ApprovedBy: c.DecidedByName})
	}
	return out, nil
}

// correctionEvent names whose notes are concerned and what was decided; the words may be names and stay out of the record.
func correctionEvent(actor access.Actor, c Correction, change string) audit.Event {
	return event(actor, access.ManageCorrections, "correction", c.ID, "done",
		map[string]string{"change": change, "author": c.AuthorID.String(), "notes": itoa(c.Notes)})
}
