package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
)

// withQueues gives the server the real pages of a real queue, and takes down what is counted.
func withQueues(counted *counter) option {
	return func(w *world) {
		m, err := tasks.NewMonitor(testkit.Redis(w), "/operations/queues")
		w.must(err)
		w.Cleanup(func() { m.Close() })
		w.config.Queues, w.config.Watch = m, counted
	}
}

type counter struct {
	mu   sync.Mutex
	seen []string
}

func (c *counter) Request(method, route string, _ int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, method+" "+route)
}

// opened counts the events of the queue's pages.
func (w *world) opened() (n int) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		events, err := tx.PracticeEvents(ctx, time.Time{}, 500)
		n = 0
		for _, e := range events {
			if e.Action == "operations.queues" {
				n++
			}
		}
		return err
	})
	return n
}

func TestOnlyAdministratorsSeeTheQueueAndOpeningItIsOnRecord(t *testing.T) {
	t.Parallel()
	var counted counter
	w := newWorld(t, withQueues(&counted))
	admin := w.as("admin")
	page := admin.get("/operations/queues/").want(http.StatusOK)
	policy := page.header.Get("Content-Security-Policy")
	_, nonce, _ := strings.Cut(policy, "'nonce-")
	nonce, _, _ = strings.Cut(nonce, "'")
	if nonce == "" || !strings.Contains(page.body, `<script nonce="`+nonce+`"`) || strings.Contains(policy, "unsafe") {
		t.Errorf("the page does not fit its policy %s", policy)
	}
	if n := w.opened(); n != 1 {
		t.Errorf("opening the page leaves %d events", n)
	}
	if body := admin.get("/operations").want(http.StatusOK).body; !strings.Contains(body, `href="/operations/queues/"`) {
		t.Error("nothing leads to the page")
	}
	admin.get("/operations/queues/api/queues").want(http.StatusOK)
	admin.get("/operations/queues/favicon.ico").want(http.StatusOK)
	if n := w.opened(); n != 1 {
		t.Errorf("what the page asks for by itself leaves %d events", n-1)
	}
	admin.do("POST", "/operations/queues/api/queues/stat:pause", nil).problem(http.StatusMethodNotAllowed, "method_not_allowed")
	refused := 0
	for _, role := range everyone {
		if role == "admin" {
			continue
		}
		c := w.as(role)
		for _, path := range []string{"/operations/queues/", "/operations/queues/api/queues", "/operations/queues/static/js/main.5adda2da.chunk.js"} {
			c.get(path).problem(http.StatusForbidden, "forbidden")
			refused++
		}
	}
	if n := w.opened(); n != 1+refused {
		t.Errorf("%d of %d refusals are on record", n-1, refused)
	}
	anonymous := w.anonymous()
	anonymous.get("/operations/queues/api/queues").problem(http.StatusUnauthorized, "sign_in_required")
	anonymous.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if a := anonymous.get("/operations/queues/").want(http.StatusSeeOther); a.header.Get("Location") != "/login?next=/operations/queues/" {
		t.Errorf("strangers are sent to %s", a.header.Get("Location"))
	}
	counted.mu.Lock()
	defer counted.mu.Unlock()
	if all := strings.Join(counted.seen, "\n"); !strings.Contains(all, "GET /operations/queues/") || strings.Contains(all, "favicon") || strings.Contains(all, "stat:pause") {
		t.Errorf("counted by path instead of by route:\n%s", all)
	}
}
