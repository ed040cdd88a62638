package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"vesper/internal/fault"
)

// Times that an ordinary request may take. Uploads and recordings set their own, longer ones as bytes move.
const (
	readTime  = 30 * time.Second
	writeTime = 90 * time.Second
)

// recorder notes what was answered, for the log and the panic guard.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// observe is the outermost layer: it gives the request its id and deadlines, turns panics into a plain problem, and
// writes one line to the access log. That line holds the matched route, never the path or the query.
func observe(log *slog.Logger, watch watching, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		q := newRequest(w)
		rec := &recorder{ResponseWriter: w}
		ctx, end := watch.begin(context.WithValue(r.Context(), requestKey{}, q), r, q)
		defer func() { end(rec.status) }()
		r = r.WithContext(ctx)
		w.Header().Set("X-Request-Id", q.id)
		read := readTime
		if r.ContentLength == 0 {
			read = 0 // nothing to wait for; a deadline would end long answers
		}
		q.deadlines(read, writeTime)
		defer func() {
			if v := recover(); v != nil {
				guard(rec, r, log, v)
			}
			logAccess(r, log, rec, time.Since(began))
		}()
		next.ServeHTTP(rec, r)
	})
}

// guard answers a panic. Its value and stack go to the log only; an answer that has begun is cut, so that the client
// does not take a part for the whole.
func guard(w *recorder, r *http.Request, log *slog.Logger, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	q := of(r.Context())
	// The value of a panic may hold anything, patient text included, unless it comes from the runtime; the stack holds
	// code only.
	what := "value withheld"
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	log.ErrorContext(r.Context(), "panic", "request", q.id, "route", q.pattern, "what", what, "stack", string(debug.Stack()))
	if w.status != 0 {
		logAccess(r, log, w, 0)
		panic(http.ErrAbortHandler)
	}
	problem(r.Context(), fault.New(fault.Internal, "internal", "Something went wrong on our side. Nothing was lost; try again.")).write(w, r)
}

func logAccess(r *http.Request, log *slog.Logger, w *recorder, took time.Duration) {
	q := of(r.Context())
	args := []any{
		"request", q.id, "method", r.Method, "route", q.pattern, "status", w.status, "bytes", w.bytes,
		"ms", took.Milliseconds(),
	}
	if q.signedIn {
		args = append(args, "person", q.actor.ID)
	}
	if q.code != "" {
		args = append(args, "code", q.code)
	}
	level := slog.LevelInfo
	if q.pattern == "GET /healthz" || q.pattern == "GET /readyz" {
		level = slog.LevelDebug
	}
	log.Log(r.Context(), level, "request", args...)
}

// route is the innermost layer: the mux, with the matched pattern noted for the log.
func route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		of(r.Context()).pattern = pattern
		mux.ServeHTTP(w, r)
		if r.Pattern != "" { // the pages have a mux of their own, which knows better
			of(r.Context()).pattern = r.Pattern
		}
	})
}
