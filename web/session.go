package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// SessionPersonKey is the key under which a session holds the person's id as a string; a store may index by it.
const SessionPersonKey = "person"

// Keys of a session's other values.
const (
	keyPractice = "practice"
	keyTouched  = "touched" // unix milliseconds when the idle clock was last set back
)

// backgroundHeader marks requests that a page sends by itself. They do not set back the idle clock; otherwise an open
// page would keep an abandoned workstation signed in.
const backgroundHeader = "Vesper-Background"

// sessions keeps who is signed in. The store holds only hashes of tokens. Unlike the library's own layer, a session is
// written before the request is handled, never after: an answer that takes long cannot bring back a session that was
// closed meanwhile.
type sessions struct {
	scs    *scs.SessionManager
	people Accounts
	log    *slog.Logger
}

func newSessions(store scs.Store, people Accounts, idle, absolute time.Duration, secure bool, log *slog.Logger) *sessions {
	// Built by hand: scs.New starts a store of its own that would never stop.
	m := &scs.SessionManager{
		Store: store, HashTokenInStore: true, Codec: scs.GobCodec{}, IdleTimeout: idle, Lifetime: absolute,
		Cookie: scs.SessionCookie{Name: "vesper_session", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure},
	}
	if secure {
		m.Cookie.Name = "__Host-vesper"
	}
	return &sessions{scs: m, people: people, log: log}
}

// load finds out who sends the request. Whoever has no valid session goes on as nobody; routes that need somebody
// refuse them.
func (s *sessions) load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := ""
		if c, err := r.Cookie(s.scs.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := s.scs.Load(r.Context(), token)
		if err != nil {
			fail(w, r, s.log, sessionFault(err))
			return
		}
		if token != "" {
			if err := s.identify(ctx, r); err != nil {
				fail(w, r, s.log, err)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// identify reads the person anew on every request, so that a disabled account or a changed role counts at once.
func (s *sessions) identify(ctx context.Context, r *http.Request) error {
	q := of(ctx)
	q.expired = true
	id, err1 := uuid.Parse(s.scs.GetString(ctx, SessionPersonKey))
	practice, err2 := uuid.Parse(s.scs.GetString(ctx, keyPractice))
	if err1 != nil || err2 != nil {
		return nil //nolint:nilerr // the session ran out, or the token never was one
	}
	p, err := s.people.Person(ctx, practice, id)
	switch kind := fault.KindOf(err); {
	case kind == fault.NotFound || kind == fault.Forbidden || kind == fault.Unauthenticated || (err == nil && p.Disabled):
		return s.end(ctx)
	case err != nil:
		return err
	}
	if !background(r) {
		if err := s.touch(ctx); err != nil {
			return err
		}
	}
	q.expired, q.signedIn = false, true
	q.actor = p.Actor()
	q.actor.RequestID = q.id
	return nil
}

// touch sets back the idle clock. It is written at most thirty times per idle period: reading pages must not become a
// stream of writes.
func (s *sessions) touch(ctx context.Context) error {
	now := time.Now()
	if now.Sub(time.UnixMilli(s.scs.GetInt64(ctx, keyTouched))) < s.scs.IdleTimeout/30 {
		return nil
	}
	s.scs.Put(ctx, keyTouched, now.UnixMilli())
	if _, _, err := s.scs.Commit(ctx); err != nil {
		return sessionFault(err)
	}
	return nil
}

// background says whether a page asks by itself. Polls of a browser count as that even without the header; a program
// that waits for its dictation (it sends no Sec-Fetch-Mode) is somebody at work.
func background(r *http.Request) bool {
	return r.Header.Get(backgroundHeader) != "" ||
		(r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") != "" && isPoll(r.URL.Path))
}

// begin opens a session for the person under a fresh token; whatever session there was is gone.
func (s *sessions) begin(ctx context.Context, w http.ResponseWriter, p pipeline.Person) (expires time.Time, err error) {
	if err := s.end(ctx); err != nil {
		return time.Time{}, err
	}
	s.scs.Put(ctx, SessionPersonKey, p.ID.String())
	s.scs.Put(ctx, keyPractice, p.PracticeID.String())
	s.scs.Put(ctx, keyTouched, time.Now().UnixMilli())
	token, expires, err := s.scs.Commit(ctx)
	if err != nil {
		return time.Time{}, sessionFault(err)
	}
	s.scs.WriteSessionCookie(ctx, w, token, expires)
	q := of(ctx)
	q.signedIn, q.expired = true, false
	q.actor = p.Actor()
	q.actor.RequestID = q.id
	return expires, nil
}

// end deletes the session of this request.
func (s *sessions) end(ctx context.Context) error {
	if s.scs.Token(ctx) == "" {
		return nil
	}
	if err := s.scs.Destroy(ctx); err != nil {
		return sessionFault(err)
	}
	return nil
}

// forget tells the browser to drop the cookie.
func (s *sessions) forget(ctx context.Context, w http.ResponseWriter) {
	s.scs.WriteSessionCookie(ctx, w, "", time.Time{})
}

// expires says when the session ends if nothing more happens.
func (s *sessions) expires(ctx context.Context) time.Time {
	idle := time.UnixMilli(s.scs.GetInt64(ctx, keyTouched)).Add(s.scs.IdleTimeout)
	if deadline := s.scs.Deadline(ctx); deadline.Before(idle) {
		return deadline.UTC()
	}
	return idle.UTC()
}

func sessionFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fmt.Errorf("session store: %w", err), fault.Unavailable, "session_unavailable",
		"Signing in is not possible right now because a service is down. Try again in a moment.")
}
