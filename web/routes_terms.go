package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

// vocabularyTerm is a word that an author or the practice added.
type vocabularyTerm struct {
	ID      uuid.UUID `json:"id"`
	Text    string    `json:"text"`
	Kind    string    `json:"kind"`
	Says    []string  `json:"says" doc:"Spoken forms that differ from the spelling"`
	List    string    `json:"list" enum:"author,practice"`
	AddedAt time.Time `json:"added_at"`
	AddedBy string    `json:"added_by" doc:"Empty where an operator added it"`
}

type termsOutput struct {
	Body struct {
		Items []vocabularyTerm `json:"items"`
	}
}

type termOutput struct {
	Body vocabularyTerm
}

type addTermInput struct {
	Body struct {
		Text string   `json:"text" minLength:"1" maxLength:"120" doc:"As a note has it"`
		Kind string   `json:"kind,omitempty" maxLength:"20" doc:"generic, brand, disease, procedure, … ; other where it is left out"`
		Says []string `json:"says,omitempty" maxItems:"5" doc:"How it is said, where that differs from its spelling"`
	}
}

type spokenLanguage struct {
	Language string `json:"language" maxLength:"4" doc:"A code such as en or es; auto: the model finds out; empty: as set for the practice or the installation"`
}

type languageBody struct {
	Body spokenLanguage
}

type termByID struct {
	ID uuid.UUID `path:"id"`
}

func (s *Server) mountTerms() {
	const tag = "terms"
	add(s, operation(http.MethodGet, "/v1/terms", tag, "list-terms", "Words that dictations are expected to hold: the own ones and the practice's"), s.getTerms)
	create := operation(http.MethodPost, "/v1/terms", tag, "add-term", "Add a word: physicians to their own list, supervisors and admins to the practice's")
	create.DefaultStatus = http.StatusCreated
	add(s, create, s.addTerm)
	remove := operation(http.MethodPost, "/v1/terms/{id}/remove", tag, "remove-term", "Take a word out of its list")
	remove.DefaultStatus = http.StatusNoContent
	add(s, remove, func(ctx context.Context, a access.Actor, in *termByID) (*nothing, error) {
		return nil, s.svc.RemoveTerm(ctx, a, in.ID)
	})
}

func (s *Server) mountLanguage() {
	const tag = "terms"
	add(s, operation(http.MethodGet, "/v1/language", tag, "get-language", "What is spoken in the own recordings, or those of the practice"),
		func(ctx context.Context, a access.Actor, _ *struct{}) (*languageBody, error) {
			language, err := s.svc.Language(ctx, a)
			return &languageBody{spokenLanguage{language}}, err
		})
	set := operation(http.MethodPut, "/v1/language", tag, "set-language", "Say what is spoken: physicians for their own recordings, supervisors and admins for the practice's")
	set.DefaultStatus = http.StatusNoContent
	add(s, set, func(ctx context.Context, a access.Actor, in *languageBody) (*nothing, error) {
		return nil, s.svc.SetLanguage(ctx, a, in.Body.Language)
	})
}

func (s *Server) getTerms(ctx context.Context, a access.Actor, _ *struct{}) (*termsOutput, error) {
	found, err := s.svc.Terms(ctx, a, pipeline.ListOf(a))
	if err != nil {
		return nil, err
	}
	out := &termsOutput{}
	out.Body.Items = each(found, viewTerm)
	return out, nil
}

func (s *Server) addTerm(ctx context.Context, a access.Actor, in *addTermInput) (*termOutput, error) {
	v, err := s.svc.AddTerm(ctx, a, pipeline.VocabularyTerm{
		AuthorID: pipeline.ListOf(a), Text: in.Body.Text, Kind: lexicon.Kind(in.Body.Kind), Says: in.Body.Says,
	})
	if err != nil {
		return nil, err
	}
	return &termOutput{Body: viewTerm(v)}, nil
}

func viewTerm(v pipeline.VocabularyTerm) vocabularyTerm {
	t := vocabularyTerm{ID: v.ID, Text: v.Text, Kind: string(v.Kind), Says: v.Says, List: "practice", AddedAt: v.AddedAt, AddedBy: v.AddedByName}
	if t.Says == nil {
		t.Says = []string{}
	}
	if v.AuthorID != nil {
		t.List = "author"
	}
	return t
}
