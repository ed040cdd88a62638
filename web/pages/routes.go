package pages

import (
	"net/http"

	"vesper/internal/access"
	"vesper/notes/templates"
	"vesper/pipeline"
)

// entry is one item of the navigation.
type entry struct{ Key, Path, Text string }

// menu is the navigation of a role: what this person does all day comes first.
func menu(role access.Role) []entry {
	switch role {
	case access.Physician:
		return []entry{{"dictate", "/dictate", "Dictate"}, {"sign", "/sign", "To sign"}, {"all", "/dictations", "My dictations"}, {"words", "/words", "Words"}}
	case access.Editor:
		return []entry{{"queue", "/queue", "Queue"}}
	case access.Supervisor:
		return []entry{{"queue", "/queue", "Queue"}, {"all", "/dictations", "Dictations"}, {"operations", "/operations", "Needs attention"}, {"words", "/words", "Words"}, {"corrections", "/corrections", "Corrections"}, {"recordings", "/recordings", "Recordings"}, {"turnaround", "/turnaround", "Turn-around"}}
	case access.Compliance:
		return []entry{{"all", "/dictations", "Dictations"}, {"audit", "/audit", "Audit log"}, {"holds", "/holds", "Legal holds"}, {"recordings", "/recordings", "Recordings"}}
	case access.Admin:
		return []entry{{"people", "/people", "People"}, {"operations", "/operations", "Needs attention"}, {"words", "/words", "Words"}, {"recordings", "/recordings", "Recordings"}}
	default:
		return nil
	}
}

// pages is the table of all pages behind the login.
func (s *site) pages() map[string]page {
	physician := []access.Role{access.Physician}
	editors := []access.Role{access.Editor, access.Supervisor}
	return map[string]page{
		"/{$}":                 {data: s.home},
		"/dictate":             {"dictate", "dictate", physician, s.dictate},
		"/dictations":          {"dictations", "all", []access.Role{access.Physician, access.Supervisor, access.Compliance}, s.dictations},
		"/dictations/{id}":     {"status", "all", nil, s.status},
		"/queue":               {"queue", "queue", editors, s.queue},
		"/edit/{id}":           {"edit", "queue", []access.Role{access.Editor, access.Supervisor, access.Physician}, s.edit},
		"/sign":                {"worklist", "sign", physician, s.worklist},
		"/sign/{id}":           {"sign", "sign", physician, s.sign},
		"/history/{id}":        {"history", "all", []access.Role{access.Physician, access.Supervisor, access.Compliance}, s.history},
		"/audit":               {"audit", "audit", []access.Role{access.Compliance}, s.audit},
		"/people":              {"people", "people", []access.Role{access.Admin}, s.people},
		"/words":               {"words", "words", []access.Role{access.Physician, access.Supervisor, access.Admin}, s.words},
		"/corrections":         {"corrections", "corrections", []access.Role{access.Supervisor}, s.corrections},
		"/notifications":       {"notices", "notices", nil, s.notices},
		"/turnaround":          {"turnaround", "turnaround", []access.Role{access.Supervisor}, s.turnaround},
		"/turnaround/calendar": {"calendar", "turnaround", []access.Role{access.Supervisor}, s.calendar},
		"/turnaround/rules":    {"rules", "turnaround", []access.Role{access.Supervisor}, s.rules},
		"/operations":          {"operations", "operations", []access.Role{access.Supervisor, access.Admin}, s.operations},
		"/recordings":          {"recordings", "recordings", []access.Role{access.Supervisor, access.Compliance, access.Admin}, s.recordings},
		"/holds":               {"holds", "holds", []access.Role{access.Compliance}, s.holds},
	}
}

func (s *site) home(_ *http.Request, actor access.Actor) (any, string, error) {
	return redirect(menu(actor.Role)[0].Path), "", nil
}

type dictateData struct {
	Visits    []pipeline.Encounter
	WorkTypes []templates.Template
	Recent    []pipeline.Card
	Queue     pipeline.QueueState
}

func (s *site) dictate(r *http.Request, actor access.Actor) (any, string, error) {
	encounters, err := s.Service.Encounters(r.Context(), actor, actor.ID)
	if err != nil {
		return nil, "", err
	}
	recent, err := s.Service.Cards(r.Context(), actor, pipeline.Filter{Newest: true, Limit: 8})
	if err != nil {
		return nil, "", err
	}
	queue, err := s.Service.Queue(r.Context(), actor)
	return dictateData{Visits: encounters, WorkTypes: s.Service.WorkTypes(), Recent: recent, Queue: queue}, "Dictate", err
}

type listData struct {
	Cards  []pipeline.Card
	Counts map[pipeline.State]int
	Filter string
	Role   access.Role
	Queues bool // there is a page of the work queue itself, for this person
}

func (s *site) dictations(r *http.Request, actor access.Actor) (any, string, error) {
	f := pipeline.Filter{Newest: true, Limit: 100}
	state := r.URL.Query().Get("state")
	if state != "" {
		f.States = []pipeline.State{pipeline.State(state)}
	}
	return s.list(r, actor, f, state, "Dictations")
}

func (s *site) list(r *http.Request, actor access.Actor, f pipeline.Filter, filter, title string) (listData, string, error) {
	cards, err := s.Service.Cards(r.Context(), actor, f)
	if err != nil {
		return listData{}, "", err
	}
	return s.listed(r, actor, cards, filter, title)
}

// listed completes a list with how many there are in each state.
func (s *site) listed(r *http.Request, actor access.Actor, cards []pipeline.Card, filter, title string) (listData, string, error) {
	counts, err := s.Service.Counts(r.Context(), actor)
	return listData{cards, counts, filter, actor.Role, s.Queues && actor.Role == access.Admin}, title, err
}

func (s *site) queue(r *http.Request, actor access.Actor) (any, string, error) {
	f := pipeline.Filter{States: []pipeline.State{pipeline.Drafted, pipeline.InReview}, ForEditor: &actor.ID}
	return s.list(r, actor, f, "", "Review queue")
}

func (s *site) worklist(r *http.Request, actor access.Actor) (any, string, error) {
	return s.list(r, actor, pipeline.Filter{States: []pipeline.State{pipeline.AwaitingSignature}}, "", "To sign")
}

type operationsData struct {
	listData
	Queue pipeline.QueueState
}

func (s *site) operations(r *http.Request, actor access.Actor) (any, string, error) {
	cards, err := s.Service.Attention(r.Context(), actor)
	if err != nil {
		return nil, "", err
	}
	list, title, err := s.listed(r, actor, cards, "", "Needs attention")
	if err != nil {
		return nil, "", err
	}
	queue, err := s.Service.Queue(r.Context(), actor)
	return operationsData{list, queue}, title, err
}
