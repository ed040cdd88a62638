// Package fault is the one kind of error that Vesper shows to people. A fault has a kind (which decides the HTTP status
// and whether to try again), a stable code, a public text that says what to do, and a private cause. The public text never
// holds patient text; the cause is for logs and is never shown.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind classifies a fault. It decides the HTTP status at the edge and whether work is tried again.
type Kind string

// The kinds, from the caller's mistakes to ours.
const (
	Invalid         Kind = "invalid"         // the input is wrong; the text says how to mend it
	Unauthenticated Kind = "unauthenticated" // nobody is signed in, or the session ended
	Forbidden       Kind = "forbidden"       // signed in, but not allowed
	NotFound        Kind = "not_found"       // absent, or not visible to this actor
	Conflict        Kind = "conflict"        // someone else was faster; read again and repeat
	TooLarge        Kind = "too_large"       // over a size or duration limit
	Unsupported     Kind = "unsupported"     // a format or codec we do not read
	Unavailable     Kind = "unavailable"     // a service is down or busy; try again later
	Canceled        Kind = "canceled"        // the caller went away or asked to stop
	Internal        Kind = "internal"        // our fault
)

// Error carries both faces of a failure: Code and Public for the person, Err for the log.
type Error struct {
	Kind       Kind
	Code       string        // stable, snake_case, part of the API: "audio_empty"
	Public     string        // one or two plain sentences: what happened and what to do
	RetryAfter time.Duration // hint for Unavailable; 0 means the caller's own back-off
	Err        error         // private cause, may be nil
}

// New makes a fault without a cause.
func New(kind Kind, code, public string) *Error {
	return &Error{Kind: kind, Code: code, Public: public}
}

// Wrap makes a fault around a private cause.
func Wrap(err error, kind Kind, code, public string) *Error {
	return &Error{Kind: kind, Code: code, Public: public, Err: err}
}

// Error is for logs: code and cause. It is not for people; they get Public.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.Err)
	}
	return e.Code + ": " + e.Public
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches another fault by code, so that sentinels compare with errors.Is.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// As returns the fault inside err. Anything that is no fault becomes Internal with a neutral text, and context errors
// become Canceled, so that no private text ever leaves by accident.
func As(err error) *Error {
	var f *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled):
		return Wrap(err, Canceled, "canceled", "The request was cancelled.")
	case errors.Is(err, context.DeadlineExceeded):
		return Wrap(err, Unavailable, "timeout", "This took too long. Try again in a moment.")
	default:
		return Wrap(err, Internal, "internal", "Something went wrong on our side. Nothing was lost; try again.")
	}
}

// KindOf returns the kind of err, or "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return As(err).Kind
}

// Retryable says whether trying the same work again, unchanged, can succeed. Only unavailability and faults nobody
// foresaw are tried again; what is wrong with the input stays wrong.
func Retryable(err error) bool {
	switch KindOf(err) {
	case Unavailable, Internal, Canceled:
		return true
	default:
		return false
	}
}
