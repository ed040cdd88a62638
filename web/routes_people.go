package web

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
)

type person struct {
	ID         uuid.UUID `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role"`
	Credential string    `json:"credential"`
	Login      string    `json:"login" doc:"Empty unless the reader manages people"`
	EHRRef     string    `json:"ehr_ref" doc:"Practitioner/p1 in the EHR; empty where it does not know the person or the reader does not manage people"`
	Disabled   bool      `json:"disabled"`
}

type peopleInput struct {
	Role string `query:"role" enum:"physician,editor,supervisor,compliance,admin"`
}

type peopleOutput struct {
	Body struct {
		Items []person `json:"items"`
	}
}

type addPersonInput struct {
	Body struct {
		Login      string `json:"login" minLength:"1" maxLength:"100"`
		Name       string `json:"name" minLength:"1" maxLength:"100"`
		Role       string `json:"role" enum:"physician,editor,supervisor,compliance,admin"`
		Credential string `json:"credential,omitempty" maxLength:"20" doc:"Printed beside a signature: MD"`
		EHRRef     string `json:"ehr_ref,omitempty" maxLength:"81" doc:"The person in the EHR: Practitioner/p1. Without it documents name the person only"`
		Password   string `json:"password" minLength:"1" maxLength:"1000"`
	}
}

type personByID struct {
	ID uuid.UUID `path:"id"`
}

func (s *Server) mountPeople() {
	const tag = "people"
	add(s, operation(http.MethodGet, "/v1/people", tag, "list-people", "The practice's people"), s.getPeople)
	create := operation(http.MethodPost, "/v1/people", tag, "add-person", "Create an account")
	create.DefaultStatus = http.StatusCreated
	add(s, create, s.addPerson)
	for name, disabled := range map[string]bool{"disable": true, "enable": false} {
		op := operation(http.MethodPost, "/v1/people/{id}/"+name, tag, name+"-person", name+" an account")
		op.DefaultStatus = http.StatusNoContent
		add(s, op, func(ctx context.Context, a access.Actor, in *personByID) (*nothing, error) {
			return nil, s.svc.SetPersonDisabled(ctx, a, in.ID, disabled)
		})
	}
}

func (s *Server) getPeople(ctx context.Context, a access.Actor, in *peopleInput) (*peopleOutput, error) {
	people, err := s.svc.People(ctx, a, in.Role)
	if err != nil {
		return nil, err
	}
	out := &peopleOutput{}
	out.Body.Items = each(people, func(p pipeline.Person) person {
		return person{ID: p.ID, Name: p.Name, Role: p.Role, Credential: p.Credential, Login: p.Login, EHRRef: p.EHRRef, Disabled: p.Disabled}
	})
	return out, nil
}

func (s *Server) addPerson(ctx context.Context, a access.Actor, in *addPersonInput) (*createdOutput, error) {
	id, err := s.svc.AddPerson(ctx, a, pipeline.Person{
		Login: in.Body.Login, Name: in.Body.Name, Role: in.Body.Role, Credential: in.Body.Credential,
		EHRRef: in.Body.EHRRef,
	}, in.Body.Password)
	if err != nil {
		return nil, err
	}
	out := &createdOutput{}
	out.Body.ID = id
	return out, nil
}
