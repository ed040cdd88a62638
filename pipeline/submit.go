package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
	"vesper/notes/templates"
)

// spooled is an upload that stands whole in the spool folder.
type spooled struct {
	path   string
	size   int64
	sha256 string
}

// Submit takes a recording in. The receipt is the promise of invariant 1: it is given only after the object store has
// the bytes with the right SHA-256 and the row is committed. Sending the same client key or the same bytes again
// answers with the earlier dictation.
func (s *Service) Submit(ctx context.Context, actor access.Actor, sub Submission) (Receipt, error) {
	r, err := s.submit(ctx, actor, &sub)
	if r.Duplicate || err != nil && !fault.Retryable(err) {
		s.letGo(ctx, actor, sub, "not_received")
	}
	return r, err
}

func (s *Service) submit(ctx context.Context, actor access.Actor, sub *Submission) (Receipt, error) {
	if sub.AuthorID == uuid.Nil {
		sub.AuthorID = actor.ID
	}
	_, err := s.admit(ctx, actor, sub)
	if err != nil {
		return Receipt{}, err
	}
	file, err := s.spool(ctx, sub.Body)
	if err != nil {
		return Receipt{}, err
	}
	defer os.Remove(file.path)
	if again, err := s.earlier(ctx, actor, *sub, file); err != nil || again != nil {
		return deref(again), err
	}
	// What can never be transcribed is refused here, while the sender still has it at hand. If it cannot be told now
	// (ffmpeg is missing, say) the bytes are taken: keeping them comes first.
	if err := s.Prober.Probe(ctx, file.path); err != nil && !fault.Retryable(err) {
		return Receipt{}, err
	}
	return s.keep(ctx, actor, *sub, file)
}

// admit decides access and completes the submission's references before any byte is read.
func (s *Service) admit(ctx context.Context, actor access.Actor, sub *Submission) (templates.Template, error) {
	tpl, err := templates.Find(sub.WorkType)
	if err != nil {
		return tpl, err
	}
	sub.WorkType = tpl.Key
	if sub.Priority != Stat {
		sub.Priority = Routine
	}
	err = s.inTx(ctx, actor, access.Submit, sub.AuthorID, func(ctx context.Context, tx Tx) error {
		if err := resolveAuthor(ctx, tx, sub); err != nil {
			return err
		}
		r := access.Resource{PracticeID: actor.PracticeID, AuthorID: sub.AuthorID}
		if err := access.Decide(actor, access.Submit, r); err != nil {
			return err
		}
		author, err := tx.Person(ctx, sub.AuthorID)
		if err != nil {
			return err
		}
		if author.Role != string(access.Physician) || author.Disabled {
			return fault.New(fault.Invalid, "author_not_physician", "The author of a dictation must be an active physician of your practice.")
		}
		return resolvePatient(ctx, tx, sub)
	})
	return tpl, err
}

// resolveAuthor turns a login into the author's id.
func resolveAuthor(ctx context.Context, tx Tx, sub *Submission) error {
	if sub.AuthorLogin == "" {
		return nil
	}
	physicians, err := tx.People(ctx, string(access.Physician))
	if err != nil {
		return err
	}
	for _, p := range physicians {
		if strings.EqualFold(p.Login, sub.AuthorLogin) {
			sub.AuthorID = p.ID
			return nil
		}
	}
	return fault.New(fault.Invalid, "author_unknown", "No physician of your practice has this login. Check the author.")
}

// resolvePatient checks that patient and encounter exist and belong together.
func resolvePatient(ctx context.Context, tx Tx, sub *Submission) error {
	if sub.PatientID == nil && sub.PatientMRN != "" {
		p, err := tx.FindPatientByMRN(ctx, sub.PatientMRN)
		if err != nil {
			return err
		}
		if p == nil {
			return fault.New(fault.Invalid, "patient_unknown", "No patient of your practice has this record number. Check it, or send the dictation without a patient and bind it later.")
		}
		sub.PatientID = &p.ID
	}
	if sub.EncounterID != nil {
		e, err := tx.Encounter(ctx, *sub.EncounterID)
		if err != nil {
			return err
		}
		if sub.PatientID == nil {
			sub.PatientID = &e.PatientID
		} else if *sub.PatientID != e.PatientID {
			return fault.New(fault.Invalid, "encounter_of_other_patient", "This visit belongs to another patient. Choose the patient's own visit.")
		}
	}
	if sub.PatientID != nil {
		if _, err := tx.Patient(ctx, *sub.PatientID); err != nil {
			return err
		}
	}
	return nil
}

