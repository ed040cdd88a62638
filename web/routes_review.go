package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
)

// nothing is the answer of steps that only succeed: 204.
type nothing struct{}

type claimOutput struct{ Body claim }

type versionOutput struct{ Body version }

type sendInput struct {
	ByID
	Body struct {
		Version int `json:"version" minimum:"1" doc:"The version that was seen; it must be the newest"`
	}
}

type reasonInput struct {
	ByID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"In plain words, without the patient's data"`
	}
}

type bindInput struct {
	ByID
	Body struct {
		Patient   *uuid.UUID `json:"patient,omitempty" format:"uuid" nullable:"true"`
		Encounter *uuid.UUID `json:"encounter,omitempty" format:"uuid" nullable:"true"`
		WorkType  string     `json:"work_type,omitempty" maxLength:"100"`
	}
}

type saveInput struct {
	ByID
	Body struct {
		Base     int `json:"base" minimum:"1" doc:"The version the text was made from"`
		Sections []struct {
			Key  string `json:"key" minLength:"1" maxLength:"100"`
			Text string `json:"text" maxLength:"200000"`
		} `json:"sections" minItems:"1" maxItems:"100"`
	}
}

type settleInput struct {
	ByID
	Flag string `path:"flag" maxLength:"200" doc:"The flag"`
	Body struct {
		Base int    `json:"base" minimum:"1"`
		How  string `json:"how" minLength:"1" maxLength:"200" doc:"How it was settled"`
	}
}

type restoreInput struct {
	ByID
	Body struct {
		Base  int    `json:"base" minimum:"1"`
		Taken string `json:"taken" minLength:"1" maxLength:"60" doc:"w and the first and last place of the words in the transcript: w12-13"`
	}
}

// step describes a POST that moves a dictation and answers 204.
func step(name, tag, summary string) huma.Operation {
	op := operation(http.MethodPost, "/v1/dictations/{id}/"+name, tag, name+"-dictation", summary)
	op.DefaultStatus = http.StatusNoContent
	return op
}

func (s *Server) mountReview() {
	const tag = "review"
	add(s, operation(http.MethodPost, "/v1/dictations/{id}/claim", tag, "claim-dictation", "Take a dictation for review, or renew the own claim"), s.claim)
	add(s, step("release", tag, "Put a dictation back into the queue"), s.release)
	add(s, step("send", tag, "Send the note to the physician"), s.send)
	add(s, step("reject", tag, "Give an unusable recording back to its author"), s.reject)
	add(s, step("retry", tag, "Order the failed stage again"), s.retry)
	add(s, step("bind", tag, "Set patient, visit and work type"), s.bind)
	save := operation(http.MethodPut, "/v1/dictations/{id}/note", tag, "save-note", "Save the text as a new version")
	save.MaxBodyBytes = 4 << 20
	add(s, save, s.save)
	add(s, operation(http.MethodPost, "/v1/dictations/{id}/flags/{flag}/settle", tag, "settle-flag", "Settle a flag"), s.settle)
	add(s, operation(http.MethodPost, "/v1/dictations/{id}/restore", tag, "restore-words", "Put back what a spoken command took out of the text"), s.restore)
}

func (s *Server) claim(ctx context.Context, a access.Actor, in *ByID) (*claimOutput, error) {
	c, err := s.svc.Claim(ctx, a, in.ID)
	if err != nil {
		return nil, err
	}
	if c.PersonName == "" && c.PersonID == a.ID {
		c.PersonName = a.Name
	}
	return &claimOutput{viewClaim(c)}, nil
}

func (s *Server) release(ctx context.Context, a access.Actor, in *ByID) (*nothing, error) {
	return nil, s.svc.Release(ctx, a, in.ID)
}

func (s *Server) send(ctx context.Context, a access.Actor, in *sendInput) (*nothing, error) {
	return nil, s.svc.Send(ctx, a, in.ID, in.Body.Version)
}

func (s *Server) reject(ctx context.Context, a access.Actor, in *reasonInput) (*nothing, error) {
	return nil, s.svc.Reject(ctx, a, in.ID, in.Body.Reason)
}

func (s *Server) retry(ctx context.Context, a access.Actor, in *reasonInput) (*nothing, error) {
	return nil, s.svc.Retry(ctx, a, in.ID, in.Body.Reason)
}

func (s *Server) bind(ctx context.Context, a access.Actor, in *bindInput) (*nothing, error) {
	return nil, s.svc.Bind(ctx, a, in.ID, in.Body.Patient, in.Body.Encounter, in.Body.WorkType)
}

func (s *Server) save(ctx context.Context, a access.Actor, in *saveInput) (*versionOutput, error) {
	sections := make([]notes.SectionText, 0, len(in.Body.Sections))
	seen := map[string]bool{}
	for _, sec := range in.Body.Sections {
		if seen[sec.Key] {
			return nil, fault.New(fault.Invalid, "section_twice", "A section is there twice. Send each section once.")
		}
		seen[sec.Key] = true
		sections = append(sections, notes.SectionText{Key: sec.Key, Text: sec.Text})
	}
	v, err := s.svc.Save(ctx, a, in.ID, in.Body.Base, sections)
	if err != nil {
		return nil, err
	}
	return &versionOutput{viewVersion(v)}, nil
}

func (s *Server) settle(ctx context.Context, a access.Actor, in *settleInput) (*versionOutput, error) {
	v, err := s.svc.Settle(ctx, a, in.ID, in.Body.Base, in.Flag, in.Body.How)
	if err != nil {
		return nil, err
	}
	return &versionOutput{viewVersion(v)}, nil
}

func (s *Server) restore(ctx context.Context, a access.Actor, in *restoreInput) (*versionOutput, error) {
	v, err := s.svc.Restore(ctx, a, in.ID, in.Body.Base, in.Body.Taken)
	if err != nil {
		return nil, err
	}
	return &versionOutput{viewVersion(v)}, nil
}
