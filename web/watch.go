package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/trail"
)

// Watch is told of each answered request, for metrics: its route's pattern, never its path. Implementations MUST NOT block
// and MUST be safe for concurrent use.
type Watch interface {
	Request(method, route string, status int, took time.Duration)
}

// watching makes each request's span and count; a zero one does neither.
type watching struct {
	watch  Watch
	traces trace.TracerProvider
}

// begin starts the request's span. A trace that the caller names is not continued: whoever asks is not trusted to choose.
func (w watching) begin(ctx context.Context, r *http.Request, q *request) (context.Context, func(status int)) {
	began := time.Now()
	ctx, span := trail.Root(trail.WithRequest(ctx, q.id), w.traces, "http "+r.Method, "", trace.SpanKindServer,
		attribute.String("http.request.method", r.Method), attribute.String("vesper.request", q.id))
	return ctx, func(status int) {
		if status == 0 {
			status = statusClientClosed // nothing was answered
		}
		if w.watch != nil && q.pattern != "GET /healthz" && q.pattern != "GET /readyz" {
			w.watch.Request(r.Method, q.pattern, status, time.Since(began))
		}
		if w.traces == nil {
			return
		}
		span.SetName("http " + r.Method + " " + q.path())
		span.SetAttributes(attribute.String("http.route", q.path()), attribute.Int("http.response.status_code", status))
		if q.code != "" {
			span.SetAttributes(attribute.String("error.type", q.code))
		}
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, strconv.Itoa(status))
		}
		span.End()
	}
}

// path is the matched pattern without its method.
func (r *request) path() string {
	for i := range len(r.pattern) {
		if r.pattern[i] == ' ' {
			return r.pattern[i+1:]
		}
	}
	return r.pattern
}
