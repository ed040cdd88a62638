package pipeline_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes/render"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/pipeline/turnaround"
)

// attempt is one actor's try of one action on one dictation.
type attempt func(w *world, a access.Actor, id uuid.UUID) error

// attempts says how each action is tried through the service.
var attempts = map[access.Action]attempt{
	access.Submit: func(w *world, a access.Actor, _ uuid.UUID) error {
		sub := w.submission()
		sub.AuthorID, sub.Body = w.people["physician"].ID, bytes.NewReader(tone())
		_, err := w.svc.Submit(context.Background(), a, sub)
		return err
	},
	access.List: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Card(context.Background(), a, id)
		return err
	},
	access.View: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Detail(context.Background(), a, id)
		return err
	},
	access.Listen: func(w *world, a access.Actor, id uuid.UUID) error {
		r, _, err := w.svc.OpenAudio(context.Background(), a, id, pipeline.Original)
		if err == nil {
			err = r.Close()
		}
		return err
	},
	access.Claim: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Claim(context.Background(), a, id)
		return err
	},
	access.Edit: func(w *world, a access.Actor, id uuid.UUID) error {
		v := w.newest(id)
		_, err := w.svc.Save(context.Background(), a, id, v.Number, editedText(v.Document, "plan", "Rest and fluids."))
		return err
	},
	access.Release: func(w *world, a access.Actor, id uuid.UUID) error { return w.svc.Release(context.Background(), a, id) },
	access.Send: func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Send(context.Background(), a, id, w.newest(id).Number)
	},
	access.Return: func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Return(context.Background(), a, id, "Please hear the plan again.")
	},
	access.Sign: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Sign(context.Background(), a, id, w.blind(id))
		return err
	},
	access.Amend: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Addendum(context.Background(), a, id, "The culture came back negative.")
		return err
	},
	access.History: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.History(context.Background(), a, id)
		return err
	},
	access.Download: func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Rendering(context.Background(), a, id, 0, render.Text)
		return err
	},
	access.ReadQuality: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Quality(context.Background(), a, pipeline.QualityFilter{})
		return err
	},
	access.Retry: func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Retry(context.Background(), a, id, "The store is mended.")
	},
	access.Cancel: func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Cancel(context.Background(), a, id, "Sent twice.")
	},
	access.Rerun: func(w *world, a access.Actor, id uuid.UUID) error {
		stage := pipeline.TranscribeJob
		if w.dictation(id).State == pipeline.Signed {
			stage = pipeline.DeliverJob
		}
		return w.svc.Rerun(context.Background(), a, id, stage, "A better model is here.")
	},
	access.Reject: func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Reject(context.Background(), a, id, "Nothing but wind noise.")
	},
	access.ReadAudit: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.AuditTrail(context.Background(), a, time.Time{}, 10)
		return err
	},
	access.ManagePeople: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.AddPerson(context.Background(), a, pipeline.Person{Role: "editor", Login: newID().String(), Name: "Kim Doe"}, password)
		return err
	},
	access.ReadTerms: func(w *world, a access.Actor, _ uuid.UUID) error {
		author := w.people["physician"].ID
		_, err := w.svc.Terms(context.Background(), a, &author)
		return err
	},
	access.ManageTerms: func(w *world, a access.Actor, _ uuid.UUID) error {
		author := w.people["physician"].ID
		_, err := w.svc.AddTerm(context.Background(), a, pipeline.VocabularyTerm{AuthorID: &author, Text: "zanterpel " + newID().String()[24:]})
		return err
	},
	access.ManageCorrections: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Learning(context.Background(), a, w.people["physician"].ID)
		return err
	},
	access.Operate: func(w *world, a access.Actor, _ uuid.UUID) error { return w.svc.OpenQueues(context.Background(), a) },
	access.ReadKeeping: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Kept(context.Background(), a)
		return err
	},
	access.SettleFinding: func(w *world, a access.Actor, _ uuid.UUID) error {
		return w.svc.SettleFinding(context.Background(), a, w.finding(), "The store's administrator was told.")
	},
	access.ManageRetention: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.SetRetention(context.Background(), a, keeping.Rule{Reason: "As the practice decided."})
		return err
	},
	access.ManageHolds: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, _, err := w.svc.SetHold(context.Background(), a, keeping.OfPatient, w.stranger(), "A request for records.")
		return err
	},
	access.ReadTurnaround: func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.TurnaroundReport(context.Background(), a, time.Time{}, time.Time{})
		return err
	},
	access.ManageTurnaround: func(w *world, a access.Actor, _ uuid.UUID) error {
		number := w.planNumber()
		_, err := w.svc.SetTurnaroundPlan(context.Background(), a, number, turnaround.Always())
		return err
	},
	access.Process: nil, // only workers: the service has no such method
}

