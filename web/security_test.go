package web_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
	"vesper/web"
)

const canary = "Canary-Quillfeather"

func TestEveryAnswerCarriesAStrictPolicyAndMayNotBeStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	seen := map[string]bool{}
	for _, path := range []string{"/", "/login", "/api/v1/dictations", "/api/v1/none", "/api/openapi.json", "/healthz", "/readyz", "/nowhere"} {
		h := c.get(path).header
		policy := h.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`script-src 'nonce-([A-Za-z0-9+/]{22})' 'strict-dynamic';`).FindStringSubmatch(policy)
		if nonce == nil || seen[nonce[1]] {
			t.Errorf("%s: no nonce of its own in %q", path, policy)
			continue
		}
		seen[nonce[1]] = true
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy lacks %s", path, part)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if _, err := uuid.Parse(h.Get("X-Request-Id")); err != nil {
			t.Errorf("%s has no request id", path)
		}
	}
}

func TestRequestsThatAnotherSiteMakesABrowserSendAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("admin")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
	} {
		for _, path := range []string{"/api/v1/people", "/api/v1/session", "/api/v1/uploads", "/login", "/logout"} {
			c.json("POST", path, map[string]string{}, headers...).problem(403, "cross_origin")
		}
		c.get("/api/v1/work-types", headers...).want(200)
	}
	c.json("POST", "/api/v1/patients/search", map[string]string{"search": ""}, "Sec-Fetch-Site", "same-origin").problem(403, "forbidden")
	c.get("/api/v1/session").want(200) // none of it signed anybody out
}

func TestNoWordOfAPatientGetsIntoLogsOrProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	id := w.drafted().String()
	answers := []answer{
		c.get("/api/v1/dictations/" + canary),
		c.get("/api/v1/dictations/" + id + "/" + canary),
		c.get("/api/v1/dictations?limit=" + canary + "&state=" + canary),
		c.get("/api/v1/dictations?author=" + canary),
		c.json("PUT", "/api/v1/dictations/"+id+"/note", map[string]any{"base": canary, canary: 1, "sections": []any{canary}}),
		c.do("PUT", "/api/v1/dictations/"+id+"/note", strings.NewReader(`{"base": `+canary), "Content-Type", "application/json"),
		c.do("PUT", "/api/v1/dictations/"+id+"/note", strings.NewReader(canary), "Content-Type", "text/"+canary),
		c.json("POST", "/api/v1/dictations/"+id+"/bind", map[string]any{"patient": canary}),
		c.submit([]byte(canary), canary+".wav", map[string]string{"patient": canary}, nil),
		c.submit([]byte(canary), canary, map[string]string{canary: canary}, nil),
		c.begin(5, map[string]string{"patient": canary, "encounter": canary}),
		c.begin(5, map[string]string{canary: canary}),
		c.do("POST", "/"+canary, nil),
		c.get("/dictations/" + canary),
		c.json("POST", "/api/v1/session", map[string]string{"login": canary, "password": canary}),
	}
	path := c.begin(len(canary), map[string]string{"patient": canary, "filename": canary}).want(201).header.Get("Location")
	answers = append(answers, c.patch(path, 0, []byte(canary)))
	for i, a := range answers {
		if a.status < 400 {
			t.Errorf("answer %d: %d %s", i, a.status, a.body)
		}
		if strings.Contains(a.body, canary) {
			t.Errorf("answer %d repeats the input: %s", i, a.body)
		}
	}
	c.json("POST", "/api/v1/patients/search", map[string]string{"search": canary}).want(200)
	c.get("/api/v1/patients?search=" + canary).want(200)
	c.get("/api/v1/session", "X-Request-Id", canary, "User-Agent", canary)
	if logs := w.logs.String(); strings.Contains(logs, canary) || strings.Contains(logs, password) {
		for _, line := range strings.Split(logs, "\n") {
			if strings.Contains(line, canary) || strings.Contains(line, password) {
				t.Errorf("log: %s", line)
			}
		}
	} else if !strings.Contains(logs, `route="PUT /api/v1/dictations/{id}/note"`) {
		t.Errorf("the access log lacks routes:\n%.2000s", logs)
	}
}

