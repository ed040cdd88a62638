package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

// ByID is the input of routes about one dictation. It is exported because the library reads no embedded fields else.
type ByID struct {
	ID uuid.UUID `path:"id" doc:"The dictation"`
}

type listInput struct {
	State  []string `query:"state" maxItems:"10" enum:"received,queued,transcribed,drafted,in_review,awaiting_signature,signed,delivered,rejected,failed" doc:"Only these states, separated by commas"`
	Author string   `query:"author" maxLength:"36" doc:"Only of this author: an id, or me"`
	Queue  string   `query:"queue" enum:"editor" doc:"editor: what waits for an editor, stat first, then what is assigned to the caller, then by due time"`
	Order  string   `query:"order" enum:"work,newest" doc:"work: stat first, then by due time; newest: by receipt. The default is newest where author is given, else work"`
	Limit  int      `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Offset int      `query:"offset" minimum:"0" maximum:"10000"`
}

type listOutput struct {
	Body struct {
		Items  []card         `json:"items"`
		Counts map[string]int `json:"counts" doc:"How many dictations are in each state"`
	}
}

type detailOutput struct{ Body Detail }

type historyOutput struct{ Body history }

type statusOutput struct {
	Body struct {
		State     pipeline.State      `json:"state"`
		Reason    string              `json:"reason"`
		Done      int                 `json:"done"`
		Total     int                 `json:"total"`
		Version   int                 `json:"version" doc:"Number of the note's newest version; 0 while there is none"`
		ClaimedBy optional[personRef] `json:"claimed_by"`
	}
}

func (s *Server) mountDictations() {
	const tag = "dictations"
	add(s, operation(http.MethodGet, "/v1/dictations", tag, "list-dictations", "List dictations"), s.listDictations)
	add(s, operation(http.MethodGet, "/v1/dictations/{id}", tag, "get-dictation", "Everything about one dictation"), s.getDictation)
	add(s, operation(http.MethodGet, "/v1/dictations/{id}/status", tag, "get-status", "Where a dictation is; cheap enough to poll"), s.getStatus)
	add(s, operation(http.MethodGet, "/v1/dictations/{id}/history", tag, "get-history", "The whole record of one dictation"), s.getHistory)
	s.mountSubmit()
	s.mountAudio()
	s.mountRenderings()
}

func (s *Server) listDictations(ctx context.Context, a access.Actor, in *listInput) (*listOutput, error) {
	f, err := in.filter(a)
	if err != nil {
		return nil, err
	}
	cards, err := s.svc.Cards(ctx, a, f)
	if err != nil {
		return nil, err
	}
	counts, err := s.svc.Counts(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Items = each(cards, viewCard)
	out.Body.Counts = make(map[string]int, len(counts))
	for state, n := range counts {
		out.Body.Counts[string(state)] = n
	}
	return out, nil
}

func (in *listInput) filter(a access.Actor) (pipeline.Filter, error) {
	f := pipeline.Filter{Limit: in.Limit, Offset: in.Offset, Newest: in.Order == "newest" || (in.Order == "" && in.Author != "")}
	for _, st := range in.State {
		f.States = append(f.States, pipeline.State(st))
	}
	switch in.Author {
	case "":
	case "me":
		f.Author = &a.ID
	default:
		id, err := uuid.Parse(in.Author)
		if err != nil {
			return f, fault.New(fault.Invalid, "author_invalid", "The author must be an id, or me.")
		}
		f.Author = &id
	}
	if in.Queue == "editor" {
		f.ForEditor = &a.ID
		if len(f.States) == 0 {
			f.States = []pipeline.State{pipeline.Drafted, pipeline.InReview}
		}
	}
	return f, nil
}

func (s *Server) getDictation(ctx context.Context, a access.Actor, in *ByID) (*detailOutput, error) {
	d, err := s.svc.Detail(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	return &detailOutput{viewDetail(d)}, nil
}

func (s *Server) getStatus(ctx context.Context, a access.Actor, in *ByID) (*statusOutput, error) {
	c, err := s.svc.Card(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	out := &statusOutput{}
	out.Body.State, out.Body.Reason, out.Body.Done, out.Body.Total = c.State, c.Reason, c.Done, c.Total
	out.Body.Version, out.Body.ClaimedBy = c.Latest, viewCardBase(c).ClaimedBy
	return out, nil
}

func (s *Server) getHistory(ctx context.Context, a access.Actor, in *ByID) (*historyOutput, error) {
	h, err := s.svc.History(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	return &historyOutput{viewHistory(h)}, nil
}