// spool copies the body to a private file and hashes it on the way.
func (s *Service) spool(ctx context.Context, body io.Reader) (spooled, error) {
	f, err := os.CreateTemp(s.SpoolDir, "upload-*")
	if err != nil {
		return spooled{}, fault.Wrap(err, fault.Unavailable, "spool_unavailable", "The server cannot take recordings right now. Keep yours and try again in a few minutes.")
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(ctxReader{ctx, body}, s.MaxBytes+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		err = uploadFault(err)
	case n == 0:
		err = fault.New(fault.Invalid, "audio_empty", "The recording is empty. Check the recorder and send it again.")
	case n > s.MaxBytes:
		err = fault.New(fault.TooLarge, "audio_too_large", fmt.Sprintf("The recording is larger than %d MB. Split it and send the parts.", s.MaxBytes>>20))
	}
	if err != nil {
		os.Remove(f.Name())
		return spooled{}, err
	}
	return spooled{path: f.Name(), size: n, sha256: hex.EncodeToString(sum.Sum(nil))}, nil
}

func uploadFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Wrap(err, fault.Invalid, "upload_cut", "The upload broke off before its end. Send the recording again.")
	}
	return fault.Wrap(err, fault.Unavailable, "spool_unavailable", "The server cannot take recordings right now. Keep yours and try again in a few minutes.")
}

// earlier answers a repeated submission with the dictation that the first one made.
func (s *Service) earlier(ctx context.Context, actor access.Actor, sub Submission, file spooled) (*Receipt, error) {
	var out *Receipt
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) error {
		out = nil
		var found *Dictation
		if sub.ClientKey != "" {
			d, err := tx.FindByClientKey(ctx, sub.AuthorID, sub.ClientKey)
			if err != nil {
				return err
			}
			found = d
		}
		if found == nil {
			d, err := tx.FindBySHA256(ctx, sub.AuthorID, file.sha256)
			if err != nil {
				return err
			}
			found = d
		}
		if found == nil {
			return nil
		}
		a, err := tx.AudioOf(ctx, found.ID, Original)
		if err != nil {
			return err
		}
		if a.SHA256 != file.sha256 {
			return fault.New(fault.Conflict, "client_key_reused", "This upload key was used for another recording. Send this one with a key of its own.")
		}
		stones, err := tx.TombstonesOf(ctx, found.ID)
		if err != nil {
			return err
		}
		for _, t := range stones { // "received" would be untrue: the bytes are not kept any more. Invalid: sending them again is of no use
			if t.Rendition == string(Original) {
				return fault.New(fault.Invalid, "recording_purged", "This recording was received before, and it was purged since. "+t.Sentence())
			}
		}
		out = &Receipt{DictationID: found.ID, State: found.State, SHA256: a.SHA256, Bytes: a.Size, ReceivedAt: found.ReceivedAt, Duplicate: true}
		return nil
	})
	return out, err
}

