package sandbox

import (
	"errors"
	"net/http"
)

// refusal is an error that the client is told as a FHIR OperationOutcome. Its text is fixed and repeats nothing of what
// was sent but an element's name.
type refusal struct {
	status int
	code   string // of FHIR's issue-type value set
	text   string
}

func (r *refusal) Error() string { return r.code + ": " + r.text }

func refuse(status int, code, text string) error { return &refusal{status, code, text} }

func invalid(code, text string) error { return refuse(http.StatusUnprocessableEntity, code, text) }

func asError[T error](err error, target *T) bool { return errors.As(err, target) }

// fail answers with an OperationOutcome.
func (s *Server) fail(w http.ResponseWriter, err error) {
	r := &refusal{http.StatusInternalServerError, "exception", "The sandbox could not do this; its log says why."}
	if !asError(err, &r) {
		s.log.Error("sandbox request failed", "error", err)
	}
	s.write(w, r.status, map[string]any{
		"resourceType": "OperationOutcome",
		"issue": []any{map[string]any{
			"severity": "error", "code": r.code, "diagnostics": r.text,
		}},
	})
}

// write answers with a resource.
func (s *Server) write(w http.ResponseWriter, status int, resource any) {
	body, err := encode(resource)
	if err != nil {
		s.log.Error("sandbox answer failed", "error", err)
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; it will ask again
}