// finding plants a finding that nobody has settled.
func (w *world) finding() uuid.UUID {
	w.Helper()
	id := newID()
	testkit.Exec(w, w.admin, `INSERT INTO keep_findings (id, practice_id, kind, key) VALUES ($1, $2, 'orphan', $3)`, id, w.practice, id.String())
	return id
}

// stranger is a new patient about whom nothing was dictated.
func (w *world) stranger() uuid.UUID {
	w.Helper()
	id := newID()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{ID: id, PracticeID: w.practice, MRN: id.String(), Name: "Sample, Ola"})
	})
	return id
}

// steps are the states in which an action that changes something can succeed; actions that are not listed always can.
var steps = map[access.Action][]pipeline.State{
	access.Claim:    {pipeline.Drafted, pipeline.InReview},
	access.Edit:     {pipeline.InReview, pipeline.AwaitingSignature},
	access.Release:  {pipeline.InReview},
	access.Send:     {pipeline.InReview},
	access.Return:   {pipeline.AwaitingSignature},
	access.Sign:     {pipeline.AwaitingSignature},
	access.Amend:    {pipeline.Signed, pipeline.Delivered},
	access.Download: {pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature, pipeline.Signed, pipeline.Delivered},
	access.Retry:    {pipeline.Failed, pipeline.Rejected},
	access.Cancel:   {pipeline.Queued, pipeline.Transcribed, pipeline.Signed},
	access.Rerun: {
		pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature, pipeline.Failed,
		pipeline.Rejected, pipeline.Signed,
	},
	access.Reject: {pipeline.InReview, pipeline.Failed},
}

// changes are the actions after which a dictation is not what it was.
var changes = []access.Action{access.Claim, access.Edit, access.Release, access.Send, access.Return, access.Sign, access.Amend, access.Retry, access.Cancel, access.Rerun, access.Reject}

// newest is the newest version as stored, without a look that would be recorded; an empty one where there is none.
func (w *world) newest(id uuid.UUID) (v pipeline.Version) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		n, err := tx.NoteOf(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		v, err = tx.Version(ctx, n.ID, n.Latest)
		return err
	})
	return v
}

// TestEveryRoleCanDoExactlyWhatThePolicySays walks role by action by state through the service, and holds each outcome
// against the pure decision and the transition table.
func TestEveryRoleCanDoExactlyWhatThePolicySays(t *testing.T) {
	t.Parallel()
	for _, state := range states {
		if state == pipeline.Received {
			continue // passes within one transaction; nobody sees it
		}
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			id := w.at(state)
			for _, action := range access.Actions() {
				try, known := attempts[action]
				if !known {
					t.Fatalf("%s: the test does not know how to try it", action)
				}
				if try == nil {
					continue
				}
				for who := range w.people {
					if w.matches(who, action, id, state) && slices.Contains(changes, action) {
						id = w.at(state)
					}
				}
			}
		})
	}
}

// matches tries one action and compares; it reports whether the action was done.
func (w *world) matches(who string, action access.Action, id uuid.UUID, state pipeline.State) bool {
	w.Helper()
	actor := w.as(who)
	r := access.Resource{PracticeID: w.practice, AuthorID: w.people["physician"].ID, State: string(state)}
	if state == pipeline.InReview {
		r.ClaimedBy = w.people["editor"].ID
	}
	if action == access.ReadAudit || action == access.ReadQuality || action == access.ManagePeople ||
		action == access.ReadTurnaround || action == access.ManageTurnaround {
		r = access.Resource{PracticeID: w.practice}
	}
	allowed := access.Decide(actor, action, r)
	before := w.count()
	err := attempts[action](w, actor, id)
	added := w.count() - before
	where, limited := steps[action]
	switch {
	case allowed != nil:
		if fault.KindOf(err) != fault.Forbidden || fault.As(err).Code != "forbidden" {
			w.Errorf("%s %s on %s: %v, want a refusal", who, action, state, err)
		}
		w.wantRefusal(who, actor, action, state, added)
	case limited && !slices.Contains(where, state), who != "editor" && action == access.Claim && state == pipeline.InReview:
		if fault.KindOf(err) != fault.Conflict {
			w.Errorf("%s %s on %s: %v, want a conflict", who, action, state, err)
		}
		if added != 0 {
			w.Errorf("%s %s on %s: %d events of something that did not happen", who, action, state, added)
		}
	default:
		if err != nil {
			w.Errorf("%s %s on %s: %v", who, action, state, err)
		}
		return err == nil
	}
	if d := w.dictation(id); d.State != state {
		w.Errorf("%s %s moved the dictation from %s to %s", who, action, state, d.State)
	}
	return false
}

