package pipeline

import (
	"context"
	"encoding/json"
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

// Meaning is what a signature says, printed with name and time wherever the note is shown (21 CFR 11.50).
const Meaning = "I dictated this note, reviewed it and approve it."

// SignaturePreview shows the physician what is about to be signed: what changed since the engine's draft, what is
// doubtful, and the text as it will stand in the EHR.
func (s *Service) SignaturePreview(ctx context.Context, actor access.Actor, id uuid.UUID) (SignaturePreview, error) {
	var out SignaturePreview
	err := s.inTx(ctx, actor, access.View, id, func(ctx context.Context, tx Tx) error {
		d, err := s.detail(ctx, tx, actor, access.Sign, id)
		if err != nil {
			return err
		}
		if d.Version == nil {
			return fault.New(fault.Conflict, "no_note", "There is no note to sign yet.")
		}
		first, err := drafted(ctx, tx, *d.Note)
		if err != nil {
			return err
		}
		_, canonical, err := s.statement(ctx, tx, actor, d.Dictation, *d.Note, *d.Version, s.Now())
		if err != nil {
			return err
		}
		out = SignaturePreview{
			Detail: d, Changes: notes.Compare(first.Document, d.Version.Document), Preview: canonical.Text,
			ContentHash: seen(d.Dictation, *d.Version),
		}
		return tx.Audit(ctx, done(actor, access.View, id, versionDetail(d)))
	})
	return out, err
}

// drafted is the engine's newest draft of a note, or its first version where no engine drafted it.
func drafted(ctx context.Context, tx Tx, n Note) (Version, error) {
	all, err := tx.Versions(ctx, n.ID)
	if err != nil {
		return Version{}, err
	}
	for _, v := range slices.Backward(all) {
		if v.Kind == EngineDraft {
			return v, nil
		}
	}
	return tx.Version(ctx, n.ID, 1)
}

// Sign approves exactly the bytes that the physician has seen. The password is checked again: a stolen session cannot
// sign. Signature, delivery, the intent to deliver and the event commit together.
func (s *Service) Sign(ctx context.Context, actor access.Actor, id uuid.UUID, req SignRequest) (Signature, error) {
	if err := s.reauthenticate(ctx, actor, id, req.Password); err != nil {
		return Signature{}, err
	}
	var out Signature
	err := s.inTx(ctx, actor, access.Sign, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Sign, id, true)
		if err != nil {
			return err
		}
		signer, err := tx.Person(ctx, actor.ID)
		if err != nil {
			return err
		}
		if signer.Disabled {
			return fault.New(fault.Forbidden, "account_disabled", "Your account is disabled. Ask an administrator of your practice.")
		}
		n, v, err := signable(ctx, tx, d, req)
		if err != nil {
			return err
		}
		out, err = s.signature(ctx, tx, actor, d, n, v)
		if err != nil {
			return err
		}
		defer crashpoint.At("sign.before-commit")
		return s.commitSignature(ctx, tx, actor, d, out)
	})
	if err == nil {
		crashpoint.At("sign.after-commit")
		s.Kick()
	}
	return out, err
}

func (s *Service) reauthenticate(ctx context.Context, actor access.Actor, id uuid.UUID, password string) error {
	var hash string
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		hash, err = tx.PasswordHash(ctx, actor.ID)
		return err
	})
	if err != nil {
		return err
	}
	if access.CheckPassword(hash, password) {
		return nil
	}
	return s.inTx(ctx, actor, access.Sign, id, func(context.Context, Tx) error {
		return fault.New(fault.Forbidden, "password_wrong", "The password is not right. The note is not signed.")
	})
}

// seen names all that a physician confirms: the text, and whose note it is, of which visit and which kind. The same words
// on another patient are another note.
func seen(d Dictation, v Version) string {
	id := func(id *uuid.UUID) string {
		if id == nil {
			return ""
		}
		return id.String()
	}
	return SHA256([]byte(strings.Join([]string{"vesper-seen/1", v.ContentHash, id(d.PatientID), id(d.EncounterID), d.WorkType}, "\n")))
}

