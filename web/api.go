package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
)

// Version is that of the API's description.
const Version = "1.0.0"

// commonErrors are the problems that any route may answer with.
var commonErrors = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
	http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

// newAPI makes the described API on the mux. The library's own pages are off: they load scripts from elsewhere.
func newAPI(mux *http.ServeMux, cookie string) huma.API {
	useProblems()
	c := huma.DefaultConfig("Vesper", Version)
	c.CreateHooks = nil
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.Info.Description = "From a dictation to a signed note in the EHR. Sign in with POST /api/v1/session; the cookie does the rest. " +
		"Failures are RFC 9457 problems with a stable code."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: cookie},
	}
	return humago.New(mux, c)
}

// schemaName names a type in the description. Two packages have a Span; the library wants one type for each name.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[notes.Span]() {
		return "RecordingSpan"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// jsonFormat escapes <, > and & so that no answer is ever mistaken for a page.
var jsonFormat = huma.Format{
	Marshal:   func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
	Unmarshal: json.Unmarshal,
}

// operation describes one route. The id is derived from method and path by huma's convention where it is empty.
func operation(method, path, tag, id, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/api" + path, Tags: []string{tag}, Summary: summary,
		BodyReadTimeout: readTime, Errors: commonErrors,
	}
}

// add mounts a route for people who are signed in.
func add[I, O any](s *Server, op huma.Operation, fn func(context.Context, access.Actor, *I) (*O, error)) {
	op.Security = []map[string][]string{{"session": {}}}
	op.Middlewares = append(op.Middlewares, s.needActor)
	open(s, op, func(ctx context.Context, in *I) (*O, error) { return fn(ctx, of(ctx).actor, in) })
}

// open mounts a route for everybody.
func open[I, O any](s *Server, op huma.Operation, fn func(context.Context, *I) (*O, error)) {
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		of(ctx).deadlines(0, writeTime) // the body is here: what follows may take its time
		out, err := fn(ctx, in)
		if err != nil {
			p := problem(ctx, err)
			logCause(ctx, s.log, p, err)
			return nil, p
		}
		return out, nil
	})
}

// needActor refuses whoever is not signed in, before the body is read.
func (s *Server) needActor(c huma.Context, next func(huma.Context)) {
	if err := signedIn(c.Context()); err != nil {
		_ = huma.WriteErr(s.api, c, http.StatusUnauthorized, "", err)
		return
	}
	next(c)
}

func signedIn(ctx context.Context) error {
	q := of(ctx)
	switch {
	case q.signedIn:
		return nil
	case q.expired:
		return fault.New(fault.Unauthenticated, "session_ended", "You were signed out, most likely after a time without activity. Sign in again; nothing you saved is lost.")
	default:
		return fault.New(fault.Unauthenticated, "sign_in_required", "Sign in first.")
	}
}

// describe adds a route that is not handled by huma to the description.
func (s *Server) describe(op huma.Operation, body *huma.RequestBody, responses map[string]*huma.Response) {
	op.Security = []map[string][]string{{"session": {}}}
	op.RequestBody = body
	op.Responses = responses
	schema := s.api.OpenAPI().Components.Schemas.Schema(problemReflect, true, "Problem")
	for _, status := range op.Errors {
		responses[itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	s.api.OpenAPI().AddOperation(&op)
}

// raw mounts a plain handler for people who are signed in.
func (s *Server) raw(pattern string, h http.HandlerFunc) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := signedIn(r.Context()); err != nil {
			fail(w, r, s.log, err)
			return
		}
		h(w, r)
	})
}

// serveDescription answers with the OpenAPI document. It says nothing about anybody, so everyone may have it.
func (s *Server) serveDescription() error {
	raw, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return err
	}
	s.mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw)
	})
	return nil
}

// unknown answers under /api/ what no route takes: with the methods that the path does take, or that there is nothing.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, p := s.mux.Handler(probe); strings.HasPrefix(p, m+" ") || (m == http.MethodHead && strings.HasPrefix(p, "GET ")) {
			allow = append(allow, m)
		}
	}
	if len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		newProblem(r.Context(), http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take this method.").write(w, r)
		return
	}
	fail(w, r, s.log, fault.New(fault.NotFound, "route_unknown", "There is nothing at this address."))
}

// isPoll says whether a path is one that pages ask by themselves again and again.
func isPoll(path string) bool {
	return strings.HasPrefix(path, "/api/v1/dictations/") && strings.HasSuffix(path, "/status") || strings.HasPrefix(path, queuesPath+"/api/") ||
		path == "/api/v1/notifications/unread"
}

// stamp is a time in answers: UTC, so that all clients sort alike.
func stamp(t time.Time) time.Time { return t.UTC() }
