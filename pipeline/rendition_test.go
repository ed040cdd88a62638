package pipeline_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/transcribe"
)

// breaksLate is an ear whose engine is lost after the rendition for playback was stored.
type breaksLate struct {
	*ear
	stored chan struct{}
}

func (e breaksLate) Hear(ctx context.Context, body io.Reader, h pipeline.Hearing) (transcribe.Transcript, error) {
	t, err := e.ear.Hear(ctx, body, h)
	if err != nil {
		return t, err
	}
	<-e.stored
	return t, fault.New(fault.Unavailable, "engine_crashed", "The engine broke down.")
}

// storing counts what a worker stores, and says when the first is there.
type storing struct {
	pipeline.Objects
	n      *atomic.Int32
	stored chan struct{}
}

func (s storing) Put(ctx context.Context, practice, id uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	o, err := s.Objects.Put(ctx, practice, id, r, size)
	if s.n.Add(1) == 1 {
		close(s.stored)
	}
	return o, err
}

func TestARenditionOfAListeningThatBreaksOffIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := breaksLate{newEar(w), make(chan struct{})}
	var puts atomic.Int32
	w.worker.Recogniser, w.worker.Objects = e, storing{w.vault, &puts, e.stored}
	w.listens(w.worker)
	u := w.upload(speech(60))
	u.arrives(0.9)
	u.heard(1)
	d := u.ends()
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
	if n := puts.Load(); n != 1 {
		t.Errorf("the rendition was stored %d times", n)
	}
	w.wantSame(e.ear, d.DictationID, u.file)
	w.wantNothingLeft()
	w.check(keeping.Quick)
	w.wantFindings(nil)
}

// TestNoRunLeavesARenditionThatNoRowNames: neither one that is ordered anew, nor one that fails, nor one that hears nobody.
func TestNoRunLeavesARenditionThatNoRowNames(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	again := w.drafted()
	w.must(w.svc.Rerun(ctx, w.as("supervisor"), again, pipeline.TranscribeJob, "Another model."))
	w.drain()
	w.wantState(again, pipeline.Drafted)
	w.failed()
	w.engine.edit(func(t *transcribe.Transcript) {
		t.Words, t.Text, t.Spans = nil, "", []transcribe.Span{{Start: 0, End: 0.25, Kind: transcribe.SpanSilence}}
	})
	silent := w.submit()
	w.drain()
	w.wantState(silent, pipeline.Rejected)
	w.must(w.keeper.SequenceOnce(ctx))
	w.check(keeping.Quick)
	w.wantFindings(nil)
}
