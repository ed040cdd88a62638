package web

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"vesper/internal/fault"
)

// useProblems makes huma speak in our problems. The library keeps its constructor of errors in a package variable, so
// it is set once for the process.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		return humaProblem(context.Background(), status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		return humaProblem(ctx.Context(), status, errs)
	}
})

// humaProblem turns what huma found wrong with a request into a problem. Huma's own texts are used for validation only,
// because those speak of the schema; a text that may repeat the input is replaced.
func humaProblem(ctx context.Context, status int, errs []error) huma.StatusError {
	for _, err := range errs {
		var f *fault.Error
		if errors.As(err, &f) {
			return problem(ctx, f)
		}
	}
	k, ok := humaKinds[status]
	if !ok {
		k = humaKinds[http.StatusInternalServerError]
	}
	p := newProblem(ctx, status, k.code, k.detail)
	if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
		p.Fields = fields(errs)
	}
	return p
}

// humaKinds are the failures that huma finds by itself.
var humaKinds = map[int]struct{ code, detail string }{
	http.StatusBadRequest:            {"bad_request", "The request cannot be read: its body must be valid JSON as the API describes it."},
	http.StatusUnprocessableEntity:   {"invalid_input", "Some of the input is missing or not as expected. The fields say what to mend."},
	http.StatusRequestTimeout:        {"timeout", "The request took too long to arrive. Send it again."},
	http.StatusRequestEntityTooLarge: {"body_too_large", "The request is larger than this route takes."},
	http.StatusUnsupportedMediaType:  {"json_expected", "Send the body as application/json."},
	http.StatusNotAcceptable:         {"not_acceptable", "This route answers with application/json."},
	http.StatusInternalServerError:   {"internal", "Something went wrong on our side. Nothing was lost; try again."},
}

// plainLocation is a location made of the schema's own names; anything else could repeat what the client sent.
var plainLocation = regexp.MustCompile(`^(body|path|query|header)(\.[a-z_]{1,40}|\[\d{1,6}\]){0,8}$`)

// plainMessages are huma's texts that speak only of the schema. Texts of parsers are not among them.
var plainMessages = regexp.MustCompile(`^(expected|required|invalid (integer|boolean|date|UUID)|unexpected property)`)

func fields(errs []error) []ProblemField {
	out := []ProblemField{}
	for _, err := range errs {
		var d *huma.ErrorDetail
		if !errors.As(err, &d) || len(out) == 20 {
			continue
		}
		f := ProblemField{Location: "body", Message: "This part is not as expected."}
		if plainLocation.MatchString(d.Location) {
			f.Location = d.Location
		}
		if plainMessages.MatchString(d.Message) && len(d.Message) < 200 {
			f.Message, _, _ = strings.Cut(d.Message, ": ") // after a colon a parser may repeat the value
		}
		if d.Message == "unexpected property" { // its location ends with the client's own word
			f = ProblemField{Location: "body", Message: "A property is not known here; see the API's description."}
		}
		out = append(out, f)
	}
	return out
}
