package main

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/access"
	"vesper/internal/telemetry"
	"vesper/internal/trail"
	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/web"
)

// service counts what people send and sign, around the service.
func (w *watching) service(s web.Service) web.Service {
	if w == nil {
		return s
	}
	return watchedService{s, w.metrics}
}

type watchedService struct {
	web.Service
	metrics *telemetry.Metrics
}

// Submit implements web.Submitter.
func (s watchedService) Submit(ctx context.Context, actor access.Actor, sub pipeline.Submission) (pipeline.Receipt, error) {
	began := time.Now()
	r, err := s.Service.Submit(ctx, actor, sub)
	s.metrics.Upload(err, r.Bytes, time.Since(began))
	return r, err
}

// Sign implements web.Signer.
func (s watchedService) Sign(ctx context.Context, actor access.Actor, id uuid.UUID, req pipeline.SignRequest) (pipeline.Signature, error) {
	sig, err := s.Service.Sign(ctx, actor, id, req)
	if err != nil {
		return sig, err
	}
	if c, err := s.Card(ctx, actor, id); err == nil {
		s.metrics.Signed(c.Priority, c.ReceivedAt, c.DueAt, sig.SignedAt)
	}
	return sig, nil
}

// ears hear recordings, whole and while they arrive.
type ears interface {
	pipeline.Recogniser
	pipeline.Hearer
}

// recogniser measures the engine's work on whole recordings, and traces all of it.
func (w *watching) recogniser(r ears) ears {
	if w == nil {
		return r
	}
	return watchedRecogniser{r, w.metrics}
}

type watchedRecogniser struct {
	ears
	metrics *telemetry.Metrics
}

// Hear implements pipeline.Hearer.
func (r watchedRecogniser) Hear(ctx context.Context, body io.Reader, h pipeline.Hearing) (transcribe.Transcript, error) {
	ctx, end := trail.Start(ctx, "engine hear", trace.SpanKindInternal, attribute.Int("vesper.chunks.saved", len(h.Saved)))
	t, err := r.ears.Hear(ctx, body, h)
	end(err)
	return t, err
}

// Decode implements pipeline.Recogniser.
func (r watchedRecogniser) Decode(ctx context.Context, path string) (pipeline.Sound, error) {
	ctx, end := trail.Start(ctx, "audio decode", trace.SpanKindInternal)
	s, err := r.ears.Decode(ctx, path)
	end(err)
	return s, err
}

// Transcribe implements pipeline.Recogniser. A run that goes on from saved parts says nothing about the engine's speed.
func (r watchedRecogniser) Transcribe(ctx context.Context, s pipeline.Sound, sha256 string, settings []byte, saved [][]byte,
	onChunk func(number, total int, result []byte) error,
) (transcribe.Transcript, error) {
	ctx, end := trail.Start(ctx, "engine transcribe", trace.SpanKindInternal,
		attribute.Float64("vesper.audio.seconds", s.Seconds()), attribute.Int("vesper.chunks.saved", len(saved)))
	began := time.Now()
	t, err := r.ears.Transcribe(ctx, s, sha256, settings, saved, onChunk)
	if err == nil && len(saved) == 0 {
		r.metrics.Transcribed(time.Duration(s.Seconds()*float64(time.Second)), time.Since(began))
	}
	end(err)
	return t, err
}
