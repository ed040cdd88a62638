package pipeline

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/notes"
)

// Cards lists dictations as the actor may see them: physicians their own, editors what waits for them.
func (s *Service) Cards(ctx context.Context, actor access.Actor, f Filter) ([]Card, error) {
	var out []Card
	err := s.listing(ctx, actor, func(ctx context.Context, tx Tx) (err error) {
		out, err = s.cards(ctx, tx, actor, f)
		return err
	})
	return out, err
}

// RejectedFor is how long a rejected dictation is among what needs attention. Its author was told; after that it is found in
// the list of rejected ones.
const RejectedFor = 14 * 24 * time.Hour

// Attention lists what does not go on by itself: what failed and what is signed and not yet in the EHR, in the order of
// work, and then what was rejected within RejectedFor, the last first. However many were rejected, they hide nothing that
// failed.
func (s *Service) Attention(ctx context.Context, actor access.Actor) ([]Card, error) {
	var out []Card
	err := s.listing(ctx, actor, func(ctx context.Context, tx Tx) error {
		stuck, err := s.cards(ctx, tx, actor, Filter{States: []State{Failed, Signed}})
		if err != nil {
			return err
		}
		rejected, err := s.cards(ctx, tx, actor, Filter{States: []State{Rejected}, MovedSince: s.Now().Add(-RejectedFor)})
		out = slices.Concat(stuck, rejected)
		return err
	})
	return out, err
}

// listing reads a list, once the actor is found to be allowed to, and writes that it was read.
func (s *Service) listing(ctx context.Context, actor access.Actor, read func(ctx context.Context, tx Tx) error) error {
	return s.inTx(ctx, actor, access.List, uuid.Nil, func(ctx context.Context, tx Tx) error {
		r := access.Resource{PracticeID: actor.PracticeID, AuthorID: actor.ID}
		if err := access.Decide(actor, access.List, r); err != nil {
			return err
		}
		if err := read(ctx, tx); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.List, "practice", actor.PracticeID, "done", nil))
	})
}

// cards reads one list as the actor may see it, with what each clock shows.
func (s *Service) cards(ctx context.Context, tx Tx, actor access.Actor, f Filter) ([]Card, error) {
	narrow(actor, &f)
	out, err := tx.Cards(ctx, f)
	if err != nil {
		return nil, err
	}
	for i := range out {
		hidePatient(actor, &out[i])
	}
	return out, readClocks(ctx, tx, s.Now(), out)
}

func narrow(actor access.Actor, f *Filter) {
	switch actor.Role {
	case access.Physician:
		f.Author = &actor.ID
	case access.Editor:
		f.ForEditor = &actor.ID
	}
}

// hidePatient takes the patient's name from a card whose note the actor may not read, and with it what a physician wrote
// when returning the note: that may be about the patient. The reasons of failures stay; operators need them.
func hidePatient(actor access.Actor, c *Card) {
	r := access.Resource{PracticeID: c.PracticeID, AuthorID: c.AuthorID, State: string(c.State)}
	if c.ClaimedBy != nil {
		r.ClaimedBy = *c.ClaimedBy
	}
	if access.Decide(actor, access.View, r) != nil {
		c.PatientName, c.MRN = "", ""
		if c.State == Drafted || c.State == InReview || c.State == AwaitingSignature {
			c.Reason = ""
		}
	}
}

// Counts is the number of dictations in each state that the actor may list.
func (s *Service) Counts(ctx context.Context, actor access.Actor) (map[State]int, error) {
	var out map[State]int
	err := s.Store.InTx(ctx, actor.PracticeID, func(ctx context.Context, tx Tx) (err error) {
		var author *uuid.UUID
		if actor.Role == access.Physician {
			author = &actor.ID
		}
		out, err = tx.Counts(ctx, author)
		return err
	})
	return out, err
}

