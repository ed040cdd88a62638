package pages

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/pipeline"
)

// entry is one item of the navigation.
type entry struct{ Key, Path, Text string }

// menu is the navigation of a role: what this person does all day comes first.
func menu(role access.Role) []entry {
	switch role {
	case access.Physician:
		return []entry{{"dictate", "/dictate", "Dictate"}, {"sign", "/sign", "To sign"}, {"all", "/dictations", "My dictations"}}
	case access.Editor:
		return []entry{{"queue", "/queue", "Queue"}}
	case access.Supervisor:
		return []entry{{"queue", "/queue", "Queue"}, {"all", "/dictations", "Dictations"}, {"operations", "/operations", "Needs attention"}}
	case access.Compliance:
		return []entry{{"all", "/dictations", "Dictations"}, {"audit", "/audit", "Audit log"}}
	case access.Admin:
		return []entry{{"people", "/people", "People"}, {"operations", "/operations", "Needs attention"}}
	default:
		return nil
	}
}

// pages is the table of all pages behind the login.
func (s *site) pages() map[string]page {
	physician := []access.Role{access.Physician}
	editors := []access.Role{access.Editor, access.Supervisor}
	return map[string]page{
		"/{$}":             {data: s.home},
		"/dictate":         {"dictate", "dictate", physician, s.dictate},
		"/dictations":      {"dictations", "all", []access.Role{access.Physician, access.Supervisor, access.Compliance}, s.dictations},
		"/dictations/{id}": {"status", "all", nil, s.status},
		"/queue":           {"queue", "queue", editors, s.queue},
		"/edit/{id}":       {"edit", "queue", []access.Role{access.Editor, access.Supervisor, access.Physician}, s.edit},
		"/sign":            {"worklist", "sign", physician, s.worklist},
		"/sign/{id}":       {"sign", "sign", physician, s.sign},
		"/history/{id}":    {"history", "all", []access.Role{access.Physician, access.Supervisor, access.Compliance}, s.history},
		"/audit":           {"audit", "audit", []access.Role{access.Compliance}, s.audit},
		"/people":          {"people", "people", []access.Role{access.Admin}, s.people},
		"/operations":      {"operations", "operations", []access.Role{access.Supervisor, access.Admin}, s.operations},
	}
}

func (s *site) home(_ *http.Request, actor access.Actor) (any, string, error) {
	return redirect(menu(actor.Role)[0].Path), "", nil
}

type dictateData struct {
	Visits    []visit
	WorkTypes []templates.Template
}

// visit is an encounter with its patient's name.
type visit struct {
	pipeline.Encounter
	Patient pipeline.Patient
}

func (s *site) dictate(r *http.Request, actor access.Actor) (any, string, error) {
	encounters, err := s.Service.Encounters(r.Context(), actor, actor.ID)
	if err != nil {
		return nil, "", err
	}
	patients, err := s.Service.Patients(r.Context(), actor, "")
	if err != nil {
		return nil, "", err
	}
	byID := map[uuid.UUID]pipeline.Patient{}
	for _, p := range patients {
		byID[p.ID] = p
	}
	d := dictateData{WorkTypes: s.Service.WorkTypes()}
	for _, e := range encounters {
		d.Visits = append(d.Visits, visit{e, byID[e.PatientID]})
	}
	return d, "Dictate", nil
}

type listData struct {
	Cards  []pipeline.Card
	Counts map[pipeline.State]int
	Filter string
	Role   access.Role
}

func (s *site) dictations(r *http.Request, actor access.Actor) (any, string, error) {
	f := pipeline.Filter{Newest: true, Limit: 100}
	state := r.URL.Query().Get("state")
	if state != "" {
		f.States = []pipeline.State{pipeline.State(state)}
	}
	return s.list(r, actor, f, state, "Dictations")
}

func (s *site) list(r *http.Request, actor access.Actor, f pipeline.Filter, filter, title string) (any, string, error) {
	cards, err := s.Service.Cards(r.Context(), actor, f)
	if err != nil {
		return nil, "", err
	}
	counts, err := s.Service.Counts(r.Context(), actor)
	return listData{cards, counts, filter, actor.Role}, title, err
}

func (s *site) queue(r *http.Request, actor access.Actor) (any, string, error) {
	f := pipeline.Filter{States: []pipeline.State{pipeline.Drafted, pipeline.InReview}, ForEditor: &actor.ID}
	return s.list(r, actor, f, "", "Review queue")
}

func (s *site) worklist(r *http.Request, actor access.Actor) (any, string, error) {
	return s.list(r, actor, pipeline.Filter{States: []pipeline.State{pipeline.AwaitingSignature}}, "", "To sign")
}

func (s *site) operations(r *http.Request, actor access.Actor) (any, string, error) {
	return s.list(r, actor, pipeline.Filter{States: []pipeline.State{pipeline.Failed, pipeline.Rejected, pipeline.Signed}}, "", "Needs attention")
}

func pathID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, fault.New(fault.NotFound, "not_found", "There is no such dictation.")
	}
	return id, nil
}

func (s *site) status(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	c, err := s.Service.Card(r.Context(), actor, id)
	return c, "Dictation", err
}

func (s *site) edit(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	d, err := s.Service.Detail(r.Context(), actor, id)
	return d, "Review", err
}

func (s *site) sign(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Service.SignaturePreview(r.Context(), actor, id)
	return p, "Sign", err
}

type historyData struct {
	pipeline.History
	Sections []historySection // of the newest version, by sentence
}

type historySection struct {
	Heading   string
	Sentences []notes.Sentence
}

func (s *site) history(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	h, err := s.Service.History(r.Context(), actor, id)
	if err != nil {
		return nil, "", err
	}
	d := historyData{History: h}
	if h.Version != nil {
		for _, sec := range h.Version.Document.Sections {
			d.Sections = append(d.Sections, historySection{sec.Heading, notes.Sentences(sec)})
		}
	}
	return d, "History", nil
}

type auditData struct {
	Events []pipeline.Event
	Before string // for the next page
}

func (s *site) audit(r *http.Request, actor access.Actor) (any, string, error) {
	before, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("before")) // anything else is the newest page
	events, err := s.Service.AuditTrail(r.Context(), actor, before, 100)
	d := auditData{Events: events}
	if len(events) == 100 {
		d.Before = events[len(events)-1].At.Format(time.RFC3339Nano)
	}
	return d, "Audit log", err
}

func (s *site) people(r *http.Request, actor access.Actor) (any, string, error) {
	people, err := s.Service.People(r.Context(), actor, "")
	return people, "People", err
}
