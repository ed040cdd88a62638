package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"vesper/internal/testkit"
)

func TestSigningInOpensASessionAndSigningOutEndsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.anonymous()
	c.get("/api/v1/session").problem(401, "sign_in_required")
	a := c.json("POST", "/api/v1/session", map[string]string{"login": " " + w.people["editor"].Login + " ", "password": password}).want(200)
	if a.field("role") != "editor" || a.field("name") != "Mina Okafor" || a.field("practice_id") != w.practice.String() {
		t.Fatalf("session %s", a.body)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	if strings.Contains(cookie, "Expires") || strings.Contains(cookie, "Domain") {
		t.Errorf("cookie %q outlives the browser or leaves the host", cookie)
	}
	me := c.get("/api/v1/session").want(200)
	expires, err := time.Parse(time.RFC3339, me.field("expires_at").(string))
	if left := time.Until(expires); err != nil || left > 15*time.Minute || left < 14*time.Minute {
		t.Errorf("expires at %v, %v", me.field("expires_at"), err)
	}
	token := strings.Split(strings.Split(cookie, ";")[0], "=")[1]
	c.do("DELETE", "/api/v1/session", nil).want(204)
	c.get("/api/v1/session").want(401)
	// A copy of the cookie is worth nothing either.
	w.anonymous().get("/api/v1/session", "Cookie", "vesper_session="+token).problem(401, "session_ended")
}

func TestTheCookieIsBoundToTheHostWhenTheServerIsReachedOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.BaseURL = "https://vesper.example" })
	a := w.anonymous().json("POST", "/api/v1/session", map[string]string{"login": w.people["editor"].Login, "password": password}).want(200)
	cookie := a.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-vesper=") || !strings.Contains(cookie, "Secure") {
		t.Errorf("cookie %q", cookie)
	}
	if a.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
}

func TestEachSignInHasATokenOfItsOwnAndEndsTheOneBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.anonymous()
	login := map[string]string{"login": w.people["editor"].Login, "password": password}
	// A token that somebody else chose does not become the session's.
	first := token(c.json("POST", "/api/v1/session", login, "Cookie", "vesper_session=chosen-by-an-attacker").want(200))
	second := token(c.json("POST", "/api/v1/session", login, "Cookie", "vesper_session="+first).want(200))
	if first == "chosen-by-an-attacker" || first == second || len(second) < 40 {
		t.Fatalf("tokens %q, %q", first, second)
	}
	w.anonymous().get("/api/v1/session", "Cookie", "vesper_session="+first).problem(401, "session_ended")
	w.anonymous().get("/api/v1/session", "Cookie", "vesper_session="+second).want(200)
}

func token(a answer) string {
	value, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	_, value, _ = strings.Cut(value, "=")
	return value
}

func TestAWrongPasswordAndAnUnknownLoginLookTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wrong := w.anonymous().json("POST", "/api/v1/session", map[string]string{"login": w.people["editor"].Login, "password": "not this one"}).problem(401, "login_wrong")
	unknown := w.anonymous().json("POST", "/api/v1/session", map[string]string{"login": "nobody-at-all", "password": "not this one"}).problem(401, "login_wrong")
	if wrong.field("detail") != unknown.field("detail") || wrong.header.Get("Set-Cookie")+unknown.header.Get("Set-Cookie") != "" {
		t.Errorf("%s\n%s", wrong.body, unknown.body)
	}
}

func TestWrongPasswordsAreSlowedDownAndRightOnesAreNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.BehindProxy = true })
	c := w.anonymous()
	right := map[string]string{"login": w.people["editor"].Login, "password": password}
	for range 8 {
		c.json("POST", "/api/v1/session", right, "X-Forwarded-For", "192.0.2.1").want(200)
	}
	wrong := map[string]string{"login": strings.ToUpper(w.people["editor"].Login), "password": "guess"}
	for range 5 {
		c.json("POST", "/api/v1/session", wrong, "X-Forwarded-For", "192.0.2.1").want(401)
	}
	a := c.json("POST", "/api/v1/session", right, "X-Forwarded-For", "192.0.2.1").problem(429, "rate_limited")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// A client cannot escape by naming another address in front of the proxy's own entry …
	c.json("POST", "/api/v1/session", right, "X-Forwarded-For", "203.0.113.9, 192.0.2.1").want(429)
	// … and the person is not locked out elsewhere.
	c.json("POST", "/api/v1/session", right, "X-Forwarded-For", "198.51.100.7").want(200)
}

func TestASessionEndsAfterATimeWithoutActivityAlthoughAPagePolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.IdleTimeout = 700 * time.Millisecond })
	marked, poll := w.as("editor"), w.as("editor")
	testkit.Until(t, 10*time.Second, "marked requests do not keep the session alive", func() bool {
		return marked.get("/api/v1/work-types", "Vesper-Background", "1").status == 401
	})
	testkit.Until(t, 10*time.Second, "a browser's polls do not keep the session alive", func() bool {
		return poll.get("/api/v1/dictations/"+newID().String()+"/status", "Sec-Fetch-Mode", "cors").status == 401
	})
	marked.get("/api/v1/work-types").problem(401, "session_ended")
}

func TestActivityKeepsASessionAliveUntilItsAbsoluteEnd(t *testing.T) {
	t.Parallel()
	const idle, length = 2 * time.Second, 5 * time.Second
	w := newWorld(t, func(w *world) { w.config.IdleTimeout, w.config.SessionLength = idle, length })
	// On a busy machine the test itself may pause for longer than the idle time; such a try says nothing.
	for range 4 {
		took, longest := liveliness(t, w.as("editor"))
		if longest > idle/2 {
			continue
		}
		if took < length-time.Second || took > length+idle {
			t.Errorf("the session ended after %v of steady activity, with pauses of at most %v", took, longest)
		}
		return
	}
	t.Fatal("the machine was too busy for steady activity")
}

// liveliness asks again and again until the session ends; it returns how long that took and the longest pause.
func liveliness(t *testing.T, c *client) (took, longest time.Duration) {
	began := time.Now()
	last := began
	testkit.Until(t, 15*time.Second, "the session ends in spite of activity", func() bool {
		status := c.get("/api/v1/work-types").status
		longest, last = max(longest, time.Since(last)), time.Now()
		return status == http.StatusUnauthorized
	})
	return time.Since(began), longest
}

func TestADisabledPersonIsSignedOutAtOnceEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	editor, admin := w.as("editor"), w.as("admin")
	editor.get("/api/v1/work-types").want(200)
	admin.do("POST", "/api/v1/people/"+w.people["editor"].ID.String()+"/disable", nil).want(204)
	editor.get("/api/v1/work-types").problem(401, "session_ended")
	admin.do("POST", "/api/v1/people/"+w.people["editor"].ID.String()+"/enable", nil).want(204)
	editor.get("/api/v1/work-types").problem(401, "session_ended") // the session is gone, not paused
	w.as("editor").get("/api/v1/work-types").want(200)
}

func TestAnAnswerThatTakesLongDoesNotBringASessionBackThatWasClosedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	upload := startUpload(c, tone())
	testkit.Until(t, 10*time.Second, "the upload has begun", func() bool { return len(w.spoolFiles()) == 1 })
	c.do("DELETE", "/api/v1/session", nil, "Cookie", upload.cookie).want(204)
	upload.finish().want(201) // it was signed in when it began
	c.get("/api/v1/session", "Cookie", upload.cookie).problem(401, "session_ended")
}
