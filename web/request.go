package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
)

// request is what the layers know of one request. The outermost layer makes it and puts it into the context; inner
// layers fill it in, so that the access log at the outside can tell what happened inside.
type request struct {
	id      string
	nonce   string
	control *http.ResponseController

	actor    access.Actor
	signedIn bool
	expired  bool // a session cookie came along, but the session is over

	pattern string // the matched route, for the log: never the path itself
	code    string // the problem that was answered, if any

	uploadBegun func() // ends the claim of an upload that this request begins
}

type requestKey struct{}

// of returns the request's facts. Outside of Handler (in a test of one layer, say) it returns an empty value.
func of(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

func newRequest(w http.ResponseWriter) *request {
	return &request{id: uuid.NewString(), nonce: newNonce(), control: http.NewResponseController(w)}
}

// newNonce returns 128 random bits for the Content-Security-Policy.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawStdEncoding.EncodeToString(b[:])
}

// deadlines sets how long the rest of the body may take to arrive and the answer to leave. Zero lifts a limit.
// Writers without deadlines, as in tests of a bare handler, are left alone.
func (r *request) deadlines(read, write time.Duration) {
	if r.control == nil {
		return
	}
	_ = r.control.SetReadDeadline(after(read))
	_ = r.control.SetWriteDeadline(after(write))
}

func after(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// Actor returns who is signed in on this request.
func Actor(r *http.Request) (access.Actor, bool) {
	q := of(r.Context())
	return q.actor, q.signedIn
}

// Nonce returns the request's Content-Security-Policy nonce, for script and style elements.
func Nonce(r *http.Request) string { return of(r.Context()).nonce }
