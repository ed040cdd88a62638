package nemesis_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/internal/testkit"
)

// listener is another system that is told by webhooks, past all links: what came, by the message's id.
type listener struct {
	*httptest.Server
	mu   sync.Mutex
	came map[string][]string // bodies
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{came: map[string][]string{}}
	l.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // cut by a crash: nothing came
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		id := strings.TrimPrefix(r.Header.Get("Webhook-Id"), "msg_")
		l.came[id] = append(l.came[id], string(body))
	}))
	t.Cleanup(l.Close)
	return l
}

// allowed is the setting that lets the program tell it.
func (l *listener) allowed() string { return "VESPER_WEBHOOK_ALLOW=" + l.Listener.Addr().String() }

// hears lets the practice tell it of every dictation that waits when the rules are looked at.
func (l *listener) hears(p *practice) {
	p.t.Helper()
	const rules = `rules: [{name: it-waits, say: A dictation waits., when: {state: [queued, drafted, in_review, awaiting_signature, signed]}, do: [notify: webhook]}]`
	front := p.person("sam", 0).front()
	for _, step := range []struct {
		method, path string
		body         map[string]any
	}{
		{http.MethodPost, "/api/v1/webhooks", map[string]any{"url": l.URL + "/in"}},
		{http.MethodPut, "/api/v1/escalations", map[string]any{"number": 0, "source": rules}},
	} {
		if err := front.do(p.t.Context(), step.method, step.path, step.body, nil); err != nil {
			p.t.Fatalf("%s %s: %v", step.method, step.path, err)
		}
	}
}

// judge waits until no message is on its way, and compares: each came at least once, always under its own id and with the
// same words, and the one whose sender was killed after the sending came again.
func (l *listener) judge(t *testing.T, p *practice) {
	t.Helper()
	testkit.Until(t, 3*time.Minute, "every message is sent", func() bool {
		return testkit.Column[int](t, p.admin, `SELECT count(*)::int FROM messages WHERE state <> 'sent'`)[0] == 0
	})
	sent := testkit.Column[string](t, p.admin, `SELECT id::text FROM messages`)
	l.mu.Lock()
	defer l.mu.Unlock()
	again := 0
	for _, id := range sent {
		bodies := l.came[id]
		if len(bodies) == 0 {
			t.Errorf("the message %s never came", id)
		}
		for _, b := range bodies {
			if b != bodies[0] {
				t.Errorf("the message %s came with other words", id)
			}
		}
		again += max(0, len(bodies)-1)
	}
	if len(l.came) != len(sent) {
		t.Errorf("%d messages came, %d were written", len(l.came), len(sent))
	}
	if again == 0 {
		t.Error("no message came twice, though a sender was killed between the sending and its row")
	}
	say("%d messages came, %d times again", len(sent), again)
}