// Card is the light status of one dictation, cheap enough to poll. It is not a view of patient data.
func (s *Service) Card(ctx context.Context, actor access.Actor, id uuid.UUID) (Card, error) {
	var out Card
	err := s.inTx(ctx, actor, access.List, id, func(ctx context.Context, tx Tx) error {
		if _, _, err := allowed(ctx, tx, actor, access.List, id, false); err != nil {
			return err
		}
		c, err := tx.Card(ctx, id)
		if err != nil {
			return err
		}
		hidePatient(actor, &c)
		c.PatientName, c.MRN = "", ""
		one := []Card{c}
		err = readClocks(ctx, tx, s.Now(), one)
		out = one[0]
		return err
	})
	return out, err
}

// Detail is everything about one dictation; looking at it is an event.
func (s *Service) Detail(ctx context.Context, actor access.Actor, id uuid.UUID) (Detail, error) {
	var out Detail
	err := s.inTx(ctx, actor, access.View, id, func(ctx context.Context, tx Tx) error {
		d, err := s.detail(ctx, tx, actor, access.View, id)
		if err != nil {
			return err
		}
		out = d
		return tx.Audit(ctx, done(actor, access.View, id, versionDetail(d)))
	})
	return out, err
}

func versionDetail(d Detail) map[string]string {
	if d.Version == nil {
		return nil
	}
	return map[string]string{"version": itoa(d.Version.Number), "content_sha256": d.Version.ContentHash}
}

