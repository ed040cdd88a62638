package client_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
)

func TestAServerOfAnUnknownAuthorityIsTrustedWhenNamed(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	s.Config.ErrorLog = nil
	defer s.Close()
	c, err := client.New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wantFault(t, c.Do(t.Context(), "GET", "/x", nil, nil), fault.Unavailable, "server_unreachable")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Trust(file); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), "GET", "/x", nil, nil); err != nil {
		t.Errorf("trusted: %v", err)
	}
	wantFault(t, c.Trust(filepath.Join(t.TempDir(), "absent")), fault.Invalid, "ca_unreadable")
	if err := os.WriteFile(file, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFault(t, c.Trust(file), fault.Invalid, "ca_invalid")
}

func TestThePauseThatAServerAsksForComesAlong(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "0": 0, "-3": 0, "": 0, "soon": 0, "99999999": 15 * time.Minute, "99999999999999999999": 0,
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): 15 * time.Minute, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		c := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		}})
		if got := fault.As(c.Do(t.Context(), "GET", "/x", nil, nil)).RetryAfter; got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestAnUploadGoesOnlyWhereTheServerMayAskFor(t *testing.T) {
	t.Parallel()
	for _, place := range []string{"", "https://elsewhere.example/api/v1/uploads/1", "/api/v1/uploads/", "/api/v1/uploads/1/../../session", "/api/v1/uploads/1?x"} {
		c := serve(t, map[string]http.HandlerFunc{"POST /api/v1/uploads": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", place)
			w.WriteHeader(http.StatusCreated)
		}})
		_, err := c.Begin(t.Context(), "visit.wav", 10, client.Submission{})
		wantFault(t, err, fault.Internal, "server_unexpected")
	}
}

func TestAServerThatCountsOtherwiseIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"", "x", "-1", "0", "11"} {
		c := serve(t, map[string]http.HandlerFunc{
			"HEAD /api/v1/uploads/1":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Upload-Offset", "0") },
			"PATCH /api/v1/uploads/1": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Upload-Offset", said) },
		})
		_, err := c.Resume(t.Context(), "/api/v1/uploads/1", strings.NewReader("0123456789"), 10, nil)
		wantFault(t, err, fault.Internal, "server_unexpected")
	}
}
