package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"pgregory.net/rapid"

	"vesper/internal/fault"
)

func TestEachKindOfFaultHasItsStatusAndKeepsItsCode(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fault.Kind]int{
		fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.TooLarge: 413, fault.Unsupported: 415, fault.Unavailable: 503, fault.Canceled: 499, fault.Internal: 500,
	} {
		p := problem(context.Background(), fmt.Errorf("operation: %w", fault.New(kind, "some_code", "What to do.")))
		if p.Status != want || p.Code != "some_code" || p.Detail != "What to do." || p.Title == "" || p.Type != "urn:vesper:problem:some_code" {
			t.Errorf("%s: %+v", kind, p)
		}
	}
	if p := problem(context.Background(), errors.New("private cause")); p.Status != 500 || strings.Contains(string(p.json()), "private") {
		t.Errorf("%s", p.json())
	}
	if p := problem(context.Background(), &fault.Error{Kind: fault.Unavailable, Code: codeRateLimited, RetryAfter: 1500 * time.Millisecond}); p.Status != 429 || p.GetHeaders().Get("Retry-After") != "2" {
		t.Errorf("%+v %v", p, p.GetHeaders())
	}
}

// Whatever huma finds wrong, and whatever text or value it puts into its error, the value does not come out again.
func TestProblemsOfTheLibraryNeverRepeatAValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := "q" + rapid.StringMatching(`[A-Z]{6,12}`).Draw(t, "secret")
		detail := &huma.ErrorDetail{
			Message:  rapid.SampledFrom([]string{"invalid character 'x' after " + secret, "unexpected property", secret, "expected string to be RFC 4122 uuid: " + secret}).Draw(t, "message"),
			Location: rapid.SampledFrom([]string{"body." + secret, "body", "query." + secret, "body.items[3]." + secret, secret}).Draw(t, "location"),
			Value:    secret,
		}
		status := rapid.SampledFrom([]int{400, 404, 406, 408, 413, 415, 422, 500, 501}).Draw(t, "status")
		p, ok := humaProblem(context.Background(), status, []error{detail, errors.New(secret)}).(*Problem)
		if !ok || strings.Contains(string(p.json()), secret) {
			t.Fatalf("%+v", p)
		}
	})
}

func TestClientAddressesAreTakenFromTheProxyOnlyWhenThereIsOne(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		remote, forwarded string
		proxy             bool
		want              string
	}{
		{"192.0.2.1:99", "", false, "192.0.2.1"},
		{"192.0.2.1:99", "203.0.113.5", false, "192.0.2.1"},
		{"127.0.0.1:99", "203.0.113.5, 198.51.100.2", true, "198.51.100.2"},
		{"127.0.0.1:99", "", true, "127.0.0.1"},
		{"[2001:db8:1:2:3:4:5:6]:99", "", false, "2001:db8:1:2::"},
		{"127.0.0.1:99", "rubbish", true, "unknown"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tc.remote
		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}
		if got := clientIP(r, tc.proxy); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
}

func TestTheLimiterForgetsTheOldestNameAndRefillsWithTime(t *testing.T) {
	t.Parallel()
	l := newLimiter(2, time.Minute, 3)
	now := time.Now()
	for range 2 {
		if _, wait := l.take("a", now); wait != 0 {
			t.Fatal("refused too early")
		}
	}
	if _, wait := l.take("a", now); wait <= 0 || wait > time.Minute {
		t.Fatalf("wait %v", wait)
	}
	if _, wait := l.take("a", now.Add(61*time.Second)); wait != 0 {
		t.Error("not refilled after its time")
	}
	giveBack, _ := l.take("b", now)
	giveBack()
	for range 2 {
		if _, wait := l.take("b", now); wait != 0 {
			t.Error("an attempt that was given back was counted")
		}
	}
	for _, k := range []string{"c", "d", "e", "f"} {
		l.take(k, now)
	}
	if l.order.Len() != 3 || len(l.byKey) != 3 {
		t.Errorf("%d names kept", l.order.Len())
	}
}

func TestRedirectsStayOnThisSite(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/sign/1?x=1": "/sign/1?x=1", "": "/", "https://evil.example/": "/", "//evil.example": "/", `/\evil.example`: "/", "sign": "/", "/a\r\nSet-Cookie: x": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("%q: %q", next, got)
		}
	}
}

func TestAFullDiskTakesNoUpload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := roomFor(dir, 1); err != nil {
		t.Fatalf("room for one byte: %v", err)
	}
	if f := fault.As(roomFor(dir, 1<<62)); f == nil || f.Code != "spool_full" {
		t.Errorf("%v", f)
	}
	if f := fault.As(roomFor(dir+"/missing", 1)); f == nil || f.Code != "spool_unavailable" {
		t.Errorf("%v", f)
	}
	if f := fault.As(bodyFault(&os.PathError{Op: "write", Path: "p", Err: os.ErrDeadlineExceeded}, 1)); f.Code != "upload_stalled" {
		t.Errorf("%v", f)
	}
}

func TestAProblemIsJSONWithoutMarkup(t *testing.T) {
	t.Parallel()
	var out map[string]any
	raw := newProblem(context.Background(), 400, "x", "<b>").json()
	if err := json.Unmarshal(raw, &out); err != nil || strings.Contains(string(raw), "<") {
		t.Errorf("%s %v", raw, err)
	}
}