// detail gathers the view after deciding the action.
func (s *Service) detail(ctx context.Context, tx Tx, actor access.Actor, action access.Action, id uuid.UUID) (Detail, error) {
	d, r, err := allowed(ctx, tx, actor, action, id, false)
	if err != nil {
		return Detail{}, err
	}
	card, err := tx.Card(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	card.Dictation = d // one reading: the patient shown below is the one that is hashed and signed
	one := []Card{card}
	if err := readClocks(ctx, tx, s.Now(), one); err != nil {
		return Detail{}, err
	}
	out := Detail{Card: one[0], Parent: d.ParentID, HasAudio: d.AudioID != nil, Can: map[access.Action]bool{}}
	for _, a := range access.Actions() {
		out.Can[a] = access.Decide(actor, a, r) == nil && possible(a, d.State, actor.Role)
	}
	if d.ParentID != nil {
		out.Can[access.Reject] = false
		out.Can[access.Rerun] = out.Can[access.Rerun] && d.State == Signed
	}
	if d.PatientID != nil {
		p, err := tx.Patient(ctx, *d.PatientID)
		if err != nil {
			return out, err
		}
		out.Patient = &p
	}
	if d.EncounterID != nil {
		e, err := tx.Encounter(ctx, *d.EncounterID)
		if err != nil {
			return out, err
		}
		out.Encounter = &e
	}
	if err := addPurged(ctx, tx, &out); err != nil {
		return out, err
	}
	if out.Claim, err = tx.ClaimOf(ctx, id); err != nil {
		return out, err
	}
	if out.Addenda, err = tx.AddendaOf(ctx, id); err != nil {
		return out, err
	}
	_, t, err := tx.TranscriptOf(ctx, id)
	if err == nil {
		out.Transcript = &t
	} else if !isNotFound(err) {
		return out, err
	}
	if d.State == Signed && out.Can[access.Retry] {
		live, err := delivering(ctx, tx, id)
		if err != nil {
			return out, err
		}
		idle := notSending(ctx, tx, id) == nil
		out.Can[access.Retry], out.Can[access.Cancel], out.Can[access.Rerun] = !live, live && idle, idle
	}
	return out, s.addNote(ctx, tx, &out)
}

// possible narrows a permission to the states in which the step exists, so that pages offer only what will work.
func possible(a access.Action, state State, role access.Role) bool {
	switch a {
	case access.Claim:
		return state == Drafted || state == InReview
	case access.Edit:
		return state == InReview || state == AwaitingSignature
	case access.Release:
		return state == InReview
	case access.Send:
		return CanMove(state, AwaitingSignature, role)
	case access.Return:
		return state == AwaitingSignature
	case access.Sign:
		return CanMove(state, Signed, role)
	case access.Amend:
		return state == Signed || state == Delivered
	case access.Reject:
		return CanMove(state, Rejected, role)
	case access.Download:
		return slices.Contains(withNote, state)
	case access.Retry:
		return state == Failed || state == Rejected || state == Signed
	case access.Cancel:
		return state == Queued || state == Transcribed || state == Signed
	case access.Rerun:
		return slices.Contains(unsigned, state) || state == Signed
	default:
		return true
	}
}

// withNote are the states in which there is a note that stands for something.
var withNote = []State{Drafted, InReview, AwaitingSignature, Signed, Delivered}

// addNote completes the view with note, newest version, signature and deliveries, as far as they exist.
func (s *Service) addNote(ctx context.Context, tx Tx, out *Detail) error {
	n, err := tx.NoteOf(ctx, out.ID)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	v, err := tx.Version(ctx, n.ID, n.Latest)
	if err != nil {
		return err
	}
	out.Note, out.Version, out.Obstacles = &n, &v, notes.ReadyToSign(v.Document)
	sig, err := tx.SignatureOf(ctx, n.ID)
	switch {
	case err == nil:
		out.Signature = &sig
	case !isNotFound(err):
		return err
	}
	out.Deliveries, err = tx.DeliveriesOf(ctx, n.ID)
	return err
}

// History is the whole record: all versions, all events, all jobs.
func (s *Service) History(ctx context.Context, actor access.Actor, id uuid.UUID) (History, error) {
	var out History
	err := s.inTx(ctx, actor, access.History, id, func(ctx context.Context, tx Tx) error {
		d, err := s.detail(ctx, tx, actor, access.History, id)
		if err != nil {
			return err
		}
		out = History{Detail: d}
		if d.Note != nil {
			if out.Versions, err = tx.Versions(ctx, d.Note.ID); err != nil {
				return err
			}
			if l, ok := LayersOf(out.Versions, d.Note.Latest, d.AuthorID); ok { // a note is signed by its author
				out.Layers = l.Changes()
			}
		}
		if out.Jobs, err = tx.Jobs(ctx, id); err != nil {
			return err
		}
		if out.Moves, err = tx.Moves(ctx, id); err != nil {
			return err
		}
		if err := tx.Audit(ctx, done(actor, access.History, id, versionDetail(d))); err != nil {
			return err
		}
		events, err := tx.Events(ctx, id)
		if err != nil {
			return err
		}
		out.Events, err = named(ctx, tx, events)
		return err
	})
	return out, err
}

// named adds the actors' names to events.
func named(ctx context.Context, tx Tx, events []audit.Event) ([]Event, error) {
	people, err := tx.People(ctx, "")
	if err != nil {
		return nil, err
	}
	names := map[uuid.UUID]string{uuid.Nil: "Vesper"}
	for _, p := range people {
		names[p.ID] = p.Name
	}
	out := make([]Event, len(events))
	for i, e := range events {
		out[i] = Event{Event: e, ActorName: names[e.ActorID]}
	}
	return out, nil
}

// OpenAudio opens a recording for listening; that is an event. "playback" falls back to the original where no rendition
// was made yet.
func (s *Service) OpenAudio(ctx context.Context, actor access.Actor, id uuid.UUID, rendition string) (io.ReadSeekCloser, Audio, error) {
	if rendition != Original {
		rendition = Playback
	}
	var a Audio
	err := s.inTx(ctx, actor, access.Listen, id, func(ctx context.Context, tx Tx) error {
		if _, _, err := allowed(ctx, tx, actor, access.Listen, id, false); err != nil {
			return err
		}
		found, err := listenable(ctx, tx, id, rendition)
		if err != nil {
			return err
		}
		a = found
		return tx.Audit(ctx, done(actor, access.Listen, id, map[string]string{"audio": a.ID.String(), "rendition": a.Rendition}))
	})
	if err != nil {
		return nil, Audio{}, err
	}
	r, err := s.Objects.Open(ctx, a)
	return r, a, err
}

// listenable picks the recording to listen to. For playback the original serves where the rendition is not made yet, or was
// purged before it.
func listenable(ctx context.Context, tx Tx, id uuid.UUID, rendition string) (Audio, error) {
	stones, err := tx.TombstonesOf(ctx, id)
	if err != nil {
		return Audio{}, err
	}
	gone := map[string]Tombstone{}
	for _, t := range stones {
		gone[t.Rendition] = t
	}
	want := []string{rendition}
	if rendition == Playback {
		want = append(want, Original)
	}
	for _, r := range want {
		if _, is := gone[r]; is {
			continue
		}
		a, err := tx.AudioOf(ctx, id, r)
		if !isNotFound(err) {
			return a, err
		}
	}
	if len(stones) > 0 {
		if t, is := gone[rendition]; is {
			return Audio{}, purged(t)
		}
		return Audio{}, purged(stones[0])
	}
	_, err = tx.AudioOf(ctx, id, Original) // says that there is none
	return Audio{}, err
}

// addPurged completes the view with what is left of recordings that are gone, and says whether one is left to listen to.
func addPurged(ctx context.Context, tx Tx, out *Detail) (err error) {
	if out.Purged, err = tx.TombstonesOf(ctx, out.ID); err != nil || len(out.Purged) == 0 {
		return err
	}
	_, err = listenable(ctx, tx, out.ID, Playback)
	if out.HasAudio = err == nil; isNotFound(err) {
		return nil
	}
	return err
}

// AuditTrail lists the practice's newest events; reading the log is itself an event.
func (s *Service) AuditTrail(ctx context.Context, actor access.Actor, before time.Time, limit int) ([]Event, error) {
	var out []Event
	err := s.inTx(ctx, actor, access.ReadAudit, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ReadAudit, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event(actor, access.ReadAudit, "practice", actor.PracticeID, "done", nil)); err != nil {
			return err
		}
		events, err := tx.PracticeEvents(ctx, before, min(max(limit, 1), 500))
		if err != nil {
			return err
		}
		out, err = named(ctx, tx, events)
		return err
	})
	return out, err
}

