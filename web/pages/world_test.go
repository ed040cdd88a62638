package pages_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/turnaround"
	"vesper/web/pages"
)

// hostile is text that must come out as text wherever people's words are shown.
const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)>"'` + "`"

var (
	now      = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	practice = uuid.MustParse("00000000-0000-7000-8000-0000000000aa")
	doctor   = uuid.MustParse("00000000-0000-7000-8000-0000000000d0")
	editor   = uuid.MustParse("00000000-0000-7000-8000-0000000000e0")
	dictated = uuid.MustParse("00000000-0000-7000-8000-000000000001")
)

// stage is the service behind the pages: one dictation with everything a page can show, in a state the test chooses.
type stage struct {
	state  pipeline.State
	name   string // of the patient, and part of the text
	reason string
	fail   error
	empty  bool

	quarantined bool
	change      func(*pipeline.Card) // what is otherwise on its card
	events      []pipeline.Event
	moves       []pipeline.StateChange
}

func (s *stage) card() pipeline.Card {
	c := pipeline.Card{
		Dictation: pipeline.Dictation{
			ID: dictated, PracticeID: practice, AuthorID: doctor, WorkType: "progress", Priority: pipeline.Stat, State: s.state, Reason: s.reason,
			ReceivedAt: now.Add(-time.Hour), DueAt: now.Add(30 * time.Minute), UpdatedAt: now,
		},
		AuthorName: "Robin Avery", PatientName: s.name, MRN: "DEMO-0001", Seconds: 75, Done: 1, Total: 3, Obstacles: 2, Quarantined: s.quarantined,
		Clock: turnaround.Reading{Used: 50 * time.Minute, Paused: 65 * time.Minute, Allowed: 2 * time.Hour, Phase: turnaround.Running, Working: true},
	}
	if s.change != nil {
		s.change(&c)
	}
	return c
}

func (s *stage) document() notes.Document {
	at := now
	return notes.Document{
		WorkType: "progress",
		Sections: []notes.Section{{Key: "plan", Heading: "Plan", Runs: []notes.Run{
			{Text: "Rest for two days.", Source: notes.Source{Kind: notes.FromSpeech, Start: 3, End: 5}},
			{Text: " Call " + s.name + ".", Source: notes.Source{Kind: notes.FromPerson, By: editor.String(), At: &at}},
		}}},
		Flags: []notes.Flag{{ID: "f1", Kind: notes.FlagNumber, Severity: notes.Critical, Section: "plan", Text: "two", Detail: "Listen to “two”.", Start: 4, End: 4.3}},
	}
}

func (s *stage) detail() pipeline.Detail {
	doc := s.document()
	by := editor
	v := pipeline.Version{Number: 2, Kind: pipeline.EditorEdit, Document: doc, ContentHash: notes.ContentHash(doc), By: &by, ByName: "Kim Doe", At: now}
	d := pipeline.Detail{
		Card: s.card(), Patient: &pipeline.Patient{Name: s.name, MRN: "DEMO-0001", BirthDate: "1967-04-12"},
		Note: &pipeline.Note{Latest: 2}, Version: &v, Obstacles: notes.ReadyToSign(doc), HasAudio: true,
		Can: map[access.Action]bool{access.Sign: true, access.Edit: true, access.Amend: true, access.Listen: true},
	}
	if s.state == pipeline.Delivered {
		d.Signature = &pipeline.Signature{Version: 2, SignerName: "Robin Avery", Credential: "MD", Meaning: pipeline.Meaning, SignedAt: now, TextSHA256: "abc", CanonicalSHA256: "def"}
		d.Deliveries = []pipeline.Delivery{{Target: "sandbox", State: pipeline.DeliveryDelivered, EHRID: "DocumentReference/7", TextSHA256: "abc", ReadBackSHA: "abc", UpdatedAt: now}}
	}
	return d
}

func (s *stage) Cards(context.Context, access.Actor, pipeline.Filter) ([]pipeline.Card, error) {
	if s.empty {
		return nil, s.fail
	}
	return []pipeline.Card{s.card()}, s.fail
}

func (s *stage) Attention(ctx context.Context, a access.Actor) ([]pipeline.Card, error) {
	return s.Cards(ctx, a, pipeline.Filter{})
}

func (s *stage) Counts(context.Context, access.Actor) (map[pipeline.State]int, error) {
	return map[pipeline.State]int{s.state: 1}, s.fail
}

func (s *stage) Card(context.Context, access.Actor, uuid.UUID) (pipeline.Card, error) {
	return s.card(), s.fail
}

func (s *stage) Queue(context.Context, access.Actor) (pipeline.QueueState, error) {
	return pipeline.QueueState{
		Workload: pipeline.Workload{Stat: 1, Routine: 11, Running: 2, Slots: 2, Workers: 1, Runs: 4, AudioSeconds: 240, EngineSeconds: 40},
		Wait:     200 * time.Second, WaitKnown: true, Accepting: true,
	}, s.fail
}

func (s *stage) Detail(context.Context, access.Actor, uuid.UUID) (pipeline.Detail, error) {
	return s.detail(), s.fail
}

func (s *stage) SignaturePreview(context.Context, access.Actor, uuid.UUID) (pipeline.SignaturePreview, error) {
	d := s.detail()
	return pipeline.SignaturePreview{
		Detail: d, Preview: "PLAN\nCall " + s.name, ContentHash: d.Version.ContentHash,
		Changes: []notes.Change{{Section: "plan", Heading: "Plan", Op: notes.Equal, Text: "Rest"}, {Section: "plan", Heading: "Plan", Op: notes.Insert, Text: s.name}, {Section: "plan", Heading: "Plan", Op: notes.Delete, Text: "gone"}},
	}, s.fail
}

func (s *stage) History(context.Context, access.Actor, uuid.UUID) (pipeline.History, error) {
	d := s.detail()
	return pipeline.History{
		Detail: d, Versions: []pipeline.Version{{Number: 1, Kind: pipeline.EngineDraft, At: now}, *d.Version}, Events: s.events, Moves: s.moves,
		Jobs: []pipeline.Job{{Kind: pipeline.TranscribeJob, State: pipeline.JobDone, Attempt: 1, MaxAttempts: 5}},
	}, s.fail
}

func (s *stage) AuditTrail(context.Context, access.Actor, time.Time, int) ([]pipeline.Event, error) {
	return s.events, s.fail
}

func (s *stage) People(context.Context, access.Actor, string) ([]pipeline.Person, error) {
	return []pipeline.Person{{ID: doctor, Name: "Robin Avery", Role: "physician", Login: "dr.avery"}, {ID: editor, Name: s.name, Role: "editor", Disabled: true}}, s.fail
}

func (s *stage) Encounters(context.Context, access.Actor, uuid.UUID) ([]pipeline.Encounter, error) {
	return []pipeline.Encounter{{ID: dictated, PatientID: dictated, Title: "Office visit", Starts: now, PatientName: s.name, MRN: "DEMO-0001"}}, s.fail
}

func (s *stage) Terms(context.Context, access.Actor, *uuid.UUID) ([]pipeline.VocabularyTerm, error) {
	author := doctor
	if s.empty {
		return nil, s.fail
	}
	return []pipeline.VocabularyTerm{
		{ID: dictated, AuthorID: &author, Text: s.name, Says: []string{s.name}, Kind: lexicon.Other, AddedAt: now},
		{ID: practice, Text: s.name, Kind: lexicon.Brand, AddedAt: now, AddedByName: s.name},
	}, s.fail
}

func (s *stage) Learning(context.Context, access.Actor, uuid.UUID) (pipeline.Learning, error) {
	if s.empty {
		return pipeline.Learning{}, s.fail
	}
	return pipeline.Learning{
		Suggested: []pipeline.Suggestion{{Heard: s.name, Written: s.name, Notes: 3, Editors: 1}},
		Decided:   []pipeline.Correction{{ID: dictated, Heard: s.name, Written: s.name, Notes: 3, Decision: pipeline.Approved, DecidedByName: s.name, DecidedAt: now}},
	}, s.fail
}

func (s *stage) TextBlocks(context.Context, access.Actor) ([]pipeline.TextBlock, error) {
	if s.empty {
		return nil, s.fail
	}
	return []pipeline.TextBlock{{ID: dictated, AuthorID: doctor, Name: s.name, Also: []string{s.name}, Text: s.name, AddedAt: now}}, s.fail
}

func (s *stage) WorkTypes() []templates.Template { return templates.All() }

// bundles stands for the embedded assets, whose addresses only have to be right.
type bundles struct{ http.Handler }

func (bundles) URL(name string) string { return "/static/0123/" + name }

func newStage(state pipeline.State) *stage {
	return &stage{state: state, name: "Testa Fictional", events: []pipeline.Event{
		happening("dictation.submit", "done", nil), happening("note.edit", "done", map[string]string{"version": "2"}),
		happening("note.edit", "done", map[string]string{"version": "3"}), happening("note.sign", "refused", map[string]string{"code": "password_wrong"}),
	}}
}

func happening(action, outcome string, detail map[string]string) pipeline.Event {
	return pipeline.Event{ActorName: "Kim Doe", Event: audit.Event{
		ID: uuid.New(), At: now, ActorID: editor, ActorRole: "editor", Action: action, Subject: "dictation", SubjectID: dictated, Outcome: outcome, Detail: detail,
	}}
}

// get asks for a page as a role; "" is a stranger.
func get(t *testing.T, s *stage, role access.Role, path string) (status int, body, location string) {
	t.Helper()
	return getFrom(t, s, role, path)
}

func getFrom(t *testing.T, s pages.Service, role access.Role, path string) (status int, body, location string) {
	t.Helper()
	h, err := pages.New(pages.Config{
		Service: s, Assets: bundles{http.NotFoundHandler()}, Idle: 15 * time.Minute, Now: func() time.Time { return now },
		Log:   slog.New(slog.DiscardHandler),
		Nonce: func(*http.Request) string { return "n0nce" },
		Actor: func(*http.Request) (access.Actor, bool) {
			id := doctor
			if role != access.Physician {
				id = editor
			}
			return access.Actor{ID: id, PracticeID: practice, Role: role, Name: "Robin Avery", Credential: "MD"}, role != ""
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
	return rec.Code, rec.Body.String(), rec.Header().Get("Location")
}

// view is a page with the roles that may open it.
type view struct {
	path  string
	roles []access.Role
}

var views = []view{
	{"/dictate", []access.Role{access.Physician}},
	{"/dictations", []access.Role{access.Physician, access.Supervisor, access.Compliance}},
	{"/dictations?state=drafted", []access.Role{access.Physician, access.Supervisor, access.Compliance}},
	{"/dictations/" + dictated.String(), access.Roles()},
	{"/queue", []access.Role{access.Editor, access.Supervisor}},
	{"/edit/" + dictated.String(), []access.Role{access.Editor, access.Supervisor, access.Physician}},
	{"/sign", []access.Role{access.Physician}},
	{"/sign/" + dictated.String(), []access.Role{access.Physician}},
	{"/history/" + dictated.String(), []access.Role{access.Physician, access.Supervisor, access.Compliance}},
	{"/audit", []access.Role{access.Compliance}},
	{"/people", []access.Role{access.Admin}},
	{"/words", []access.Role{access.Physician, access.Supervisor, access.Admin}},
	{"/corrections", []access.Role{access.Supervisor}},
	{"/recordings", []access.Role{access.Supervisor, access.Compliance, access.Admin}},
	{"/holds", []access.Role{access.Compliance}},
	{"/corrections?author=" + doctor.String(), []access.Role{access.Supervisor}},
	{"/notifications", access.Roles()},
	{"/turnaround", []access.Role{access.Supervisor}},
	{"/turnaround?days=7", []access.Role{access.Supervisor}},
	{"/turnaround/calendar", []access.Role{access.Supervisor}},
	{"/turnaround/rules", []access.Role{access.Supervisor}},
	{"/operations", []access.Role{access.Supervisor, access.Admin}},
}

func (v view) admits(r access.Role) bool { return slices.Contains(v.roles, r) }

var errDown = fault.New(fault.Unavailable, "database_down", "The database does not answer. Try again in a moment.")
