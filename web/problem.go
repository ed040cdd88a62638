package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"vesper/internal/fault"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// Problem is the one form of a failed answer (RFC 9457). Code is stable; people read Detail.
type Problem struct {
	Type      string         `json:"type" doc:"URN of the kind of problem; it ends with the code" example:"urn:vesper:problem:version_conflict"`
	Title     string         `json:"title" doc:"The HTTP status in words"`
	Status    int            `json:"status" doc:"The HTTP status"`
	Code      string         `json:"code" doc:"Stable name of the problem; programs decide by it" example:"version_conflict"`
	Detail    string         `json:"detail" doc:"What happened and what to do, for people"`
	RequestID string         `json:"request_id,omitempty" doc:"Quote this when asking for help"`
	Fields    []ProblemField `json:"fields,omitempty" doc:"Which parts of the input are wrong"`

	retryAfter time.Duration
}

// ProblemField names one wrong part of the input. It never repeats the value.
type ProblemField struct {
	Location string `json:"location" doc:"Where, such as body.version or query.limit"`
	Message  string `json:"message" doc:"What is expected there"`
}

// Error makes a problem an error for huma. It is not for people.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus tells huma the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders tells huma the headers that belong to the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	return h
}

// statusOf is the one place where a kind of fault becomes an HTTP status.
func statusOf(f *fault.Error) int {
	if f.Code == codeRateLimited || f.Code == "uploads_unfinished" {
		return http.StatusTooManyRequests
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported:
		return http.StatusUnsupportedMediaType
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Canceled:
		return statusClientClosed
	default:
		return http.StatusInternalServerError
	}
}

// statusClientClosed is what proxies log for a client that went away; nobody reads the answer.
const statusClientClosed = 499

// problem maps any error to the answer for it.
func problem(ctx context.Context, err error) *Problem {
	f := fault.As(err)
	status := statusOf(f)
	p := newProblem(ctx, status, f.Code, f.Public)
	p.retryAfter = f.RetryAfter
	if p.retryAfter == 0 && status == http.StatusServiceUnavailable {
		p.retryAfter = 5 * time.Second
	}
	return p
}

func newProblem(ctx context.Context, status int, code, detail string) *Problem {
	q := of(ctx)
	q.code = code
	title := http.StatusText(status)
	if status == statusClientClosed {
		title = "Client Closed Request"
	}
	return &Problem{Type: "urn:vesper:problem:" + code, Title: title, Status: status, Code: code, Detail: detail, RequestID: q.id}
}

// fail answers with the problem of err and keeps the private cause in the log, where it is ours to mend.
func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := problem(r.Context(), err)
	logCause(r.Context(), log, p, err)
	p.write(w, r)
}

func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Del("Content-Length")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.json())
	}
}

func (p *Problem) json() []byte {
	raw, err := json.Marshal(p)
	if err != nil { // strings and numbers only
		return []byte(`{"code":"internal"}`)
	}
	return raw
}

// logCause writes the cause of failures that somebody must look at: ours, and those of the services behind us.
func logCause(ctx context.Context, log *slog.Logger, p *Problem, err error) {
	if p.Status < http.StatusInternalServerError {
		return
	}
	log.ErrorContext(ctx, "request failed", "request", p.RequestID, "route", of(ctx).pattern, "code", p.Code, "err", err)
}
