package tasks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
)

const root = "/operations/queues"

func monitor(t *testing.T, url string) http.Handler {
	t.Helper()
	m, err := tasks.NewMonitor(url, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m.Handler(func(*http.Request) string { return "n0nce\"<" })
}

func ask(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, root+path, nil))
	return w
}

func TestTheQueueIsShownAndCannotBeChanged(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	d := doorbell(pipeline.Stat)
	ring(t, bell(t, url), d)
	h := monitor(t, url)
	for path, want := range map[string]string{
		"/api/queues":                    `"queue":"stat"`,
		"/api/queues/stat":               `"pending":1`,
		"/api/queues/stat/pending_tasks": d.JobID.String(),
		"/api/servers":                   `"servers"`,
		"/api/redis_info":                "redis_version",
	} {
		if w := ask(h, "GET", path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, try := range []string{
		"POST /api/queues/stat:pause", "DELETE /api/queues/stat", "DELETE /api/queues/stat/pending_tasks:delete_all", "HEAD /", "OPTIONS /api/queues",
		fmt.Sprintf("DELETE /api/queues/stat/pending_tasks/%s:1", d.JobID),
	} {
		method, path, _ := strings.Cut(try, " ")
		if w := ask(h, method, path); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", try, w.Code)
		}
	}
	if n := waiting(t, url, pipeline.Stat); n != 1 {
		t.Errorf("%d tasks are left", n)
	}
}

func TestTheQueuesPageFitsAStrictPolicy(t *testing.T) {
	t.Parallel()
	h := monitor(t, testkit.Redis(t))
	for _, path := range []string{"/", "/queues/stat", "/servers"} {
		body := ask(h, "GET", path).Body.String()
		if strings.Contains(body, "http://") || strings.Contains(body, "https://") {
			t.Errorf("%s asks elsewhere: %s", path, body)
		}
		if n, nonces := strings.Count(body, "<script"), strings.Count(body, `<script nonce="n0nce&#34;&lt;"`); n < 3 || n != nonces {
			t.Errorf("%s: %d of %d scripts have the nonce", path, nonces, n)
		}
		if !strings.Contains(body, `<meta property="csp-nonce" content="n0nce&#34;&lt;"/>`) {
			t.Errorf("%s: its styles do not find the nonce", path)
		}
	}
	if w := ask(h, "GET", "/static/js/main.5adda2da.chunk.js"); w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/javascript") {
		t.Errorf("its script: %d %s", w.Code, w.Header())
	}
}

func TestAQueueThatIsAwayDoesNotTellItsAddress(t *testing.T) {
	t.Parallel()
	h := monitor(t, "redis://:hunter2@127.0.0.1:1/0")
	w := ask(h, "GET", "/api/queues")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "127.0.0.1") || w.Body.Len() == 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if _, err := tasks.NewMonitor("mysql://x", root); fault.KindOf(err) != fault.Invalid {
		t.Errorf("something else: %v", err)
	}
}

func TestWorkersThatLiveAreSeen(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	if seen, err := tasks.Workers(url); err != nil || len(seen) != 0 {
		t.Fatalf("%+v %v", seen, err)
	}
	var got answered
	stop := serve(t, url, 3, got.do)
	testkit.Until(t, 10*time.Second, "the worker is seen", func() bool {
		seen, err := tasks.Workers(url)
		return err == nil && len(seen) == 1 && seen[0].Slots == 3 && seen[0].Host != ""
	})
	stop()
	testkit.Until(t, 10*time.Second, "it is not seen any more", func() bool { seen, err := tasks.Workers(url); return err == nil && len(seen) == 0 })
	if _, err := tasks.Workers("redis://127.0.0.1:1/0"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without Redis: %v", err)
	}
}
