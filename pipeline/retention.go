package pipeline

import (
	"context"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/notes/templates"
	"vesper/pipeline/keeping"
)

// Retention is a practice's rules: those that stand, and everything that was ever decided.
type Retention struct {
	Standing []keeping.Rule
	History  []keeping.Rule // newest first
}

// Retention lists the rules of how long recordings are kept.
func (s *Service) Retention(ctx context.Context, actor access.Actor) (out Retention, err error) {
	err = s.practiceLook(ctx, actor, access.ReadKeeping, "retention", func(ctx context.Context, tx Tx) (err error) {
		if out.Standing, err = tx.StandingRules(ctx); err != nil {
			return err
		}
		out.History, err = tx.RuleHistory(ctx, mostRules)
		return err
	})
	return out, err
}

// SetRetention makes the next version of a rule. Nothing goes under it before keeping.RuleRest is over.
func (s *Service) SetRetention(ctx context.Context, actor access.Actor, r keeping.Rule) (out keeping.Rule, err error) {
	err = s.inTx(ctx, actor, access.ManageRetention, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayPractice(actor, access.ManageRetention); err != nil {
			return err
		}
		if r.Reason, err = needReason(r.Reason); err != nil {
			return err
		}
		if err := r.Check(); err != nil {
			return err
		}
		if r.WorkType != "" {
			if _, err := templates.Find(r.WorkType); err != nil {
				return fault.Wrap(err, fault.Invalid, "work_type_unknown", "There is no such kind of document.")
			}
		}
		r.PracticeID, r.SetBy = actor.PracticeID, actor.ID
		if out, err = tx.InsertRule(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ManageRetention, "retention", out.ID, "done", map[string]string{
			"work_type": out.WorkType, "version": itoa(out.Version), "original_days": days(out.OriginalDays),
			"playback_days": days(out.PlaybackDays), "rejected_days": days(out.RejectedDays),
		}))
	})
	return out, err
}

func days(n *int) string {
	if n == nil {
		return "for ever"
	}
	return itoa(*n)
}

// Holds lists legal holds: those that stand, then those that were lifted.
func (s *Service) Holds(ctx context.Context, actor access.Actor) (out []keeping.Hold, err error) {
	err = s.practiceLook(ctx, actor, access.ManageHolds, "holds", func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.Holds(ctx, mostHolds)
		return err
	})
	return out, err
}

// SetHold keeps a dictation, everything of a patient or everything of an author from now on. going is the number of
// recordings that were being deleted already and cannot be called back.
func (s *Service) SetHold(ctx context.Context, actor access.Actor, scope keeping.Scope, subject uuid.UUID, reason string) (out keeping.Hold, going int, err error) {
	err = s.inTx(ctx, actor, access.ManageHolds, subject, func(ctx context.Context, tx Tx) error {
		if err := mayPractice(actor, access.ManageHolds); err != nil {
			return err
		}
		if reason, err = needReason(reason); err != nil {
			return err
		}
		if err := subjectExists(ctx, tx, scope, subject); err != nil {
			return err
		}
		out, err = tx.InsertHold(ctx, keeping.Hold{PracticeID: actor.PracticeID, Scope: scope, Subject: subject, Reason: reason, SetBy: actor.ID})
		if err != nil {
			return err
		}
		if going, err = tx.GoingOf(ctx, out.ID); err != nil {
			return err
		}
		return tx.Audit(ctx, holdEvent(actor, out, "set"))
	})
	return out, going, err
}

func subjectExists(ctx context.Context, tx Tx, scope keeping.Scope, id uuid.UUID) (err error) {
	switch scope {
	case keeping.OfDictation:
		_, err = tx.Dictation(ctx, id)
	case keeping.OfPatient:
		_, err = tx.Patient(ctx, id)
	case keeping.OfAuthor:
		_, err = tx.Person(ctx, id)
	default:
		err = fault.New(fault.Invalid, "hold_scope", "A hold is on a dictation, a patient or an author.")
	}
	return err
}

// LiftHold ends a hold. What it kept is under the practice's rules again.
func (s *Service) LiftHold(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) (out keeping.Hold, err error) {
	err = s.inTx(ctx, actor, access.ManageHolds, id, func(ctx context.Context, tx Tx) error {
		if err := mayPractice(actor, access.ManageHolds); err != nil {
			return err
		}
		if reason, err = needReason(reason); err != nil {
			return err
		}
		if out, err = tx.LiftHold(ctx, id, actor.ID, reason); err != nil {
			return err
		}
		return tx.Audit(ctx, holdEvent(actor, out, "lifted"))
	})
	return out, err
}

// holdEvent names what is held, not why: the reason may name a case and stays with the hold.
func holdEvent(actor access.Actor, h keeping.Hold, change string) audit.Event {
	return event(actor, access.ManageHolds, string(h.Scope), h.Subject, "done", map[string]string{"change": change, "hold": h.ID.String()})
}
