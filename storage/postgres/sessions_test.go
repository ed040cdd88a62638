package postgres_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"vesper/storage/postgres"
)

func encode(t testing.TB, person uuid.UUID) []byte {
	t.Helper()
	b, err := scs.GobCodec{}.Encode(time.Now().Add(time.Hour), map[string]any{"person": person.String()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func found(t testing.TB, s *postgres.Sessions, token string) bool {
	t.Helper()
	_, ok, err := s.FindCtx(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestSessionsAreKeptReplacedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve.Sessions("person")
	if found(t, s, "token") {
		t.Error("a session before it was made")
	}
	soon := time.Now().Add(time.Minute)
	w.must(s.CommitCtx(ctxb(), "token", []byte("one"), soon))
	w.must(s.CommitCtx(ctxb(), "token", []byte("two"), soon))
	if data, ok, err := s.FindCtx(ctxb(), "token"); string(data) != "two" || !ok || err != nil {
		t.Errorf("%q, %v, %v", data, ok, err)
	}
	w.must(s.DeleteCtx(ctxb(), "token"))
	w.must(s.DeleteCtx(ctxb(), "token"))
	if found(t, s, "token") {
		t.Error("a deleted session")
	}
}

func TestTheTableOfSessionsHoldsNoToken(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.must(w.serve.Sessions("person").Commit("secret-token", []byte("data"), time.Now().Add(time.Minute)))
	n, err := w.raw(w.admin, uuid.Nil, `SELECT FROM sessions s WHERE s::text LIKE '%secret-token%' OR s::text LIKE '%' || encode('secret-token', 'hex') || '%'`)
	if n != 0 || err != nil {
		t.Errorf("%d rows hold the token, %v", n, err)
	}
	if n, err := w.raw(w.admin, uuid.Nil, `SELECT FROM sessions`); n != 1 || err != nil {
		t.Errorf("%d sessions, %v", n, err)
	}
}

func TestExpiredSessionsAreNotFoundAndAreCleanedUp(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	s := w.serve.Sessions("person")
	w.must(s.Commit("old", []byte("x"), time.Now().Add(-time.Second)))
	w.must(s.Commit("new", []byte("x"), time.Now().Add(time.Minute)))
	if found(t, s, "old") {
		t.Error("an expired session was found")
	}
	if n, err := s.DeleteExpired(ctxb()); n != 1 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if !found(t, s, "new") {
		t.Error("a live session was removed")
	}
	ctx, cancel := context.WithCancel(ctxb())
	cancel()
	s.Clean(ctx, time.Hour) // returns when the context ends
}

func TestAPersonsSessionsEndTogetherAndOthersStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve.Sessions("person")
	soon := time.Now().Add(time.Minute)
	w.must(s.Commit("phone", encode(t, w.editor.ID), soon))
	w.must(s.Commit("desk", encode(t, w.editor.ID), soon))
	w.must(s.Commit("other", encode(t, w.second.ID), soon))
	w.must(s.DeleteSessionsOf(ctxb(), w.editor.ID))
	if found(t, s, "phone") || found(t, s, "desk") || !found(t, s, "other") {
		t.Error("the wrong sessions ended")
	}
}

func TestTheSessionManagerWorksOnTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store := w.serve.Sessions("person")
	// Not scs.New: it starts a clean-up goroutine for a store in memory that nobody needs here.
	m := &scs.SessionManager{Store: store, Codec: scs.GobCodec{}, Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "session", Path: "/"}}
	h := m.LoadAndSave(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/in" {
			m.Put(r.Context(), "person", w.editor.ID.String())
		}
		_, _ = rw.Write([]byte(m.GetString(r.Context(), "person")))
	}))
	in := httptest.NewRecorder()
	h.ServeHTTP(in, httptest.NewRequest(http.MethodGet, "/in", nil))
	cookie := in.Result().Cookies()[0]
	ask := func() string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Body.String()
	}
	if got := ask(); got != w.editor.ID.String() {
		t.Errorf("the session says %q", got)
	}
	w.must(store.DeleteSessionsOf(ctxb(), w.editor.ID))
	if got := ask(); got != "" {
		t.Errorf("after its end the session says %q", got)
	}
}
