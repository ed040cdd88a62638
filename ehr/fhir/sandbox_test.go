package fhir_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vesper/ehr"
	"vesper/ehr/ehrtest"
	"vesper/ehr/fhir"
	"vesper/ehr/sandbox"
	"vesper/internal/fault"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// serve starts a sandbox EHR and a client for it, over real HTTP on loopback.
func serve(t *testing.T, opt sandbox.Config) (*sandbox.Server, *httptest.Server, *fhir.Client) {
	t.Helper()
	opt.Dir, opt.Token = t.TempDir(), "sandbox-token"
	s, err := sandbox.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, srv, client(t, srv.URL, 10*time.Second)
}

func client(t *testing.T, url string, timeout time.Duration) *fhir.Client {
	t.Helper()
	c, err := fhir.New(fhir.Config{
		Name: "sandbox", BaseURL: url + "/fhir", AllowPrivate: true,
		Token: "sandbox-token", Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientConformsAgainstTheSandbox(t *testing.T) {
	t.Parallel()
	ehrtest.Run(t, func(t *testing.T) ehrtest.Fixture {
		s, srv, c := serve(t, sandbox.Config{})
		return ehrtest.Fixture{
			Target: c, Stop: srv.Close,
			Stored: func(i ehr.Identifier) int { return s.Count(i.System, i.Value) },
		}
	})
}

// noConditionalCreate is a server that neither declares nor keeps If-None-Exist.
func noConditionalCreate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/metadata") {
			w.Header().Set("Content-Type", "application/fhir+json")
			fmt.Fprint(w, `{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server",`+
				`"resource":[{"type":"DocumentReference"}]}]}`)
			return
		}
		r.Header.Del("If-None-Exist")
		next.ServeHTTP(w, r)
	})
}

func TestServerWithoutConditionalCreateIsSearchedFirst(t *testing.T) {
	t.Parallel()
	s, _, _ := serve(t, sandbox.Config{})
	srv := httptest.NewServer(noConditionalCreate(s))
	t.Cleanup(srv.Close)
	c := client(t, srv.URL, 10*time.Second)
	d := ehrtest.Document("note-1/v1")
	for i, want := range []ehr.Outcome{ehr.Created, ehr.Existed, ehr.Existed} {
		r, _, err := ehr.Send(t.Context(), c, d)
		if err != nil || r.Outcome != want {
			t.Fatalf("delivery %d: outcome %q, want %q, error %v", i, r.Outcome, want, err)
		}
	}
	if n := s.Count(d.Identifier.System, d.Identifier.Value); n != 1 {
		t.Fatalf("%d documents stored", n)
	}
}

// once injects a fault into the first create only.
func once(f sandbox.Fault) func(*http.Request) sandbox.Fault {
	var done atomic.Bool
	return func(r *http.Request) sandbox.Fault {
		if r.Method == http.MethodPost && done.CompareAndSwap(false, true) {
			return f
		}
		return sandbox.Fault{}
	}
}

// The wire is cut at each byte of the answer to the create; whatever is lost, one document stands in the end and it is
// the signed one.
func TestAnAnswerCutAtAnyByteLeavesExactlyOneDocument(t *testing.T) {
	t.Parallel()
	lost := 0
	for n := 0; ; n++ {
		s, srv, c := serve(t, sandbox.Config{Faults: once(sandbox.Fault{Cut: true, CutAfter: n})})
		d := ehrtest.Document("note-1/v1")
		first, _, err := ehr.Send(t.Context(), c, d)
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		again, _, err := ehr.Send(t.Context(), c, d)
		if err != nil || again.ID != first.ID {
			t.Fatalf("cut after %d bytes, again: %q then %q, %v", n, first.ID, again.ID, err)
		}
		if stored := s.Count(d.Identifier.System, d.Identifier.Value); stored != 1 {
			t.Fatalf("cut after %d bytes: %d documents stored", n, stored)
		}
		srv.Close()
		if first.Outcome == ehr.Created {
			break // the whole answer came through
		}
		if first.Outcome != ehr.Found {
			t.Fatalf("cut after %d bytes: outcome %q", n, first.Outcome)
		}
		lost++
	}
	if lost < 100 {
		t.Fatalf("only %d cuts lost the answer", lost)
	}
	t.Logf("%d cuts, one document each", lost)
}

