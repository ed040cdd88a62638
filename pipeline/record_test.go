package pipeline_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/notes/render"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// looks are all methods of the service that a person can call: how each is called when it succeeds, on a dictation in
// which state, and how many events it leaves.
var looks = map[string]struct {
	state  pipeline.State // "" where no dictation is needed
	who    string
	events int
	call   func(w *world, a access.Actor, id uuid.UUID) error
}{
	"Submit":   {"", "physician", 1, attempts[access.Submit]},
	"Arrive":   {"", "physician", 1, arrive},
	"Withdraw": {"", "physician", 2, arriveAndWithdraw},
	"Cards": {pipeline.Drafted, "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Cards(context.Background(), a, pipeline.Filter{})
		return err
	}},
	"Attention": {pipeline.Drafted, "supervisor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Attention(context.Background(), a)
		return err
	}},
	"Detail":  {pipeline.Drafted, "editor", 1, attempts[access.View]},
	"History": {pipeline.Drafted, "compliance", 1, attempts[access.History]},
	"SignaturePreview": {pipeline.AwaitingSignature, "physician", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.SignaturePreview(context.Background(), a, id)
		return err
	}},
	"OpenAudio": {pipeline.Drafted, "editor", 1, attempts[access.Listen]},
	"Patients": {"", "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Patients(context.Background(), a, canary)
		return err
	}},
	"Encounters": {"", "physician", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Encounters(context.Background(), a, a.ID)
		return err
	}},
	"Terms":      {"", "physician", 1, attempts[access.ReadTerms]},
	"AddTerm":    {"", "physician", 1, attempts[access.ManageTerms]},
	"RemoveTerm": {"", "supervisor", 2, addAndRemove},
	"TextBlocks": {"", "physician", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.TextBlocks(context.Background(), a)
		return err
	}},
	"AddTextBlock": {"", "physician", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.AddTextBlock(context.Background(), a, pipeline.TextBlock{Name: "heart exam", Text: "Regular rhythm."})
		return err
	}},
	"RemoveTextBlock": {"", "physician", 2, addAndRemoveBlock},
	"SetLanguage": {"", "physician", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		return w.svc.SetLanguage(context.Background(), a, "es")
	}},
	"Learning": {"", "supervisor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Learning(context.Background(), a, w.people["physician"].ID)
		return err
	}},
	"DecideCorrection": {"", "supervisor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.DecideCorrection(context.Background(), a, w.people["physician"].ID, "zanter pell", "Zanterpel", pipeline.Approved)
		return err
	}},
	"UndoCorrection": {"", "supervisor", 2, func(w *world, a access.Actor, _ uuid.UUID) error {
		l, err := w.svc.Learning(context.Background(), w.as("supervisor"), w.people["physician"].ID)
		if err != nil {
			return err
		}
		return w.svc.UndoCorrection(context.Background(), a, l.Decided[0].ID)
	}},
	"Quality": {"", "supervisor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Quality(context.Background(), a, pipeline.QualityFilter{})
		return err
	}},
	"SetTurnaroundPlan":  {"", "supervisor", 1, attempts[access.ManageTurnaround]},
	"TurnaroundReport":   {"", "supervisor", 1, attempts[access.ReadTurnaround]},
	"SetEscalationRules": {"", "supervisor", 1, setRules},
	"ReadNotices": {"", "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		return w.svc.ReadNotices(context.Background(), a, nil)
	}},
	"SetNoticeSettings": {"", "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		return w.svc.SetNoticeSettings(context.Background(), a, pipeline.NoticeSettings{Address: "mina@practice.example", ByMail: true})
	}},
	"AddWebhook": {"", "supervisor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, _, err := w.svc.AddWebhook(context.Background(), a, "https://hooks.example/"+newID().String())
		return err
	}},
	"RemoveWebhook": {"", "supervisor", 2, addAndRemoveWebhook},
	"ResendMessage": {pipeline.Drafted, "supervisor", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.ResendMessage(context.Background(), a, w.deadMessage(id))
	}},
	"Rendering": {pipeline.Drafted, "supervisor", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		_, err := w.svc.Rendering(context.Background(), a, id, 0, render.Text)
		return err
	}},
	"OpenQueues": {"", "admin", 1, attempts[access.Operate]},
	"Kept":       {"", "admin", 1, attempts[access.ReadKeeping]},
	"Tombstones": {"", "compliance", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Tombstones(context.Background(), a, time.Time{})
		return err
	}},
	"Retention": {"", "compliance", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Retention(context.Background(), a)
		return err
	}},
	"SettleFinding": {"", "admin", 1, attempts[access.SettleFinding]},
	"SetRetention":  {"", "admin", 1, attempts[access.ManageRetention]},
	"SetHold":       {"", "compliance", 1, attempts[access.ManageHolds]},
	"Holds": {"", "compliance", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Holds(context.Background(), a)
		return err
	}},
	"LiftHold": {"", "compliance", 2, func(w *world, a access.Actor, _ uuid.UUID) error {
		h, _, err := w.svc.SetHold(context.Background(), a, keeping.OfPatient, w.patient.ID, "A request for records.")
		if err != nil {
			return err
		}
		_, err = w.svc.LiftHold(context.Background(), a, h.ID, "Answered.")
		return err
	}},
	"AuditTrail": {"", "compliance", 1, attempts[access.ReadAudit]},
	"VerifyAudit": {"", "compliance", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.VerifyAudit(context.Background(), a)
		return err
	}},
	"Claim": {pipeline.Drafted, "editor", 1, attempts[access.Claim]},
	"Save":  {pipeline.InReview, "editor", 1, attempts[access.Edit]},
	"Settle": {pipeline.InReview, "editor", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		v := w.newest(id)
		_, err := w.svc.Settle(context.Background(), a, id, v.Number, v.Document.Flags[0].ID, "heard")
		return err
	}},
	"Restore": {pipeline.InReview, "editor", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		v := w.newest(id)
		_, err := w.svc.Restore(context.Background(), a, id, v.Number, notes.Restorable(v.Document)[0].ID)
		return err
	}},
	"Bind": {pipeline.InReview, "editor", 1, func(w *world, a access.Actor, id uuid.UUID) error {
		return w.svc.Bind(context.Background(), a, id, &w.patient.ID, nil, "")
	}},
	"Release":   {pipeline.InReview, "editor", 1, attempts[access.Release]},
	"Send":      {pipeline.InReview, "editor", 1, attempts[access.Send]},
	"Return":    {pipeline.AwaitingSignature, "physician", 1, attempts[access.Return]},
	"Reject":    {pipeline.InReview, "editor", 1, attempts[access.Reject]},
	"Retry":     {pipeline.Failed, "supervisor", 1, attempts[access.Retry]},
	"Cancel":    {pipeline.Queued, "supervisor", 1, attempts[access.Cancel]},
	"Rerun":     {pipeline.Drafted, "admin", 1, attempts[access.Rerun]},
	"Sign":      {pipeline.AwaitingSignature, "physician", 1, attempts[access.Sign]},
	"Addendum":  {pipeline.Signed, "physician", 2, attempts[access.Amend]}, // one on each of the two dictations
	"AddPerson": {"", "admin", 1, attempts[access.ManagePeople]},
	"SetPersonDisabled": {"", "admin", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		return w.svc.SetPersonDisabled(context.Background(), a, w.people["second"].ID, true)
	}},
	"Login": {"", "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Login(context.Background(), "editor", password)
		return err
	}},
	"Logout": {"", "editor", 1, func(w *world, a access.Actor, _ uuid.UUID) error { return w.svc.Logout(context.Background(), a) }},
}

