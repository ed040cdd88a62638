package pipeline

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
)

// mostPart is the largest piece of an arriving upload, bytes: what is encrypted in memory at once.
const mostPart = 1 << 20

// Arrive takes bytes that stand of an unfinished upload and gives them to the workers, who listen while the rest arrives.
// body holds the upload's first size bytes; those that were given before are left out. It is decided like Submit with the
// same fields, and the first call leaves an event. The answer is how far the upload was heard. A Conflict ("arriving_closed")
// means that this upload is not listened to any more; nothing else depends on it.
func (s *Service) Arrive(ctx context.Context, actor access.Actor, sub Submission, body io.ReaderAt, size int64) (heard time.Duration, err error) {
	if sub.AuthorID == uuid.Nil {
		sub.AuthorID = actor.ID
	}
	if _, err := s.admit(ctx, actor, &sub); err != nil {
		return 0, err
	}
	if s.Parts == nil || sub.Upload == uuid.Nil {
		return 0, notListened()
	}
	a, err := s.openArriving(ctx, actor, sub)
	if err != nil {
		return 0, err
	}
	heard = time.Duration(a.Heard * float64(time.Second))
	if a.State != ArrivingOpen || a.AuthorID != sub.AuthorID {
		return heard, notListened()
	}
	for a.Bytes < size {
		n := min(size-a.Bytes, mostPart)
		if err := s.publish(ctx, a, body, n); err != nil {
			return heard, err
		}
		a.Parts, a.Bytes = a.Parts+1, a.Bytes+n
	}
	return heard, nil
}

func notListened() error {
	return fault.New(fault.Conflict, "arriving_closed", "This upload is no longer listened to while it arrives.")
}

// openArriving finds the upload's row or makes it, with the settings that its transcription would have now.
func (s *Service) openArriving(ctx context.Context, actor access.Actor, sub Submission) (a Arriving, err error) {
	settings, err := s.Settings()
	if err != nil {
		return a, err
	}
	err = s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) error {
		frozen, err := spokenBy(ctx, tx, sub.AuthorID, settings)
		if err != nil {
			return err
		}
		var made bool
		a, made, err = tx.OpenArriving(ctx, Arriving{
			ID: sub.Upload, PracticeID: actor.PracticeID, AuthorID: sub.AuthorID, PatientID: sub.PatientID, EncounterID: sub.EncounterID,
			Settings: frozen,
		})
		if err != nil || !made {
			return err
		}
		return tx.Audit(ctx, event(actor, access.Submit, "upload", sub.Upload, "done", map[string]string{
			"result": "arriving", "author": sub.AuthorID.String(),
		}))
	})
	return a, err
}

// publish stores the next piece. Its row is there before the object: whatever a killed server leaves behind is known.
func (s *Service) publish(ctx context.Context, a Arriving, body io.ReaderAt, size int64) error {
	plain := make([]byte, size)
	if _, err := body.ReadAt(plain, a.Bytes); err != nil {
		return uploadFault(err)
	}
	p, err := s.Parts.SealPart(a.PracticeID, a.ID, a.Parts, plain)
	if err != nil {
		return err
	}
	p.Offset = a.Bytes
	if err := s.Store.InTx(ctx, a.PracticeID, func(ctx context.Context, tx Tx) error { return tx.AddPart(ctx, p) }); err != nil {
		return err
	}
	if err := s.Parts.PutPart(ctx, p); err != nil {
		return err
	}
	return s.Store.InTx(ctx, a.PracticeID, func(ctx context.Context, tx Tx) error { return tx.PartReady(ctx, p) })
}

// Withdraw ends the listening to an upload that its sender gave up. It is decided like Submit, and leaves an event when
// there was anything to end.
func (s *Service) Withdraw(ctx context.Context, actor access.Actor, sub Submission) error {
	if sub.AuthorID == uuid.Nil {
		sub.AuthorID = actor.ID
	}
	if _, err := s.admit(ctx, actor, &sub); err != nil {
		return err
	}
	return s.drop(ctx, actor, sub, "withdrawn")
}

// letGo ends the listening to an upload of which no new dictation comes. What fails here is mended by the keeper.
func (s *Service) letGo(ctx context.Context, actor access.Actor, sub Submission, code string) {
	if sub.Upload == uuid.Nil || s.Parts == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refusalTime)
	defer cancel()
	if err := s.drop(ctx, actor, sub, code); err != nil {
		s.Log.WarnContext(ctx, "let an arriving upload go", "upload", sub.Upload, "err", err)
	}
}

func (s *Service) drop(ctx context.Context, actor access.Actor, sub Submission, code string) error {
	return s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) error {
		dropped, err := tx.DropArriving(ctx, sub.Upload, sub.AuthorID, code)
		if err != nil || !dropped {
			return err
		}
		return tx.Audit(ctx, event(actor, access.Submit, "upload", sub.Upload, "done", map[string]string{"result": "dropped", "code": code}))
	})
}