// wantRefusal fails the test unless the newest event is this refusal, and the only new one.
func (w *world) wantRefusal(who string, actor access.Actor, action access.Action, state pipeline.State, added int) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		newest, err := tx.PracticeEvents(ctx, time.Time{}, 1)
		if err != nil {
			return err
		}
		e := newest[0]
		if added != 1 || e.Outcome != "refused" || e.Action != string(action) || e.ActorID != actor.ID || e.Detail["code"] != "forbidden" {
			w.Errorf("%s %s on %s: %d events, the newest %+v; want this refusal", who, action, state, added, e)
		}
		return nil
	})
}

func TestPeopleOfAnotherPracticeFindNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.awaiting()
	elsewhere, err := w.serve.CreatePractice(context.Background(), "Harbor Clinic")
	w.must(err)
	hash, err := passwordHash()
	w.must(err)
	for _, role := range access.Roles() {
		p := pipeline.Person{ID: newID(), PracticeID: elsewhere, Role: string(role), Login: "harbor-" + string(role), Name: "Pat Harbor"}
		w.must(w.serve.InTx(context.Background(), elsewhere, func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, p, hash) }))
		for action, try := range attempts {
			switch action {
			case access.Process, access.ReadAudit, access.ManagePeople, access.ReadTerms, access.ManageTerms, access.ReadQuality, access.ManageCorrections,
				access.ReadKeeping, access.SettleFinding, access.ManageRetention, access.ManageHolds, access.Operate,
				access.ReadTurnaround, access.ManageTurnaround:
				continue // these are about the actor's own practice
			}
			before := w.events(id)
			err := try(w, p.Actor(), id)
			if k := fault.KindOf(err); k != fault.NotFound && k != fault.Forbidden {
				t.Errorf("%s of another practice, %s: %v", role, action, err)
			}
			if action != access.Submit && fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s of another practice learns by %s that the dictation exists: %v", role, action, err)
			}
			if after := w.events(id); len(after) != len(before) {
				t.Errorf("%s of another practice wrote into this practice's record by %s", role, action)
			}
		}
	}
	w.wantState(id, pipeline.AwaitingSignature)
}

func TestListsHideThePatientFromThoseWhoMayNotReadTheNote(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	for who, sees := range map[string]bool{"physician": true, "supervisor": true, "compliance": true, "editor": true, "admin": false} {
		cards, err := w.svc.Cards(ctx, w.as(who), pipeline.Filter{})
		w.must(err)
		if len(cards) != 1 || cards[0].ID != id {
			t.Fatalf("%s sees %d cards", who, len(cards))
		}
		if (cards[0].PatientName != "") != sees || (cards[0].MRN != "") != sees {
			t.Errorf("%s sees the patient %q", who, cards[0].PatientName)
		}
		card, err := w.svc.Card(ctx, w.as(who), id)
		w.must(err)
		if card.PatientName != "" || card.MRN != "" {
			t.Errorf("the status that %s polls names the patient", who)
		}
	}
	for _, who := range []string{"other", "second"} {
		cards, err := w.svc.Cards(ctx, w.as(who), pipeline.Filter{})
		w.must(err)
		if len(cards) != 0 {
			t.Errorf("%s sees a card that is not for them", who)
		}
	}
	if _, err := w.svc.Encounters(ctx, w.as("other"), w.people["physician"].ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a physician lists a colleague's visits: %v", err)
	}
	if _, err := w.svc.Patients(ctx, w.as("admin"), "q"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an administrator searches patients: %v", err)
	}
	counts, err := w.svc.Counts(ctx, w.as("other"))
	w.must(err)
	if len(counts) != 0 {
		t.Errorf("a physician counts a colleague's dictations: %v", counts)
	}
}

func TestWhatADetailOffersIsWhatWillWork(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, state := range []pipeline.State{pipeline.Drafted, pipeline.InReview, pipeline.AwaitingSignature, pipeline.Signed, pipeline.Failed} {
		id := w.at(state)
		for who := range w.people {
			d, err := w.svc.Detail(context.Background(), w.as(who), id)
			if err != nil {
				continue
			}
			for _, action := range changes {
				if !d.Can[action] {
					continue
				}
				if err := attempts[action](w, w.as(who), id); err != nil && fault.As(err).Code != "claimed" {
					t.Errorf("%s is offered %s on %s and it fails: %v", who, action, state, err)
				}
				id = w.at(state)
			}
		}
	}
}