func TestValidationSaysWhereAndWhatWithoutTheValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("editor")
	a := c.json("POST", "/api/v1/dictations/"+newID().String()+"/send", map[string]any{"version": 0}).problem(422, "invalid_input")
	fields, _ := a.field("fields").([]any)
	if len(fields) != 1 || fields[0].(map[string]any)["location"] != "body.version" || fields[0].(map[string]any)["message"] == "" {
		t.Errorf("fields %v", fields)
	}
	c.do("POST", "/api/v1/dictations/"+newID().String()+"/send", nil).problem(400, "bad_request")
	c.get("/api/v1/dictations?limit=1000").problem(422, "invalid_input")
}

func TestTextThatLooksLikeAPageLeavesAsJSONOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.inReview().String()
	c := w.as("editor")
	const script = `<script>alert(1)</script><img src=x onerror=alert(2)>`
	sections := []map[string]string{{"key": "subjective", "text": script}, {"key": "objective", "text": "x"}, {"key": "assessment", "text": "x"}, {"key": "plan", "text": "x"}}
	c.json("PUT", "/api/v1/dictations/"+id+"/note", map[string]any{"base": 1, "sections": sections}).want(200)
	a := c.get("/api/v1/dictations/"+id, "Accept", "text/html").want(200)
	if a.header.Get("Content-Type") != "application/json" || strings.ContainsAny(a.body, "<>") {
		t.Errorf("%s: %s", a.header.Get("Content-Type"), a.body)
	}
	runs := a.field("version").(map[string]any)["document"].(map[string]any)["sections"].([]any)[0].(map[string]any)["runs"].([]any)
	var text string
	for _, r := range runs {
		text += r.(map[string]any)["text"].(string)
	}
	if text != script {
		t.Errorf("the text did not survive: %q", text)
	}
}

func TestAHugeBodyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("editor")
	huge := `{"reason":"` + strings.Repeat("x", 2<<20) + `"}`
	c.do("POST", "/api/v1/dictations/"+newID().String()+"/reject", strings.NewReader(huge), "Content-Type", "application/json").problem(413, "body_too_large")
	w.anonymous().do("POST", "/api/v1/session", strings.NewReader(huge), "Content-Type", "application/json").problem(413, "body_too_large")
}

func TestUnknownAddressesAndMethodsAreProblemsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("editor")
	c.get("/api/v1/nothing").problem(404, "route_unknown")
	a := c.do("DELETE", "/api/v1/dictations", nil).problem(405, "method_not_allowed")
	if allow := a.header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow %q", allow)
	}
}

// broken panics where it is asked.
type broken struct{ web.Service }

func (broken) Patients(context.Context, access.Actor, string) ([]pipeline.Patient, error) {
	panic(canary)
}

func TestAPanicIsAPlainProblemAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.service = broken{w.svc} })
	c := w.as("physician")
	a := c.get("/api/v1/patients").problem(500, "internal")
	if strings.Contains(a.body+w.logs.String(), canary) {
		t.Error("the panic's value got out")
	}
	if !strings.Contains(w.logs.String(), "msg=panic") {
		t.Error("the panic is not in the log")
	}
	c.get("/api/v1/work-types").want(200)
}

func TestReadinessFollowsTheServicesAndHealthDoesNot(t *testing.T) {
	t.Parallel()
	down := false
	w := newWorld(t, func(w *world) {
		w.config.Ready = func(context.Context) error {
			if down {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
	})
	c := w.anonymous()
	c.get("/readyz").want(200)
	down = true
	c.get("/readyz").problem(503, "not_ready")
	c.get("/healthz").want(200)
}

func TestAConnectionThatSendsItsHeadersTooSlowlyIsClosedAndShutdownIsOrderly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.Service = w.service
	s, err := web.New(w.config)
	w.must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + l.Addr().String() + "/healthz")
	w.must(err)
	resp.Body.Close()

	slow, err := net.Dial("tcp", l.Addr().String())
	w.must(err)
	defer slow.Close()
	_, err = io.WriteString(slow, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	w.must(err)
	w.must(slow.SetReadDeadline(time.Now().Add(15 * time.Second)))
	began := time.Now()
	if _, err := io.Copy(io.Discard, slow); err != nil {
		t.Errorf("the server did not close the slow connection: %v after %v", err, time.Since(began))
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestAServerWithoutItsPartsIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := web.New(web.Config{Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("no error")
	}
}
