package web_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"vesper/internal/access"
	"vesper/pipeline"
	"vesper/web"
)

// slowSubmit holds the end of an upload until the test lets it go on.
type slowSubmit struct {
	web.Service
	once        sync.Once
	began, goOn chan struct{}
}

func (s *slowSubmit) Submit(ctx context.Context, a access.Actor, sub pipeline.Submission) (pipeline.Receipt, error) {
	s.once.Do(func() { close(s.began) })
	<-s.goOn
	return s.Service.Submit(ctx, a, sub)
}

// A phone that gave up waiting asks again on another connection while its upload is being kept. The first connection is
// sound all the same, and what comes next on it must be answered.
func TestAskingForAnUploadThatIsBeingKeptDoesNotSpoilItsConnection(t *testing.T) {
	t.Parallel()
	slow := &slowSubmit{began: make(chan struct{}), goOn: make(chan struct{})}
	w := newWorld(t, func(w *world) { slow.Service, w.service = w.svc, slow })
	one, other := w.as("physician"), w.as("physician") // each has connections of its own
	file := tone()
	path := one.begin(len(file), nil).want(201).header.Get("Location")
	sent, asked := make(chan answer, 1), make(chan answer, 1)
	go func() { sent <- one.patch(path, 0, file) }()
	<-slow.began
	go func() { asked <- other.head(path) }()
	for range 20 { // on yet another connection, so that the request for the lock has surely come in
		w.anonymous().get("/healthz").want(200)
	}
	close(slow.goOn)
	if a := <-sent; a.status != http.StatusNoContent || a.header.Get("Vesper-Dictation") == "" {
		t.Fatalf("the upload was answered %d %s", a.status, a.body)
	}
	(<-asked).want(200)
	for range 3 {
		one.head(path).want(200)
	}
}

func TestRefusedUploadsAreOnRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	editor := w.as("editor")
	editor.begin(1000, nil).want(403)
	editor.submit(tone(), "visit.wav", nil, nil).want(403)
	refused := 0
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		refused = 0
		events, err := tx.PracticeEvents(ctx, time.Time{}, 100)
		for _, e := range events {
			if e.Outcome == "refused" && e.Action == string(access.Submit) && e.ActorID == w.people["editor"].ID {
				refused++
			}
		}
		return err
	})
	if refused != 2 {
		t.Errorf("the record holds %d of 2 refusals", refused)
	}
}
