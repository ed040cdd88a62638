package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes/templates"
)

type patientsInput struct {
	Search string `query:"search" maxLength:"100" doc:"Part of a name or record number"`
}

type patientsOutput struct {
	Body struct {
		Items []patient `json:"items"`
	}
}

type searchInput struct {
	Body struct {
		Search string `json:"search" maxLength:"100" doc:"Part of a name or record number"`
	}
}

type encountersInput struct {
	Author string `query:"author" maxLength:"36" doc:"Whose visits: an id; without it, the own ones"`
}

type encountersOutput struct {
	Body struct {
		Items []encounter `json:"items"`
	}
}

type workTypeSection struct {
	Key      string `json:"key"`
	Heading  string `json:"heading"`
	Required bool   `json:"required"`
}

type workType struct {
	Key      string            `json:"key"`
	Name     string            `json:"name"`
	LOINC    string            `json:"loinc"`
	Sections []workTypeSection `json:"sections"`
}

type workTypesOutput struct {
	Body struct {
		Items []workType `json:"items"`
	}
}

func (s *Server) mountRegistry() {
	const tag = "registry"
	add(s, operation(http.MethodGet, "/v1/patients", tag, "list-patients", "Find patients; prefer the POST form, which keeps names out of addresses"), s.getPatients)
	add(s, operation(http.MethodPost, "/v1/patients/search", tag, "search-patients", "Find patients"), s.searchPatients)
	add(s, operation(http.MethodGet, "/v1/encounters", tag, "list-encounters", "A physician's visits of these days"), s.getEncounters)
	add(s, operation(http.MethodGet, "/v1/work-types", tag, "list-work-types", "The kinds of document"), s.getWorkTypes)
}

func (s *Server) getPatients(ctx context.Context, a access.Actor, in *patientsInput) (*patientsOutput, error) {
	return s.findPatients(ctx, a, in.Search)
}

func (s *Server) searchPatients(ctx context.Context, a access.Actor, in *searchInput) (*patientsOutput, error) {
	return s.findPatients(ctx, a, in.Body.Search)
}

func (s *Server) findPatients(ctx context.Context, a access.Actor, search string) (*patientsOutput, error) {
	found, err := s.svc.Patients(ctx, a, search)
	if err != nil {
		return nil, err
	}
	out := &patientsOutput{}
	out.Body.Items = each(found, viewPatient)
	return out, nil
}

func (s *Server) getEncounters(ctx context.Context, a access.Actor, in *encountersInput) (*encountersOutput, error) {
	author := a.ID
	if in.Author != "" && in.Author != "me" {
		id, err := uuid.Parse(in.Author)
		if err != nil {
			return nil, fault.New(fault.Invalid, "author_invalid", "The author must be an id, or me.")
		}
		author = id
	}
	found, err := s.svc.Encounters(ctx, a, author)
	if err != nil {
		return nil, err
	}
	out := &encountersOutput{}
	out.Body.Items = each(found, viewEncounter)
	return out, nil
}

func (s *Server) getWorkTypes(context.Context, access.Actor, *struct{}) (*workTypesOutput, error) {
	out := &workTypesOutput{}
	out.Body.Items = each(s.svc.WorkTypes(), func(t templates.Template) workType {
		return workType{Key: t.Key, Name: t.Name, LOINC: t.LOINC.Code, Sections: each(t.Sections, func(x templates.Section) workTypeSection {
			return workTypeSection{x.Key, x.Heading, x.Required}
		})}
	})
	return out, nil
}
