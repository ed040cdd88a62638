package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vesper/internal/client"
	"vesper/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server with these handlers and a client for it.
func serve(t *testing.T, handlers map[string]http.HandlerFunc) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range handlers {
		mux.HandleFunc(pattern, h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		s.Close()
	})
	c, err := client.New(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func recording(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "visit.wav")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %s %s", kind, code)
	}
	if f := fault.As(err); f.Kind != kind || f.Code != code || f.Public == "" {
		t.Fatalf("got %+v; want %s %s", f, kind, code)
	}
}

func TestTheSessionsCookieAndTheFieldsGoAlongWithTheFile(t *testing.T) {
	t.Parallel()
	c := serve(t, map[string]http.HandlerFunc{
		"POST /api/v1/session": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if string(body) != `{"login":"kim","password":"secret"}` {
				http.Error(w, string(body), http.StatusBadRequest)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1", Path: "/"})
			fmt.Fprint(w, `{"id":"p1","name":"Kim Doe","role":"editor"}`)
		},
		"POST /api/v1/dictations": func(w http.ResponseWriter, r *http.Request) {
			cookie, err := r.Cookie("session")
			if err != nil || cookie.Value != "s1" {
				http.Error(w, "no session", http.StatusUnauthorized)
				return
			}
			parts, err := r.MultipartReader()
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			var got []string
			for {
				p, err := parts.NextPart()
				if err != nil {
					break
				}
				body, _ := io.ReadAll(p)
				got = append(got, p.FormName()+"="+string(body)+p.FileName())
			}
			if want := "patient=T-1 work_type=progress priority=stat client_key=k file=sound bytesvisit.wav"; strings.Join(got, " ") != want {
				http.Error(w, strings.Join(got, " "), http.StatusBadRequest)
				return
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"id":"d1","state":"queued","sha256":"ab","bytes":11,"duplicate":true}`)
		},
	})
	p, err := c.Login(t.Context(), "kim", "secret")
	if err != nil || p.Role != "editor" {
		t.Fatalf("%+v %v", p, err)
	}
	r, err := c.Submit(t.Context(), recording(t, "sound bytes"), client.Submission{Patient: "T-1", WorkType: "progress", Priority: "stat", ClientKey: "k"})
	if err != nil || r.ID != "d1" || r.Bytes != 11 || !r.Duplicate {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestAProblemComesBackAsTheFaultItWas(t *testing.T) {
	t.Parallel()
	kinds := map[int]fault.Kind{
		400: fault.Invalid, 401: fault.Unauthenticated, 403: fault.Forbidden, 404: fault.NotFound, 409: fault.Conflict, 413: fault.TooLarge,
		415: fault.Unsupported, 422: fault.Invalid, 429: fault.Unavailable, 500: fault.Internal, 502: fault.Internal, 503: fault.Unavailable,
	}
	for status, kind := range kinds {
		c := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"code":"some_code","title":"T","detail":"What to do."}`)
		}})
		err := c.Do(t.Context(), "GET", "/x", nil, nil)
		wantFault(t, err, kind, "some_code")
		if fault.As(err).Public != "What to do." {
			t.Errorf("%d: %s", status, fault.As(err).Public)
		}
	}
	c := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }})
	wantFault(t, c.Do(t.Context(), "GET", "/x", nil, nil), fault.Internal, "http_502")
}

func TestWhatCannotBeSentIsToldBeforeTheNetwork(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "nonsense", "http://", "::"} {
		_, err := client.New(address)
		wantFault(t, err, fault.Invalid, "server_url")
	}
	c, err := client.New("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Submit(t.Context(), filepath.Join(t.TempDir(), "absent.wav"), client.Submission{})
	wantFault(t, err, fault.Invalid, "file_unreadable")
	_, err = c.Submit(t.Context(), recording(t, "x"), client.Submission{})
	wantFault(t, err, fault.Unavailable, "server_unreachable")
}

func TestWaitingEndsInTheStateInFailureOrWithItsTime(t *testing.T) {
	t.Parallel()
	asked := 0
	c := serve(t, map[string]http.HandlerFunc{"/api/v1/dictations/{id}/status": func(w http.ResponseWriter, r *http.Request) {
		asked++
		state := "queued"
		switch {
		case r.PathValue("id") == "bad":
			state = "rejected"
		case r.PathValue("id") == "good" && asked >= 3:
			state = "drafted"
		}
		fmt.Fprintf(w, `{"state":%q,"reason":"No speech was heard."}`, state)
	}})
	s, err := c.Await(t.Context(), "good", "drafted", "delivered")
	if err != nil || s.State != "drafted" || asked < 3 {
		t.Fatalf("%+v %v after %d questions", s, err, asked)
	}
	_, err = c.Await(t.Context(), "bad", "drafted")
	wantFault(t, err, fault.Invalid, "dictation_rejected")
	if fault.As(err).Public != "No speech was heard." {
		t.Errorf("the reason is lost: %v", err)
	}
	if s, err := c.Await(t.Context(), "bad", "rejected"); err != nil || s.State != "rejected" {
		t.Errorf("waiting for the rejection itself: %+v %v", s, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := c.Await(ctx, "slow", "drafted"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerThatIsNoJSONIsAnError(t *testing.T) {
	t.Parallel()
	c := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }})
	var out struct{}
	if err := c.Do(t.Context(), "GET", "/x", nil, &out); err == nil {
		t.Error("no error")
	}
}

func TestARecordingThatIsPutOffIsSentAgainWhenTheServerSaid(t *testing.T) {
	t.Parallel()
	var asked []time.Time
	c := serve(t, map[string]http.HandlerFunc{
		"POST /api/v1/dictations": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			asked = append(asked, time.Now())
			if len(asked) < 3 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
				fmt.Fprint(w, `{"code":"queue_full","detail":"Too many wait."}`)
				return
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"id":"d1","expected_wait":240}`)
		},
	})
	var told []string
	c.OnWait = func(pause time.Duration, why *fault.Error) {
		if pause < time.Second || pause > 1250*time.Millisecond {
			t.Errorf("waits %s", pause)
		}
		told = append(told, why.Code)
	}
	r, err := c.Submit(context.Background(), recording(t, "sound"), client.Submission{})
	if err != nil || r.ID != "d1" || r.ExpectedWait == nil || *r.ExpectedWait != 240 {
		t.Fatalf("%+v, %v", r, err)
	}
	if len(asked) != 3 || fmt.Sprint(told) != "[queue_full queue_full]" || asked[1].Sub(asked[0]) < time.Second {
		t.Errorf("asked at %v, told %v", asked, told)
	}
}

func TestWhoIsPutOffAndStoppedSaysWhy(t *testing.T) {
	t.Parallel()
	c := serve(t, map[string]http.HandlerFunc{
		"POST /api/v1/dictations": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"code":"rate_limited","detail":"Too many attempts."}`)
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	c.OnWait = func(pause time.Duration, _ *fault.Error) {
		if pause > 13*time.Minute {
			t.Errorf("waits %s", pause)
		}
		stop()
	}
	_, err := c.Submit(ctx, recording(t, "sound"), client.Submission{})
	wantFault(t, err, fault.Unavailable, "rate_limited")
}
