package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/templates"
)

// Claim gives the actor the exclusive hold on a drafted dictation, or renews the actor's own.
func (s *Service) Claim(ctx context.Context, actor access.Actor, id uuid.UUID) (Claim, error) {
	var out Claim
	err := s.inTx(ctx, actor, access.Claim, id, func(ctx context.Context, tx Tx) error {
		d, r, err := allowed(ctx, tx, actor, access.Claim, id, true)
		if err != nil {
			return err
		}
		if d.State != Drafted && d.State != InReview {
			return fault.New(fault.Conflict, "state_changed", fmt.Sprintf("This dictation is %s now and is not in the queue any more.", d.State.Words()))
		}
		renewal := d.State == InReview && r.ClaimedBy == actor.ID
		if !renewal {
			if err := offered(ctx, tx, actor, id); err != nil {
				return err
			}
		}
		c, err := tx.AcquireClaim(ctx, id, actor.ID, s.Now().Add(ClaimLease))
		if err != nil {
			return err
		}
		out = c
		if renewal {
			return nil // it changes nothing that the record should show
		}
		if err := tx.EndAssignment(ctx, id, "claimed"); err != nil {
			return err
		}
		if d.State == Drafted {
			if err := move(ctx, tx, actor, d, InReview, d.Reason); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, done(actor, access.Claim, id, map[string]string{"from": string(d.State)}))
	})
	crashpoint.At("claim.after-commit")
	return out, err
}

// Release puts a dictation back into the queue.
func (s *Service) Release(ctx context.Context, actor access.Actor, id uuid.UUID) error {
	return s.leave(ctx, actor, access.Release, id, Drafted, "released", "", nil)
}

// Send hands the note to the physician. The version must be the newest: what is sent is what was seen.
func (s *Service) Send(ctx context.Context, actor access.Actor, id uuid.UUID, version int) error {
	defer crashpoint.At("send.after-commit")
	return s.leave(ctx, actor, access.Send, id, AwaitingSignature, "sent", "", func(ctx context.Context, tx Tx, d Dictation) error {
		n, err := tx.NoteOf(ctx, id)
		if err != nil {
			return err
		}
		if n.Latest != version {
			return stale(n.Latest)
		}
		if d.PatientID == nil {
			return fault.New(fault.Invalid, "patient_missing", "No patient is bound to this dictation. Choose the patient first.")
		}
		return nil
	})
}

// Reject gives an unusable recording back to its author, with the reason.
func (s *Service) Reject(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error {
	reason, err := needReason(reason)
	if err != nil {
		return err
	}
	return s.leave(ctx, actor, access.Reject, id, Rejected, "rejected", reason, func(_ context.Context, _ Tx, d Dictation) error {
		return hasRecording(d)
	})
}

// hasRecording refuses what is only possible with a recording: an addendum is typed and has none, so neither its author
// nor a worker could ever take it up again.
func hasRecording(d Dictation) error {
	if d.ParentID == nil {
		return nil
	}
	return fault.New(fault.Conflict, "addendum_has_no_recording", "An addendum is typed and has no recording to reject or to transcribe again. "+
		"Correct its text and send it to its author for signature, or release it for another editor.")
}

// leave ends the review of a dictation: one guarded step, the claim's end, the event.
func (s *Service) leave(ctx context.Context, actor access.Actor, action access.Action, id uuid.UUID, to State, why, reason string,
	check func(context.Context, Tx, Dictation) error,
) error {
	return s.inTx(ctx, actor, action, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, action, id, true)
		if err != nil {
			return err
		}
		if check != nil {
			if err := check(ctx, tx, d); err != nil {
				return err
			}
		}
		if err := move(ctx, tx, actor, d, to, reason); err != nil {
			return err
		}
		if err := tx.ReleaseClaim(ctx, id, why); err != nil {
			return err
		}
		if action == access.Return {
			if err := moveDue(ctx, tx, id); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, done(actor, action, id, map[string]string{"from": string(d.State), "to": string(to)}))
	})
}

