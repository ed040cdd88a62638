package web_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/pipeline"
)

func TestTheQueueTellsNumbersAndTheReceiptNoWaitThatNobodyMeasured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	r := c.submit(tone(), "a.wav", nil, nil).want(http.StatusCreated)
	if strings.Contains(r.body, "expected_wait") {
		t.Errorf("a wait is told though no worker is there: %s", r.body)
	}
	var q struct {
		Waiting struct{ Stat, Routine int }
		Slots   int
		Wait    *int `json:"expected_wait"`
		Taking  bool `json:"accepting"`
		Oldest  *string
	}
	c.get("/api/v1/queue").want(200).into(&q)
	if q.Waiting.Routine != 1 || q.Waiting.Stat != 0 || q.Slots != 0 || q.Wait != nil || !q.Taking {
		t.Errorf("queue %+v", q)
	}
}

// limited lets so many routine recordings wait.
func limited(n int) option {
	return func(w *world) { w.svc.QueueLimit = n }
}

func TestBeyondTheBoundRoutineUploadsArePutOffAndStatIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limited(1))
	c := w.as("physician")
	c.submit(tone(), "a.wav", nil, nil).want(http.StatusCreated)
	put := func(a answer) {
		t.Helper()
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "queue_full") || err != nil || seconds < 15 || seconds > 600 {
			t.Errorf("%d, Retry-After %q: %s", a.status, a.header.Get("Retry-After"), a.body)
		}
	}
	put(c.submit(tone(), "b.wav", nil, nil))
	put(c.create("routine"))
	c.submit(tone(), "c.wav", map[string]string{"priority": "stat"}, nil).want(http.StatusCreated)
	c.create("stat").want(http.StatusCreated)
	if left, err := filepath.Glob(filepath.Join(w.spool, "form-*")); err != nil || len(left) != 0 {
		t.Errorf("left in the spool: %v %v", left, err)
	}
}

// post sends JSON text.
func (c *client) post(path, body string) answer {
	return c.do(http.MethodPost, path, strings.NewReader(body), "Content-Type", "application/json")
}

// create begins a resumable upload.
func (c *client) create(priority string) answer {
	meta := "filename " + base64.StdEncoding.EncodeToString([]byte("a.wav")) + ",priority " + base64.StdEncoding.EncodeToString([]byte(priority))
	return c.do(http.MethodPost, "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Length", "1000", "Upload-Metadata", meta)
}

func TestAFullSpoolPutsRoutineUploadsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.SpoolLimit = 1000 })
	c := w.as("physician")
	c.create("routine").want(http.StatusCreated)
	w.must(os.WriteFile(filepath.Join(w.spool, uuid.NewString()), make([]byte, 2000), 0o600)) // another upload under way
	if a := c.create("routine"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "30" || !strings.Contains(a.body, "spool_busy") {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	c.create("stat").want(http.StatusCreated)
}

func TestASupervisorCancelsAndOrdersAnewThroughTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var receipt struct{ ID uuid.UUID }
	w.as("physician").submit(tone(), "a.wav", nil, nil).want(http.StatusCreated).into(&receipt)
	c := w.as("supervisor")
	path := "/api/v1/dictations/" + receipt.ID.String()
	c.post(path+"/cancel", `{"reason":"Sent twice."}`).want(http.StatusNoContent)
	var s struct{ State, Reason string }
	c.get(path + "/status").want(200).into(&s)
	if s.State != "failed" || s.Reason != "Cancelled: Sent twice." {
		t.Errorf("status %+v", s)
	}
	if a := c.post(path+"/cancel", `{"reason":"again"}`); a.status != http.StatusConflict {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := c.post(path+"/rerun", `{"stage":"translate","reason":"x"}`); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.body)
	}
	c.post(path+"/rerun", `{"stage":"transcribe","reason":"It was the only one."}`).want(http.StatusNoContent)
	c.get(path + "/status").want(200).into(&s)
	if s.State != "queued" || s.Reason != "" {
		t.Errorf("status %+v", s)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		jobs, err := tx.Jobs(ctx, receipt.ID)
		if len(jobs) != 2 || jobs[0].ErrorCode != pipeline.CodeCancelled || jobs[1].State != pipeline.JobQueued {
			t.Errorf("jobs %+v", jobs)
		}
		return err
	})
}
