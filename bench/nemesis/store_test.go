package nemesis_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// badStore stands before the object store and spoils what it is told to: each n-th request is refused, or each is slow.
type badStore struct {
	mood atomic.Pointer[mood]
	seen atomic.Int64
}

// mood is how the store answers now.
type mood struct {
	status int           // refuse with this; 0: break off the connection in the middle of the answer
	every  int64         // of how many requests one is spoilt; 0: none
	delay  time.Duration // of each answer
}

// spoilt puts a store before the one at endpoint and returns where it listens.
func spoilt(t *testing.T, endpoint string) (*badStore, string) {
	t.Helper()
	to, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b := &badStore{}
	// The name that the client called is part of what it signed, so it stays.
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }}
	pass.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.serve(w, r, pass) }))
	t.Cleanup(front.Close)
	return b, front.Listener.Addr().String()
}

func (b *badStore) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	m := b.mood.Load()
	if m == nil {
		next.ServeHTTP(w, r)
		return
	}
	if m.delay > 0 {
		t := time.NewTimer(m.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return
		}
	}
	switch hit := m.every > 0 && b.seen.Add(1)%m.every == 0; {
	case hit && m.status == 0:
		next.ServeHTTP(&half{w}, r)
		panic(http.ErrAbortHandler) // the answer ends in the middle
	case hit:
		http.Error(w, "fault injected", m.status)
	default:
		next.ServeHTTP(w, r)
	}
}

// half lets the first half of each piece of an answer through.
type half struct{ http.ResponseWriter }

func (h *half) Write(p []byte) (int, error) {
	_, err := h.ResponseWriter.Write(p[:len(p)/2])
	return len(p), err
}