// Return sends a note back to the editors with the physician's reason.
func (s *Service) Return(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error {
	reason, err := needReason(reason)
	if err != nil {
		return err
	}
	return s.leave(ctx, actor, access.Return, id, Drafted, "returned", reason, nil)
}

// Save appends a version with the sections' new texts. Words that did not change keep their source; the others belong
// to the actor. base is the version that the actor edited; if it is not the newest any more, nothing is written and the
// fault is version_conflict.
func (s *Service) Save(ctx context.Context, actor access.Actor, id uuid.UUID, base int, sections []notes.SectionText) (Version, error) {
	return s.revise(ctx, actor, id, base, func(doc notes.Document) (notes.Document, error) {
		return notes.Rebase(doc, sections, actor.ID.String(), s.Now().UTC().Truncate(time.Second)), nil
	})
}

// Settle records that a person looked at a flag and how it was settled.
func (s *Service) Settle(ctx context.Context, actor access.Actor, id uuid.UUID, base int, flagID, how string) (Version, error) {
	return s.revise(ctx, actor, id, base, func(doc notes.Document) (notes.Document, error) {
		return notes.Settle(doc, flagID, how, actor.ID.String(), s.Now().UTC().Truncate(time.Second))
	})
}

// Restore puts words back that a command took out of the note or wrote something for, as a new version; taken is the ID that
// notes.Restorable gives them.
func (s *Service) Restore(ctx context.Context, actor access.Actor, id uuid.UUID, base int, taken string) (Version, error) {
	return s.revise(ctx, actor, id, base, func(doc notes.Document) (notes.Document, error) {
		return notes.Restore(doc, taken, actor.ID.String(), s.Now().UTC().Truncate(time.Second))
	})
}

func (s *Service) revise(ctx context.Context, actor access.Actor, id uuid.UUID, base int,
	change func(notes.Document) (notes.Document, error),
) (Version, error) {
	var out Version
	err := s.inTx(ctx, actor, access.Edit, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Edit, id, true)
		if err != nil {
			return err
		}
		if !possible(access.Edit, d.State, actor.Role) {
			return tooLate("state_changed", fmt.Sprintf("This note is %s now and cannot be edited. Your text is still in this window.", d.State.Words()))
		}
		n, err := tx.NoteOf(ctx, id)
		if err != nil {
			return err
		}
		if n.Latest != base {
			return stale(n.Latest)
		}
		v, err := tx.Version(ctx, n.ID, base)
		if err != nil {
			return err
		}
		doc, err := change(v.Document)
		if err != nil {
			return err
		}
		out, err = tx.InsertVersion(ctx, Version{
			NoteID: n.ID, Number: base + 1, Kind: EditorEdit, Document: doc, ContentHash: notes.ContentHash(doc), By: &actor.ID,
			ByName: actor.Name,
		})
		if err != nil {
			return err
		}
		if d.State == InReview {
			if _, err := tx.AcquireClaim(ctx, id, actor.ID, s.Now().Add(ClaimLease)); err != nil {
				return err
			}
		}
		defer crashpoint.At("edit.before-commit")
		return tx.Audit(ctx, done(actor, access.Edit, id, map[string]string{
			"version": itoa(out.Number), "content_sha256": out.ContentHash,
		}))
	})
	crashpoint.At("edit.after-commit")
	return out, err
}

// Bind sets patient, visit and work type of a dictation that is not signed yet.
func (s *Service) Bind(ctx context.Context, actor access.Actor, id uuid.UUID, patient, encounter *uuid.UUID, workType string) error {
	return s.inTx(ctx, actor, access.Edit, id, func(ctx context.Context, tx Tx) error {
		d, r, err := allowed(ctx, tx, actor, access.View, id, true)
		if err != nil {
			return err
		}
		if access.Decide(actor, access.Edit, r) != nil && access.Decide(actor, access.Submit, r) != nil {
			return fault.New(fault.Forbidden, "forbidden", "Claim the dictation first; then you can bind it to a patient.")
		}
		if d.State == Signed || d.State == Delivered {
			return tooLate("state_changed", "The note is signed; its patient cannot change any more.")
		}
		if d.State == AwaitingSignature && d.AuthorID != actor.ID {
			// The physician may be looking at it: what is signed must be what was seen, the patient included.
			return tooLate("state_changed", "The note waits for its physician, who can change the patient or return it to the editors.")
		}
		sub := Submission{PatientID: patient, EncounterID: encounter, WorkType: d.WorkType}
		if workType != "" {
			tpl, err := templates.Find(workType)
			if err != nil {
				return err
			}
			sub.WorkType = tpl.Key
		}
		if err := resolvePatient(ctx, tx, &sub); err != nil {
			return err
		}
		if err := tx.Bind(ctx, id, sub.PatientID, sub.EncounterID, sub.WorkType); err != nil {
			return err
		}
		if sub.WorkType != d.WorkType {
			if err := moveDue(ctx, tx, id); err != nil {
				return err
			}
		}
		detail := map[string]string{"bind": "patient"}
		if sub.PatientID != nil {
			detail["patient"] = sub.PatientID.String()
		}
		return tx.Audit(ctx, done(actor, access.Edit, id, detail))
	})
}