// keep puts the bytes into the object store, then commits the rows and the intent to transcribe.
func (s *Service) keep(ctx context.Context, actor access.Actor, sub Submission, file spooled) (Receipt, error) {
	f, err := os.Open(file.path)
	if err != nil {
		return Receipt{}, uploadFault(err)
	}
	defer f.Close()
	audioID, err := uuid.NewV7()
	if err != nil {
		return Receipt{}, fmt.Errorf("make id: %w", err)
	}
	crashpoint.At("submit.before-put")
	stored, err := s.Objects.Put(ctx, actor.PracticeID, audioID, f, file.size)
	if err != nil {
		return Receipt{}, err
	}
	crashpoint.At("submit.after-put")
	if stored.SHA256 != file.sha256 || stored.Size != file.size {
		return Receipt{}, fault.New(fault.Unavailable, "object_store_mismatch", "The recording did not arrive whole in the store. Keep yours and send it again.")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Receipt{}, fmt.Errorf("make id: %w", err)
	}
	now := s.Now().UTC()
	d := Dictation{
		ID: id, PracticeID: actor.PracticeID, AuthorID: sub.AuthorID, PatientID: sub.PatientID, EncounterID: sub.EncounterID,
		AudioID: &audioID, WorkType: sub.WorkType, Priority: sub.Priority, State: Received, ClientKey: sub.ClientKey,
		ReceivedAt: now, // due when the practice's calendar says, which commitReceived reads
	}
	a := Audio{
		ID: audioID, PracticeID: actor.PracticeID, DictationID: id, Rendition: Original, Key: stored.Key, SHA256: stored.SHA256,
		Size: stored.Size, SealedKey: stored.SealedKey, VersionID: stored.VersionID, ContentType: cleanType(sub.ContentType),
		Filename: cleanName(sub.Filename),
	}
	r := Receipt{DictationID: id, State: Queued, SHA256: a.SHA256, Bytes: a.Size, ReceivedAt: now}
	s.forecast(ctx, d, &r)
	if err := s.commitReceived(ctx, actor, d, a, sub.Upload); err != nil {
		// Two uploads of the same recording at once: the other one won, and its dictation is the answer.
		if fault.KindOf(err) == fault.Conflict {
			if again, err := s.earlier(ctx, actor, sub, file); err != nil || again != nil {
				return deref(again), err
			}
		}
		return Receipt{}, err
	}
	crashpoint.At("submit.after-commit")
	s.Kick()
	return r, nil
}

func (s *Service) commitReceived(ctx context.Context, actor access.Actor, d Dictation, a Audio, upload uuid.UUID) error {
	settings, err := s.Settings()
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		if d.DueAt, err = dueAtReceipt(ctx, tx, d); err != nil {
			return err
		}
		if err := tx.InsertDictation(ctx, d); err != nil {
			return err
		}
		if err := tx.InsertAudio(ctx, a); err != nil {
			return err
		}
		if err := tx.Audit(ctx, done(actor, access.Submit, d.ID, map[string]string{
			"sha256": a.SHA256, "author": d.AuthorID.String(), "priority": string(d.Priority), "work_type": d.WorkType,
		})); err != nil {
			return err
		}
		if upload != uuid.Nil {
			if err := tx.ReceiveArriving(ctx, upload, d.AuthorID, d.ID); err != nil {
				return err
			}
		}
		defer crashpoint.At("submit.before-commit")
		return enqueueTranscription(ctx, tx, d, a.SHA256, settings)
	})
}

// enqueueTranscription writes the intent and moves the dictation to queued.
func enqueueTranscription(ctx context.Context, tx Tx, d Dictation, sha string, settings []byte) error {
	gen, err := tx.NextGen(ctx, d.ID, TranscribeJob)
	if err != nil {
		return err
	}
	if settings, err = spokenBy(ctx, tx, d.AuthorID, settings); err != nil {
		return err
	}
	_, err = tx.AddJob(ctx, Job{
		PracticeID: d.PracticeID, DictationID: d.ID, Kind: TranscribeJob, Priority: d.Priority, InputSHA256: sha, Gen: gen,
		Settings: settings, MaxAttempts: 5, DueAt: d.DueAt,
	})
	if err != nil {
		return err
	}
	if d.State == Queued {
		return nil // the reconciler gives a queued dictation its job again
	}
	return tx.Move(ctx, d.ID, []State{d.State}, Queued, "")
}

// cleanName keeps a file name for show: no path, no control characters, at most 120 bytes.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if len(name) > 120 {
		name = strings.ToValidUTF8(name[:120], "")
	}
	return name
}

// cleanType keeps a media type only if it is one of sound or video containers; it is shown to browsers again.
func cleanType(t string) string {
	t = strings.ToLower(strings.TrimSpace(strings.SplitN(t, ";", 2)[0]))
	if strings.HasPrefix(t, "audio/") || t == "video/webm" || t == "video/mp4" {
		return t
	}
	return "application/octet-stream"
}

// ctxReader stops a copy when the request is cancelled.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