// habit lets an editor change the same words in three notes, and others as well, for which the correction is approved.
func habit(w *world) {
	w.recite("Subjective: She is well. Plan: Take zanter pell nightly. Rest. See doctor quin dolex soon.")
	for range 3 {
		w.edited("Take Zanterpel nightly. Rest. See doctor Quindolex soon.")
	}
	_, err := w.svc.DecideCorrection(context.Background(), w.as("supervisor"), w.people["physician"].ID, "quin dolex", "Quindolex", pipeline.Approved)
	w.must(err)
}

// notLooks show no patient data and change nothing: states, names of colleagues and work types.
var notLooks = map[string]func(w *world, a access.Actor, id uuid.UUID) error{
	"Card": attempts[access.List],
	"TurnaroundPlan": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.TurnaroundPlan(context.Background(), a)
		return err
	},
	"Escalations": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Escalations(context.Background(), a)
		return err
	},
	"Notices": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Notices(context.Background(), a)
		return err
	},
	"UnreadNotices": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.UnreadNotices(context.Background(), a)
		return err
	},
	"NoticeSettings": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.NoticeSettings(context.Background(), a)
		return err
	},
	"Language": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Language(context.Background(), a)
		return err
	},
	"Queue": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Queue(context.Background(), a)
		return err
	},
	"Admit": func(w *world, _ access.Actor, _ uuid.UUID) error {
		return w.svc.Admit(context.Background(), pipeline.Routine)
	},
	"Counts": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Counts(context.Background(), a)
		return err
	},
	"Person": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.Person(context.Background(), w.practice, a.ID)
		return err
	},
	"People": func(w *world, a access.Actor, _ uuid.UUID) error {
		_, err := w.svc.People(context.Background(), a, "")
		return err
	},
	"WorkTypes": func(w *world, _ access.Actor, _ uuid.UUID) error { w.svc.WorkTypes(); return nil },
}

func TestEveryMethodOfTheServiceIsWatched(t *testing.T) {
	t.Parallel()
	of := reflect.TypeFor[*pipeline.Service]()
	for i := range of.NumMethod() {
		name := of.Method(i).Name
		_, watched := looks[name]
		_, harmless := notLooks[name]
		if watched == harmless {
			t.Errorf("%s is in neither list or in both: say how many events it leaves", name)
		}
	}
	if n := len(looks) + len(notLooks); n != of.NumMethod() {
		t.Errorf("%d methods are listed, the service has %d", n, of.NumMethod())
	}
}