// Retry orders the stage again that failed or was refused, with settings of today and a reason.
func (s *Service) Retry(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error {
	reason, err := needReason(reason)
	if err != nil {
		return err
	}
	settings, err := s.Settings()
	if err != nil {
		return err
	}
	err = s.inTx(ctx, actor, access.Retry, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Retry, id, true)
		if err != nil {
			return err
		}
		// The reason stands in the list of state changes; beside the dictation it would read as that of a failure.
		if err := tx.Move(ctx, id, []State{d.State}, d.State, reason); err != nil {
			return err
		}
		if err := s.retry(ctx, tx, d, settings); err != nil {
			return err
		}
		if d.State == Rejected {
			if err := moveDue(ctx, tx, id); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, done(actor, access.Retry, id, map[string]string{"from": string(d.State), "reason_given": fmt.Sprint(len(reason) > 0)}))
	})
	if err == nil {
		s.Kick()
	}
	return err
}

// retry goes back to the last good result: a delivery for signed notes, a draft where there is a transcript, else the
// transcription.
func (s *Service) retry(ctx context.Context, tx Tx, d Dictation, settings []byte) error {
	switch d.State {
	case Signed:
		live, err := delivering(ctx, tx, d.ID)
		if err != nil {
			return err
		}
		if live {
			return tooLate("delivery_running", "This note is on its way to the EHR already and is tried again by itself.")
		}
		return redeliver(ctx, tx, d)
	case Failed, Rejected:
		if err := hasRecording(d); err != nil {
			return err
		}
	default:
		return tooLate("state_changed", fmt.Sprintf("This dictation is %s; there is nothing to try again.", d.State.Words()))
	}
	if d.State == Failed {
		st, t, err := tx.TranscriptOf(ctx, d.ID)
		if err == nil {
			if err := tx.Move(ctx, d.ID, []State{Failed}, Transcribed, ""); err != nil {
				return err
			}
			return addDraftJob(ctx, tx, d, st.ID, t.Audio.SHA256)
		}
		if !isNotFound(err) {
			return err
		}
	}
	a, err := tx.AudioOf(ctx, d.ID, Original)
	if err != nil {
		return err
	}
	return enqueueTranscription(ctx, tx, d, a.SHA256, settings)
}

// delivering reports whether a delivery of the note is under way or waits for its next attempt.
func delivering(ctx context.Context, tx Tx, id uuid.UUID) (bool, error) {
	return underWay(ctx, tx, id, DeliverJob)
}

// underWay reports whether a job of one of the kinds (none: of any kind) runs or waits for its turn.
func underWay(ctx context.Context, tx Tx, id uuid.UUID, kinds ...JobKind) (bool, error) {
	jobs, err := tx.Jobs(ctx, id)
	return slices.ContainsFunc(jobs, func(j Job) bool {
		return (j.State == JobQueued || j.State == JobRunning) && (len(kinds) == 0 || slices.Contains(kinds, j.Kind))
	}), err
}

// givenUp says whether the newest delivery job ended without a delivery. A person orders the next one.
func givenUp(ctx context.Context, tx Tx, id uuid.UUID) (bool, error) {
	jobs, err := tx.Jobs(ctx, id)
	gen, dead := 0, false
	for _, j := range jobs {
		if j.Kind == DeliverJob && j.Gen >= gen {
			gen, dead = j.Gen, j.State == JobDead
		}
	}
	return dead, err
}

func redeliver(ctx context.Context, tx Tx, d Dictation) error {
	n, err := tx.NoteOf(ctx, d.ID)
	if err != nil {
		return err
	}
	sig, err := tx.SignatureOf(ctx, n.ID)
	if err != nil {
		return err
	}
	if err := tx.Move(ctx, d.ID, []State{Signed}, Signed, ""); err != nil { // the reason of the last failure is over
		return err
	}
	return addDeliverJob(ctx, tx, d, sig)
}

func needReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > 500 {
		return "", fault.New(fault.Invalid, "reason_missing", "Give a reason of at most 500 characters.")
	}
	return reason, nil
}

func stale(latest int) error {
	return fault.New(fault.Conflict, "version_conflict",
		fmt.Sprintf("Somebody saved version %d meanwhile. Your text is still here: read theirs, then keep yours or take theirs.", latest))
}
