package pipeline

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// Cancel stops the automatic work on a dictation, with a reason. What waits is not begun; what runs notices within
// LeaseRenewal and is broken off, and its result would be refused. The dictation then waits for a person to order a stage
// again. A delivery that is being sent at this moment cannot be stopped: what stands in the EHR must be known first.
func (s *Service) Cancel(ctx context.Context, actor access.Actor, id uuid.UUID, reason string) error {
	reason, err := needReason(reason)
	if err != nil {
		return err
	}
	return s.inTx(ctx, actor, access.Cancel, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Cancel, id, true)
		if err != nil {
			return err
		}
		to := Failed
		switch d.State {
		case Signed:
			to = Signed
		case Queued, Transcribed:
		default:
			return tooLate("state_changed", fmt.Sprintf("This dictation is %s; there is no automatic work to cancel.", d.State.Words()))
		}
		n, err := tx.CancelJobs(ctx, id, CodeCancelled)
		if err != nil {
			return err
		}
		if n == 0 && d.State == Signed {
			if err := notSending(ctx, tx, id); err != nil {
				return err
			}
			return tooLate("nothing_to_cancel", "No delivery of this note is under way.")
		}
		if to != d.State && !CanMove(d.State, to, actor.Role) {
			return tooLate("state_changed", "This step is not possible now. Reload the page to see where the dictation is.")
		}
		if err := tx.Move(ctx, id, []State{d.State}, to, "Cancelled: "+reason); err != nil {
			return err
		}
		return tx.Audit(ctx, done(actor, access.Cancel, id, map[string]string{"from": string(d.State), "to": string(to), "jobs": itoa(n)}))
	})
}

// Rerun orders a stage anew, with settings of today and a reason: the transcription from the recording, the draft from the
// newest transcript, or the delivery of a signed note. Earlier results stay: the new transcript stands beside the old one,
// and the new draft is a version after everything that people wrote. After the signature nothing but the delivery is done
// again.
func (s *Service) Rerun(ctx context.Context, actor access.Actor, id uuid.UUID, stage JobKind, reason string) error {
	reason, err := needReason(reason)
	if err != nil {
		return err
	}
	if !slices.Contains([]JobKind{TranscribeJob, DraftJob, DeliverJob}, stage) {
		return fault.New(fault.Invalid, "stage_unknown", "The stage is transcribe, draft or deliver.")
	}
	settings, err := s.Settings()
	if err != nil {
		return err
	}
	err = s.inTx(ctx, actor, access.Rerun, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Rerun, id, true)
		if err != nil {
			return err
		}
		if err := rerunnable(d, stage); err != nil {
			return err
		}
		// The reason stands in the list of state changes; beside the dictation it would read as that of a failure.
		if err := tx.Move(ctx, id, []State{d.State}, d.State, reason); err != nil {
			return err
		}
		switch stage {
		case TranscribeJob:
			err = transcribeAnew(ctx, tx, actor, d, settings)
		case DraftJob:
			err = draftAnew(ctx, tx, actor, d)
		default:
			err = deliverAnew(ctx, tx, d)
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, done(actor, access.Rerun, id, map[string]string{"from": string(d.State), "stage": string(stage)}))
	})
	if err == nil {
		s.Kick()
	}
	return err
}

// unsigned are the states from which a dictation is transcribed or drafted anew.
var unsigned = []State{Queued, Transcribed, Drafted, InReview, AwaitingSignature, Failed, Rejected}

func rerunnable(d Dictation, stage JobKind) error {
	if stage == DeliverJob {
		if d.State != Signed {
			return tooLate("state_changed", fmt.Sprintf("This dictation is %s; only a signed note that is not in the EHR yet is delivered.", d.State.Words()))
		}
		return nil
	}
	if !slices.Contains(unsigned, d.State) {
		return tooLate("state_changed", fmt.Sprintf("This dictation is %s; its text cannot be made anew any more.", d.State.Words()))
	}
	return hasRecording(d)
}

// clearWay ends what is under way before a stage is ordered anew: work, and an editor's hold.
func clearWay(ctx context.Context, tx Tx, d Dictation, to State, role access.Role) error {
	if d.State != to && !CanMove(d.State, to, role) {
		return tooLate("state_changed", fmt.Sprintf("This dictation is %s now, so this step is not possible. Reload the page to see where it is.", d.State.Words()))
	}
	if _, err := tx.CancelJobs(ctx, d.ID, CodeSuperseded); err != nil {
		return err
	}
	return tx.ReleaseClaim(ctx, d.ID, "rerun")
}

func transcribeAnew(ctx context.Context, tx Tx, actor access.Actor, d Dictation, settings []byte) error {
	if err := clearWay(ctx, tx, d, Queued, actor.Role); err != nil {
		return err
	}
	a, err := tx.AudioOf(ctx, d.ID, Original)
	if err != nil {
		return err
	}
	if d.State == Queued { // it stays there, and the reason does not stay beside it
		if err := tx.Move(ctx, d.ID, []State{Queued}, Queued, ""); err != nil {
			return err
		}
	}
	return enqueueTranscription(ctx, tx, d, a.SHA256, settings)
}

func draftAnew(ctx context.Context, tx Tx, actor access.Actor, d Dictation) error {
	st, t, err := tx.TranscriptOf(ctx, d.ID)
	if isNotFound(err) {
		return fault.New(fault.Conflict, "no_transcript", "This recording has no transcript to draft from yet. Order the transcription.")
	}
	if err != nil {
		return err
	}
	if err := clearWay(ctx, tx, d, Transcribed, actor.Role); err != nil {
		return err
	}
	if err := tx.Move(ctx, d.ID, []State{d.State}, Transcribed, ""); err != nil {
		return err
	}
	return addDraftJob(ctx, tx, d, st.ID, t.Audio.SHA256)
}

func deliverAnew(ctx context.Context, tx Tx, d Dictation) error {
	if _, err := tx.CancelJobs(ctx, d.ID, CodeSuperseded, DeliverJob); err != nil {
		return err
	}
	// Asked after what waits was ended: no worker can begin to send any more.
	if err := notSending(ctx, tx, d.ID); err != nil {
		return err
	}
	return redeliver(ctx, tx, d)
}

// notSending refuses to touch a delivery whose request may be at the EHR right now.
func notSending(ctx context.Context, tx Tx, id uuid.UUID) error {
	jobs, err := tx.Jobs(ctx, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j Job) bool { return j.Kind == DeliverJob && j.State == JobRunning }) {
		return tooLate("delivery_running", "This note is being sent to the EHR right now. Wait for the answer, which takes less than a minute.")
	}
	return nil
}
