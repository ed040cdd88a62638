package pages

import (
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/pipeline"
)

func pathID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, fault.New(fault.NotFound, "not_found", "There is no such dictation.")
	}
	return id, nil
}

type statusData struct {
	pipeline.Card
	Role  access.Role
	Mine  bool
	Steps []step
	Now   string // what happens at the moment, in plain words
	Mends bool   // may stop the automatic work and order it anew
}

func (s *site) status(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	c, err := s.Service.Card(r.Context(), actor, id)
	if err != nil {
		return nil, "", err
	}
	return statusData{c, actor.Role, c.AuthorID == actor.ID, steps(c.State), nowWords(c), access.Decide(actor, access.Rerun, access.Resource{PracticeID: c.PracticeID}) == nil}, "Dictation", nil
}

// editData has no text of the note: the editor claims first and reads then, so that nobody reads what another holds.
type editData struct {
	pipeline.Card
	Author    bool // the physician corrects the own note
	WorkTypes []templates.Template
}

func (s *site) edit(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	c, err := s.Service.Card(r.Context(), actor, id)
	if err != nil {
		return nil, "", err
	}
	return editData{c, actor.Role == access.Physician, s.Service.WorkTypes()}, "Review", nil
}

type signData struct {
	pipeline.SignaturePreview
	Blocking int
	Sections []noteSection
	Changed  []changedSection
	Promises []promise
}

func (s *site) sign(r *http.Request, actor access.Actor) (any, string, error) {
	id, err := pathID(r)
	if err != nil {
		return nil, "", err
	}
	p, err := s.Service.SignaturePreview(r.Context(), actor, id)
	if err != nil {
		return nil, "", err
	}
	d := signData{SignaturePreview: p, Changed: changedSections(p.Changes)}
	for _, o := range p.Obstacles {
		if o.Blocking {
			d.Blocking++
		}
	}
	if p.Version != nil {
		d.Sections, d.Promises = noteSections(*p.Version, nil, p.Obstacles), promises(p.Version.Document)
	}
	return d, "Sign", nil
}

type historyData struct {
	pipeline.History
	Sections []noteSection // of the newest version, by sentence
	Promises []promise
	Layers   []layer
	Timeline []moment
}

// layer is what one person changed, section by section.
type layer struct {
	pipeline.LayerChange
	Changed []changedSection
}

func layersOf(changes []pipeline.LayerChange) []layer {
	var out []layer
	for _, c := range changes {
		if changed := changedSections(c.Changes); len(changed) > 0 {
			out = append(out, layer{c, changed})
		}
	}
	return out
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
	d := historyData{History: h, Layers: layersOf(h.Layers), Timeline: timeline(h)}
	if h.Version != nil {
		d.Sections, d.Promises = noteSections(*h.Version, namesIn(h), h.Obstacles), promises(h.Version.Document)
	}
	return d, "History", nil
}

// namesIn gathers the names of the people who wrote versions.
func namesIn(h pipeline.History) map[string]string {
	names := map[string]string{h.AuthorID.String(): h.AuthorName}
	for _, v := range h.Versions {
		if v.By != nil {
			names[v.By.String()] = v.ByName
		}
	}
	return names
}

// noteSection is a section as it is read: sentence by sentence.
type noteSection struct {
	Key, Heading string
	Sentences    []sentenceView
}

type sentenceView struct {
	notes.Sentence
	Break bool   // a new line begins here
	Doubt bool   // something in it is not settled yet
	Who   string // where it comes from, in words
}

// doubted says whether an obstacle lies in the stretches of the recording that a sentence comes from.
func doubted(key string, sn notes.Sentence, obstacles []notes.Obstacle) bool {
	for _, o := range obstacles {
		for _, span := range sn.Spans {
			if o.Section == key && o.End > 0 && o.Start < span.End && o.End > span.Start {
				return true
			}
		}
	}
	return false
}

func noteSections(v pipeline.Version, names map[string]string, obstacles []notes.Obstacle) []noteSection {
	var out []noteSection
	for _, sec := range v.Document.Sections {
		view, text, end := noteSection{Key: sec.Key, Heading: sec.Heading}, sec.Text(), 0
		for _, sn := range notes.Sentences(sec) {
			broken := false
			for _, c := range text[end:sn.From] {
				broken = broken || c == '\n'
			}
			view.Sentences = append(view.Sentences, sentenceView{sn, broken && end > 0, doubted(sec.Key, sn, obstacles), origin(sn, names)})
			end = sn.To
		}
		if len(view.Sentences) > 0 {
			out = append(out, view)
		}
	}
	return out
}

// changedSection is the comparison of one section, with long unchanged stretches cut down to their ends.
type changedSection struct {
	Heading string
	Parts   []notes.Change
}

func changedSections(changes []notes.Change) []changedSection {
	var out []changedSection
	touched := map[string]bool{}
	for _, c := range changes {
		touched[c.Section] = touched[c.Section] || c.Op != notes.Equal
	}
	last := ""
	for _, c := range changes {
		if !touched[c.Section] {
			continue
		}
		if c.Section != last {
			out, last = append(out, changedSection{Heading: c.Heading}), c.Section
		}
		if c.Op == notes.Equal {
			c.Text = abridge(c.Text)
		}
		out[len(out)-1].Parts = append(out[len(out)-1].Parts, c)
	}
	return out
}

// abridge keeps about eight words at both ends of a long text.
func abridge(text string) string {
	const keep = 60
	runes := []rune(text)
	if len(runes) <= 2*keep+20 {
		return text
	}
	head, tail := keep, len(runes)-keep
	for head > 0 && runes[head] != ' ' {
		head--
	}
	for tail < len(runes) && runes[tail-1] != ' ' {
		tail++
	}
	return string(runes[:head]) + " … " + string(runes[tail:])
}

type auditData struct {
	Events []auditRow
	Before string // for the next page
}

func (s *site) audit(r *http.Request, actor access.Actor) (any, string, error) {
	before, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("before")) // anything else is the newest page
	events, err := s.Service.AuditTrail(r.Context(), actor, before, 100)
	d := auditData{Events: auditRows(events)}
	if len(events) == 100 {
		d.Before = events[len(events)-1].At.Format(time.RFC3339Nano)
	}
	return d, "Audit log", err
}

// auditRow is an event, or a run of equal events that were written one after the other, such as looks at a list.
type auditRow struct {
	pipeline.Event
	Times int
	Since time.Time // of the oldest in the run
}

func auditRows(events []pipeline.Event) []auditRow {
	var out []auditRow
	for _, e := range events {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if last.ActorID == e.ActorID && last.Action == e.Action && last.SubjectID == e.SubjectID && last.Outcome == e.Outcome &&
				maps.Equal(last.Detail, e.Detail) {
				last.Times, last.Since = last.Times+1, e.At
				continue
			}
		}
		out = append(out, auditRow{e, 1, e.At})
	}
	return out
}

type peopleData struct {
	People []pipeline.Person
	Roles  []access.Role
	Me     uuid.UUID
}

func (s *site) people(r *http.Request, actor access.Actor) (any, string, error) {
	people, err := s.Service.People(r.Context(), actor, "")
	return peopleData{people, access.Roles(), actor.ID}, "People", err
}