// signable checks that the note may be signed now and that it is the one the physician saw.
func signable(ctx context.Context, tx Tx, d Dictation, req SignRequest) (Note, Version, error) {
	if d.State != AwaitingSignature {
		return Note{}, Version{}, tooLate("state_changed", "This note is "+d.State.Words()+" now and cannot be signed.")
	}
	if d.PatientID == nil {
		return Note{}, Version{}, fault.New(fault.Invalid, "patient_missing", "No patient is bound to this dictation. Choose the patient first.")
	}
	n, err := tx.NoteOf(ctx, d.ID)
	if err != nil {
		return Note{}, Version{}, err
	}
	if n.Latest != req.Version {
		return Note{}, Version{}, stale(n.Latest)
	}
	v, err := tx.Version(ctx, n.ID, n.Latest)
	if err != nil {
		return Note{}, Version{}, err
	}
	if seen(d, v) != req.ContentHash {
		return Note{}, Version{}, fault.New(fault.Conflict, "content_changed", "The note is not the one you saw. Read it again, then sign.")
	}
	for _, o := range notes.ReadyToSign(v.Document) {
		if o.Blocking {
			return Note{}, Version{}, fault.New(fault.Invalid, "not_ready", "Something in the note must be settled before it can be signed: "+o.What)
		}
	}
	return n, v, nil
}

// signature builds the signed statement: the canonical bytes, and inside them the exact text for the EHR.
func (s *Service) signature(ctx context.Context, tx Tx, actor access.Actor, d Dictation, n Note, v Version) (Signature, error) {
	at := s.Now().UTC().Truncate(time.Second)
	canonical, st, err := s.statement(ctx, tx, actor, d, n, v, at)
	if err != nil {
		return Signature{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Signature{}, err
	}
	return Signature{
		ID: id, PracticeID: d.PracticeID, NoteID: n.ID, Version: v.Number, SignerID: actor.ID, SignerName: actor.Name,
		Credential: actor.Credential, Meaning: Meaning, Method: "password", SignedAt: at,
		Canonical: canonical, CanonicalSHA256: SHA256(canonical), Text: []byte(st.Text), TextSHA256: st.TextSHA256,
	}, nil
}

// statement fills notes' signing statement and canonicalises it.
func (s *Service) statement(ctx context.Context, tx Tx, signer access.Actor, d Dictation, n Note, v Version, at time.Time) ([]byte, notes.SigningStatement, error) {
	tpl, err := templates.Find(d.WorkType)
	if err != nil {
		return nil, notes.SigningStatement{}, err
	}
	author, err := tx.Person(ctx, d.AuthorID)
	if err != nil {
		return nil, notes.SigningStatement{}, err
	}
	st := notes.SigningStatement{
		NoteID: n.ID.String(), Version: v.Number, PracticeID: d.PracticeID.String(), DictationID: d.ID.String(),
		WorkType: d.WorkType, Title: tpl.Name, LOINC: tpl.LOINC.Code, Meaning: Meaning, SignedAt: at.UTC(),
		Author: notes.Person{ID: author.ID.String(), Name: author.Name, Credential: author.Credential},
		Signer: notes.Person{ID: signer.ID.String(), Name: signer.Name, Credential: signer.Credential},
	}
	if n.ParentID != nil {
		st.ParentNoteID = n.ParentID.String()
	}
	if d.PatientID != nil {
		p, err := tx.Patient(ctx, *d.PatientID)
		if err != nil {
			return nil, st, err
		}
		st.Patient = notes.PatientRef{ID: p.ID.String(), MRN: p.MRN}
	}
	if d.EncounterID != nil {
		st.EncounterID = d.EncounterID.String()
	}
	return notes.Canonical(st, v.Document)
}

func (s *Service) commitSignature(ctx context.Context, tx Tx, actor access.Actor, d Dictation, sig Signature) error {
	if err := tx.InsertSignature(ctx, sig); err != nil {
		return err
	}
	if err := move(ctx, tx, actor, d, Signed, ""); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	err = tx.InsertDelivery(ctx, Delivery{
		ID: id, PracticeID: d.PracticeID, NoteID: sig.NoteID, SignatureID: sig.ID, TextSHA256: sig.TextSHA256, Target: s.Target,
		State: DeliveryPending,
	})
	if err != nil {
		return err
	}
	if err := addDeliverJob(ctx, tx, d, sig); err != nil {
		return err
	}
	return tx.Audit(ctx, done(actor, access.Sign, d.ID, map[string]string{
		"version": itoa(sig.Version), "canonical_sha256": sig.CanonicalSHA256, "text_sha256": sig.TextSHA256, "method": sig.Method,
	}))
}

func addDeliverJob(ctx context.Context, tx Tx, d Dictation, sig Signature) error {
	gen, err := tx.NextGen(ctx, d.ID, DeliverJob)
	if err != nil {
		return err
	}
	_, err = tx.AddJob(ctx, Job{
		PracticeID: d.PracticeID, DictationID: d.ID, Kind: DeliverJob, Priority: d.Priority, InputSHA256: sig.TextSHA256, Gen: gen,
		Settings: json.RawMessage(`{}`), MaxAttempts: 100, DueAt: d.DueAt,
	})
	return err
}

// Addendum adds a later, separate note to a signed one. It is typed by the author and waits for the author's own
// signature like any note; the signed note is not touched.
func (s *Service) Addendum(ctx context.Context, actor access.Actor, id uuid.UUID, text string) (uuid.UUID, error) {
	if len(text) > 100_000 {
		return uuid.Nil, fault.New(fault.TooLarge, "addendum_too_long", "An addendum is at most 100,000 characters.")
	}
	newID, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	noteID, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, err
	}
	err = s.inTx(ctx, actor, access.Amend, id, func(ctx context.Context, tx Tx) error {
		d, _, err := allowed(ctx, tx, actor, access.Amend, id, true)
		if err != nil {
			return err
		}
		if !possible(access.Amend, d.State, actor.Role) {
			return tooLate("not_signed", "This note is not signed yet: correct it instead of adding to it.")
		}
		return s.insertAddendum(ctx, tx, actor, d, newID, noteID, text)
	})
	return newID, err
}