func TestEachLookAndEachChangeLeavesExactlyItsEvents(t *testing.T) {
	t.Parallel()
	w := setup(t)
	habit(w)
	for name, l := range looks {
		var id uuid.UUID
		if l.state != "" {
			id = w.at(l.state)
		}
		before := w.count()
		if err := l.call(w, w.as(l.who), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := w.count() - before; n != l.events {
			t.Errorf("%s leaves %d events, want %d", name, n, l.events)
		}
	}
	id := w.drafted()
	before := w.count()
	for name, call := range notLooks {
		if err := call(w, w.as("supervisor"), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.count() - before; n != 0 {
		t.Errorf("%d events of what shows nothing", n)
	}
}

func TestWhatCannotBeRecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ids := map[string]uuid.UUID{}
	for name, l := range looks {
		if l.state != "" && l.state != pipeline.Signed {
			ids[name] = w.at(l.state)
		}
	}
	habit(w)
	ids["Addendum"] = w.signed() // last, or the way of another one would deliver it
	ids["Cancel"] = w.submit()   // or transcribe this one
	waiting := w.submit()
	testkit.Exec(t, w.admin, `REVOKE INSERT ON audit_events FROM vesper_app`)
	versions := w.rows("note_versions")
	for name, l := range looks {
		if err := l.call(w, w.as(l.who), ids[name]); fault.KindOf(err) != fault.Internal {
			t.Errorf("%s without a record: %v", name, err)
		}
		if l.state != "" {
			w.wantState(ids[name], l.state)
		}
	}
	if n := w.rows("note_versions"); n != versions {
		t.Errorf("%d versions were written without a record", n-versions)
	}
	for _, b := range w.bells() {
		w.must(w.worker.Do(context.Background(), b))
	}
	w.wantState(waiting, pipeline.Queued)

	testkit.Exec(t, w.admin, `GRANT INSERT ON audit_events TO vesper_app`)
	w.hurry()
	w.drain()
	w.wantState(waiting, pipeline.Drafted)
}

func TestNothingIsShownWhenTheLookCannotBeRecorded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.drafted()
	testkit.Exec(t, w.admin, `REVOKE INSERT ON audit_events FROM vesper_app`)
	ctx := context.Background()
	r, a, err := w.svc.OpenAudio(ctx, w.as("editor"), id, pipeline.Playback)
	if r != nil || a.Key != "" || err == nil {
		t.Error("the recording was opened")
	}
	trail, err := w.svc.AuditTrail(ctx, w.as("compliance"), time.Time{}, 10)
	if len(trail) != 0 || err == nil {
		t.Error("the trail was shown")
	}
	sub := w.submission()
	body := tone()
	sub.Body = bytes.NewReader(body)
	if receipt, err := w.svc.Submit(ctx, w.as("physician"), sub); err == nil || receipt.DictationID != uuid.Nil {
		t.Errorf("a recording was acknowledged without a record: %+v", receipt)
	}
}

func TestSignInIsRecordedAndTellsNothingApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	_, err := w.svc.Login(ctx, " editor ", password)
	w.must(err)
	w.must(w.svc.SetPersonDisabled(ctx, w.as("admin"), w.people["second"].ID, true))
	for name, c := range map[string][2]string{"wrong password": {"editor", "wrong"}, "unknown": {"nobody", password}, "disabled": {"second", password}, "empty": {"editor", ""}} {
		_, err := w.svc.Login(ctx, c[0], c[1])
		wantFault(t, err, fault.Unauthenticated, "login_wrong")
		if f := fault.As(err); f.Public != "Login or password is not right." {
			t.Errorf("%s: %s", name, f.Public)
		}
	}
	events := w.events(w.people["editor"].ID)
	if len(events) != 3 || events[0].Outcome != "done" || events[1].Outcome != "refused" || events[2].Outcome != "refused" {
		t.Errorf("events of the editor's sign-ins: %+v", events)
	}
	wantFault(t, w.svc.SetPersonDisabled(ctx, w.as("admin"), w.people["admin"].ID, true), fault.Invalid, "own_account")
	_, err = w.svc.AddPerson(ctx, w.as("admin"), pipeline.Person{Role: "system", Login: "x", Name: "X"}, password)
	wantFault(t, err, fault.Invalid, "person_incomplete")
	_, err = w.svc.AddPerson(ctx, w.as("admin"), pipeline.Person{Role: "editor", Login: "EDITOR", Name: "X"}, password)
	wantFault(t, err, fault.Conflict, "login_taken")
	_, err = w.svc.AddPerson(ctx, w.as("admin"), pipeline.Person{Role: "editor", Login: "x", Name: "X"}, "short")
	wantFault(t, err, fault.Invalid, "password_short")
}
