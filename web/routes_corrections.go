package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
)

// suggestion is a change that editors made in several of an author's notes.
type suggestion struct {
	Heard   string `json:"heard" doc:"As drafts have it"`
	Written string `json:"written" doc:"As editors write it"`
	Notes   int    `json:"notes" doc:"In how many notes"`
	Editors int    `json:"editors" doc:"By how many people"`
}

// decided is a decision about a suggestion.
type decided struct {
	ID        uuid.UUID `json:"id"`
	Heard     string    `json:"heard"`
	Written   string    `json:"written"`
	Notes     int       `json:"notes" doc:"In how many notes, when it was decided"`
	Decision  string    `json:"decision" enum:"approved,dismissed"`
	DecidedBy string    `json:"decided_by"`
	DecidedAt time.Time `json:"decided_at"`
}

type learningOutput struct {
	Body struct {
		Suggested []suggestion `json:"suggested" doc:"The most frequent first"`
		Decided   []decided    `json:"decided" doc:"What stands, the newest first"`
	}
}

type decideInput struct {
	ID   uuid.UUID `path:"id" doc:"The author"`
	Body struct {
		Heard    string `json:"heard" minLength:"1" maxLength:"200"`
		Written  string `json:"written" minLength:"1" maxLength:"200"`
		Decision string `json:"decision" enum:"approved,dismissed"`
	}
}

type decidedOutput struct {
	Body decided
}

type correctionByID struct {
	ID uuid.UUID `path:"id"`
}

func (s *Server) mountCorrections() {
	const tag = "corrections"
	add(s, operation(http.MethodGet, "/v1/people/{id}/corrections", tag, "list-corrections", "What editors change again and again in an author's notes, and what was decided about it"), s.getLearning)
	decide := operation(http.MethodPost, "/v1/people/{id}/corrections", tag, "decide-correction", "Approve or dismiss a suggested correction")
	decide.DefaultStatus = http.StatusCreated
	add(s, decide, s.decideCorrection)
	undo := operation(http.MethodPost, "/v1/corrections/{id}/undo", tag, "undo-correction", "End a decision; drafts are made without it from now on")
	undo.DefaultStatus = http.StatusNoContent
	add(s, undo, func(ctx context.Context, a access.Actor, in *correctionByID) (*nothing, error) {
		return nil, s.svc.UndoCorrection(ctx, a, in.ID)
	})
}

func (s *Server) getLearning(ctx context.Context, a access.Actor, in *correctionByID) (*learningOutput, error) {
	l, err := s.svc.Learning(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	out := &learningOutput{}
	out.Body.Suggested = each(l.Suggested, func(x pipeline.Suggestion) suggestion { return suggestion(x) })
	out.Body.Decided = each(l.Decided, viewDecided)
	return out, nil
}

func (s *Server) decideCorrection(ctx context.Context, a access.Actor, in *decideInput) (*decidedOutput, error) {
	c, err := s.svc.DecideCorrection(ctx, a, in.ID, in.Body.Heard, in.Body.Written, pipeline.Decision(in.Body.Decision))
	if err != nil {
		return nil, err
	}
	return &decidedOutput{Body: viewDecided(c)}, nil
}

func viewDecided(c pipeline.Correction) decided {
	return decided{ID: c.ID, Heard: c.Heard, Written: c.Written, Notes: c.Notes, Decision: string(c.Decision), DecidedBy: c.DecidedByName, DecidedAt: c.DecidedAt}
}