func (s *Service) insertAddendum(ctx context.Context, tx Tx, actor access.Actor, d Dictation, newID, noteID uuid.UUID, text string) error {
	parent, err := tx.NoteOf(ctx, d.ID)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	doc, err := notes.AddendumDocument(d.WorkType, text, actor.ID.String(), now.Truncate(time.Second))
	if err != nil {
		return err
	}
	added := Dictation{
		ID: newID, PracticeID: d.PracticeID, AuthorID: d.AuthorID, PatientID: d.PatientID, EncounterID: d.EncounterID, ParentID: &d.ID,
		WorkType: d.WorkType, Priority: d.Priority, State: AwaitingSignature, ReceivedAt: now,
	}
	if added.DueAt, err = dueAtReceipt(ctx, tx, added); err != nil {
		return err
	}
	if err := tx.InsertDictation(ctx, added); err != nil {
		return err
	}
	if err := tx.InsertNote(ctx, Note{ID: noteID, PracticeID: d.PracticeID, DictationID: newID, ParentID: &parent.ID, WorkType: d.WorkType}); err != nil {
		return err
	}
	v, err := tx.InsertVersion(ctx, Version{
		NoteID: noteID, Number: 1, Kind: Addendum, Document: doc, ContentHash: notes.ContentHash(doc), By: &actor.ID, ByName: actor.Name,
	})
	if err != nil {
		return err
	}
	if err := tx.Audit(ctx, done(actor, access.Amend, d.ID, map[string]string{"addendum": newID.String()})); err != nil {
		return err
	}
	return tx.Audit(ctx, done(actor, access.Amend, newID, map[string]string{"parent": d.ID.String(), "content_sha256": v.ContentHash}))
}