// VerifyAudit recomputes the whole log and compares it with every signed checkpoint, inside and outside the database.
func (s *Service) VerifyAudit(ctx context.Context, actor access.Actor) (audit.Report, error) {
	err := s.inTx(ctx, actor, access.ReadAudit, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := access.Decide(actor, access.ReadAudit, access.Resource{PracticeID: actor.PracticeID}); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, access.ReadAudit, "practice", actor.PracticeID, "done", map[string]string{"verify": "log"}))
	})
	if err != nil {
		return audit.Report{}, err
	}
	report, err := Verify(ctx, s.Store, s.AuditKey, s.Outside)
	if err != nil {
		return report, err
	}
	_, wrong, err := VerifyTombstones(ctx, s.Store, s.AuditKey)
	report.Findings = append(report.Findings, wrong...)
	return report, err
}

// Verify checks the audit log of a store; `vesper audit verify` calls it.
func Verify(ctx context.Context, log AuditLog, publicKey string, outside func(context.Context) ([][]byte, error)) (audit.Report, error) {
	checkpoints, err := log.Checkpoints(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	if outside != nil {
		more, err := outside(ctx)
		if err != nil {
			return audit.Report{}, err
		}
		checkpoints = append(checkpoints, more...)
	}
	v := audit.NewVerifier(checkpoints, publicKey)
	if err := log.Entries(ctx, v.Add); err != nil {
		return audit.Report{}, err
	}
	later, err := log.Checkpoints(ctx) // the log may have grown while it was read
	if err != nil {
		return audit.Report{}, err
	}
	if err := v.Cover(later, publicKey); err != nil {
		return audit.Report{}, err
	}
	report, err := v.Finish(ctx)
	if err != nil {
		return report, err
	}
	waiting, err := log.Unsequenced(ctx)
	if err != nil {
		return report, err
	}
	if waiting > 0 {
		report.Findings = append(report.Findings, audit.Finding{
			Seq:  -1,
			What: itoa(waiting) + " events older than a minute are not in the tree yet; is a worker running?",
		})
	}
	return report, nil
}

func isNotFound(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Kind == fault.NotFound
}