func TestAnUnclearAnswerIsLookedUpBeforeAnythingIsSentAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]sandbox.Fault{
		"500 after the work": {Lose: 500}, "503 after the work": {Lose: 503}, "504 after the work": {Lose: 504},
		"408 after the work": {Lose: 408}, "409 after the work": {Lose: 409}, "200 without a place": {Lose: 200},
		"timeout after the work": {Delay: 5 * time.Second},
	}
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var posts atomic.Int32
			inject := once(f)
			s, srv, _ := serve(t, sandbox.Config{Faults: func(r *http.Request) sandbox.Fault {
				if r.Method == http.MethodPost {
					posts.Add(1)
				}
				return inject(r)
			}})
			d := ehrtest.Document("note-1/v1")
			r, _, err := ehr.Send(t.Context(), client(t, srv.URL, time.Second), d)
			if err != nil || r.Outcome != ehr.Found {
				t.Fatalf("outcome %q, error %v", r.Outcome, err)
			}
			if n := s.Count(d.Identifier.System, d.Identifier.Value); n != 1 || posts.Load() != 1 {
				t.Fatalf("%d documents after %d sends", n, posts.Load())
			}
		})
	}
}

func TestAFailureBeforeTheWorkIsUnknownAndTheNextDeliveryMendsIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{500, 502, 503, 409} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			s, _, c := serve(t, sandbox.Config{Faults: once(sandbox.Fault{Refuse: status})})
			d := ehrtest.Document("note-1/v1")
			_, err := c.Deliver(t.Context(), d)
			if f := fault.As(err); f == nil || f.Code != "ehr_outcome_unknown" || !fault.Retryable(err) {
				t.Fatalf("want an unknown outcome, got %v", err)
			}
			if r, _, err := ehr.Send(t.Context(), c, d); err != nil || r.Outcome != ehr.Created {
				t.Fatalf("next delivery: %q, %v", r.Outcome, err)
			}
			if n := s.Count(d.Identifier.System, d.Identifier.Value); n != 1 {
				t.Fatalf("%d documents stored", n)
			}
		})
	}
}

func TestAnAlteredByteOrAnotherPatientIsFoundByTheReadBack(t *testing.T) {
	t.Parallel()
	for field, f := range map[string]sandbox.Fault{"body": {AlterByte: true}, "patient": {OtherPatient: true}} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			_, _, c := serve(t, sandbox.Config{Faults: func(r *http.Request) sandbox.Fault {
				if r.Method == http.MethodGet && r.URL.Query().Get("identifier") == "" {
					return f
				}
				return sandbox.Fault{}
			}})
			r, _, err := ehr.Send(t.Context(), c, ehrtest.Document("note-1/v1"))
			if got := fault.As(err); got == nil || got.Code != ehr.CodeDiffers || !strings.Contains(got.Public, field) {
				t.Fatalf("want %s in %s, got %v", ehr.CodeDiffers, field, err)
			}
			if r.ID == "" || strings.Contains(err.Error(), ehrtest.Canary) {
				t.Fatalf("receipt %+v, error %v", r, err)
			}
		})
	}
}

func TestDuplicatesInTheEHRStopForAPerson(t *testing.T) {
	t.Parallel()
	s, srv, c := serve(t, sandbox.Config{})
	d := ehrtest.Document("note-1/v1")
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("If-None-Exist") // somebody else's writer
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(plain.Close)
	for range 2 {
		if _, err := client(t, plain.URL, 5*time.Second).Deliver(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Deliver(t.Context(), d)
	if f := fault.As(err); f == nil || f.Code != "ehr_duplicate" || f.Kind != fault.Conflict {
		t.Fatalf("want ehr_duplicate, got %v", err)
	}
	_ = srv
}

func TestWrongTokenGoesToAPersonAndIsNotShown(t *testing.T) {
	t.Parallel()
	_, srv, _ := serve(t, sandbox.Config{})
	c, err := fhir.New(fhir.Config{
		BaseURL: srv.URL + "/fhir", PlainHTTP: true, AllowNetworks: loopback,
		Token: "wrong-secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Deliver(t.Context(), ehrtest.Document("note-1/v1"))
	if f := fault.As(err); f == nil || f.Code != "ehr_login_refused" || !ehr.NeedsPerson(err) ||
		strings.Contains(fmt.Sprint(err, f.Public), "wrong-secret") {
		t.Fatalf("got %v", err)
	}
}

func TestACancelledDeliveryIsUnknownNotRefused(t *testing.T) {
	t.Parallel()
	s, _, c := serve(t, sandbox.Config{Faults: once(sandbox.Fault{Delay: time.Minute})})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	d := ehrtest.Document("note-1/v1")
	if _, err := c.Deliver(ctx, d); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("want unknown, got %v", err)
	}
	if r, err := c.Deliver(t.Context(), d); err != nil || s.Count(d.Identifier.System, d.Identifier.Value) != 1 {
		t.Fatalf("again: %+v, %v", r, err)
	}
}
