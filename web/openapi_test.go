package web_test

import (
	"context"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/web"
)

// description is what the tests read of the OpenAPI document.
type description struct {
	OpenAPI    string                          `json:"openapi"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	OperationID string              `json:"operationId"`
	Security    []map[string][]any  `json:"security"`
	Responses   map[string]response `json:"responses"`
}

type response struct {
	Content map[string]struct {
		Schema struct {
			Ref string `json:"$ref"`
		} `json:"schema"`
	} `json:"content"`
}

func TestTheDescriptionIsWholeAndEveryRouteFailsWithProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.anonymous().get("/api/openapi.json").want(200)
	var d description
	a.into(&d)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("version %q", d.OpenAPI)
	}
	for _, m := range regexp.MustCompile(`#/components/schemas/([A-Za-z0-9_]+)`).FindAllStringSubmatch(a.body, -1) {
		if _, ok := d.Components.Schemas[m[1]]; !ok {
			t.Errorf("schema %s is referred to but not there", m[1])
		}
	}
	ids := map[string]string{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			if other, twice := ids[op.OperationID]; twice || op.OperationID == "" {
				t.Errorf("%s has the operation id %q of %s", route, op.OperationID, other)
			}
			ids[op.OperationID] = route
			if route != "POST /api/v1/session" && len(op.Security) == 0 {
				t.Errorf("%s does not say that it needs a session", route)
			}
			for _, status := range []string{"401", "403", "404", "409", "413", "422", "429", "500", "503"} {
				p := op.Responses[status].Content["application/problem+json"]
				if p.Schema.Ref != "#/components/schemas/Problem" {
					t.Errorf("%s: the answer %s is not described as a problem", route, status)
				}
			}
			good := 0
			for status := range op.Responses {
				if status[0] == '2' {
					good++
				}
			}
			if good == 0 {
				t.Errorf("%s has no description of success", route)
			}
		}
	}
}

func TestTheViewsAreDescribedWithTheirFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var d description
	w.anonymous().get("/api/openapi.json").want(200).into(&d)
	for schema, fields := range map[string][]string{
		"Card":    {"id", "state", "author", "patient", "progress", "claimed_by", "obstacles", "due_at"},
		"Detail":  {"id", "state", "patient", "version", "transcript", "obstacles", "can", "has_audio"},
		"History": {"id", "state", "version", "versions", "events", "jobs", "moves"},
		"Preview": {"id", "version", "changes", "preview", "content_hash"},
	} {
		var s struct {
			Properties map[string]any `json:"properties"`
		}
		if err := json.Unmarshal(d.Components.Schemas[schema], &s); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
		for _, f := range fields {
			if s.Properties[f] == nil {
				t.Errorf("%s lacks %s: %v", schema, f, s.Properties)
			}
		}
	}
}

// changes notes every call of the service that changes something.
type changes struct {
	web.Service
	mu    sync.Mutex
	calls []string
}

func (c *changes) saw(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, name)
}

func (c *changes) Logout(ctx context.Context, a access.Actor) error {
	c.saw("Logout")
	return c.Service.Logout(ctx, a)
}

func (c *changes) AddPerson(context.Context, access.Actor, pipeline.Person, string) (uuid.UUID, error) {
	c.saw("AddPerson")
	return uuid.Nil, nil
}

func (c *changes) SetPersonDisabled(context.Context, access.Actor, uuid.UUID, bool) error {
	c.saw("SetPersonDisabled")
	return nil
}

func (c *changes) Submit(_ context.Context, _ access.Actor, s pipeline.Submission) (pipeline.Receipt, error) {
	c.saw("Submit")
	_, _ = io.Copy(io.Discard, s.Body)
	return pipeline.Receipt{}, nil
}

func (c *changes) Claim(context.Context, access.Actor, uuid.UUID) (pipeline.Claim, error) {
	c.saw("Claim")
	return pipeline.Claim{}, nil
}

func (c *changes) Release(context.Context, access.Actor, uuid.UUID) error {
	c.saw("Release")
	return nil
}

func (c *changes) Save(context.Context, access.Actor, uuid.UUID, int, []notes.SectionText) (pipeline.Version, error) {
	c.saw("Save")
	return pipeline.Version{}, nil
}

func (c *changes) Settle(context.Context, access.Actor, uuid.UUID, int, string, string) (pipeline.Version, error) {
	c.saw("Settle")
	return pipeline.Version{}, nil
}

func (c *changes) Send(context.Context, access.Actor, uuid.UUID, int) error {
	c.saw("Send")
	return nil
}

func (c *changes) Bind(context.Context, access.Actor, uuid.UUID, *uuid.UUID, *uuid.UUID, string) error {
	c.saw("Bind")
	return nil
}

func (c *changes) Sign(context.Context, access.Actor, uuid.UUID, pipeline.SignRequest) (pipeline.Signature, error) {
	c.saw("Sign")
	return pipeline.Signature{}, nil
}

func (c *changes) Return(context.Context, access.Actor, uuid.UUID, string) error {
	c.saw("Return")
	return nil
}

func (c *changes) Addendum(context.Context, access.Actor, uuid.UUID, string) (uuid.UUID, error) {
	c.saw("Addendum")
	return uuid.Nil, nil
}

func (c *changes) Retry(context.Context, access.Actor, uuid.UUID, string) error {
	c.saw("Retry")
	return nil
}

func (c *changes) Cancel(context.Context, access.Actor, uuid.UUID, string) error {
	c.saw("Cancel")
	return nil
}

func (c *changes) Rerun(context.Context, access.Actor, uuid.UUID, pipeline.JobKind, string) error {
	c.saw("Rerun")
	return nil
}

func (c *changes) Reject(context.Context, access.Actor, uuid.UUID, string) error {
	c.saw("Reject")
	return nil
}

func TestNothingIsChangedByGETOrHEAD(t *testing.T) {
	t.Parallel()
	spy := &changes{}
	w := newWorld(t, func(w *world) { spy.Service = w.svc; w.service = spy })
	all := routes(t, w)
	for _, role := range everyone {
		c := w.as(role)
		for _, route := range all {
			if strings.HasPrefix(route, "GET ") || strings.HasPrefix(route, "HEAD ") {
				w.call(c, route, w.drafted(), "")
			}
		}
		for _, page := range []string{"/", "/login", "/logout", "/dictate", "/queue", "/people"} {
			c.get(page)
		}
	}
	if len(spy.calls) > 0 {
		t.Errorf("safe methods changed something: %v", spy.calls)
	}
	// The spy itself sees changes, or the test would prove nothing.
	c := w.as("editor")
	for route, r := range rights {
		if !strings.HasPrefix(route, "GET ") && !strings.HasPrefix(route, "HEAD ") && !strings.Contains(route, "session") {
			w.call(c, route, newID(), r.body)
		}
	}
	if len(spy.calls) < 10 {
		t.Errorf("the spy saw only %v", spy.calls)
	}
}
