package pages

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

type recordingsData struct {
	pipeline.Kept
	pipeline.Retention
	Tombstones []pipeline.Tombstone
	WorkTypes  []templates.Template
	MaySettle  bool
	MayRule    bool
	Link       string // to what this role may see of a dictation
	Floor      int
	Nobody     uuid.UUID
	now        time.Time
}

// Young says that nothing goes under a rule yet.
func (d recordingsData) Young(r keeping.Rule) bool { return r.Purges() && d.Starts(r).After(d.now) }

// Starts is when a rule begins to let recordings go.
func (d recordingsData) Starts(r keeping.Rule) time.Time { return r.SetAt.Add(keeping.RuleRest) }

// recordings shows how recordings are kept.
func (s *site) recordings(r *http.Request, actor access.Actor) (any, string, error) {
	const title = "Recordings"
	d := recordingsData{
		WorkTypes: s.Service.WorkTypes(), MaySettle: actor.Role == access.Admin, MayRule: actor.Role == access.Admin || actor.Role == access.Supervisor,
		Link: "/dictations/", Floor: keeping.FloorDays, now: s.Now(),
	}
	if actor.Role != access.Admin {
		d.Link = "/history/"
	}
	var err error
	if d.Kept, err = s.Service.Kept(r.Context(), actor); err != nil {
		return d, title, err
	}
	if d.Retention, err = s.Service.Retention(r.Context(), actor); err != nil {
		return d, title, err
	}
	d.Tombstones, err = s.Service.Tombstones(r.Context(), actor, time.Time{})
	return d, title, err
}

type holdsData struct{ Holds []keeping.Hold }

// holds shows what must not go.
func (s *site) holds(r *http.Request, actor access.Actor) (any, string, error) {
	all, err := s.Service.Holds(r.Context(), actor)
	return holdsData{all}, "Legal holds", err
}

// dayWords says how long something is kept.
func dayWords(n *int) string {
	if n == nil {
		return "for ever"
	}
	return fmt.Sprintf("%d days", *n)
}
