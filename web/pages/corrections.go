package pages

import (
	"net/http"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

type correctionsData struct {
	Authors []pipeline.Person
	Chosen  pipeline.Person // zero: nobody is chosen yet
	pipeline.Learning
}

// corrections shows what editors change again and again in an author's notes.
func (s *site) corrections(r *http.Request, actor access.Actor) (any, string, error) {
	const title = "Corrections"
	d := correctionsData{}
	var err error
	if d.Authors, err = s.Service.People(r.Context(), actor, string(access.Physician)); err != nil {
		return d, title, err
	}
	chosen := r.URL.Query().Get("author")
	if chosen == "" {
		return d, title, nil
	}
	id, err := uuid.Parse(chosen)
	if err != nil {
		return d, title, fault.New(fault.NotFound, "not_found", "There is no such physician in your practice.")
	}
	for _, p := range d.Authors {
		if p.ID == id {
			d.Chosen = p
		}
	}
	d.Learning, err = s.Service.Learning(r.Context(), actor, id)
	return d, title, err
}
