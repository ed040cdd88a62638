package telemetry

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/trail"
	"vesper/pipeline"
)

var _ pipeline.Watch = (*Metrics)(nil)

// Stage implements pipeline.Watch.
func (m *Metrics) Stage(r pipeline.StageRun) {
	kind, priority := string(r.Kind), string(r.Priority)
	m.stageRuns.WithLabelValues(kind, priority, r.Outcome, m.codes.label(r.Code)).Inc()
	m.stageSeconds.WithLabelValues(kind, r.Outcome).Observe(r.Took.Seconds())
	m.stageWait.WithLabelValues(kind, priority).Observe(max(0, r.Waited.Seconds()))
	if r.Outcome == "done" {
		m.stageAttempts.WithLabelValues(kind).Observe(float64(r.Attempt))
	}
}

// Round implements pipeline.Watch.
func (m *Metrics) Round(what string, took time.Duration, err error) {
	round := "other"
	for _, name := range Rounds {
		if strings.HasPrefix(what, name) {
			round = name
		}
	}
	m.roundSeconds.WithLabelValues(round).Observe(took.Seconds())
	if err != nil {
		m.roundFailures.WithLabelValues(round).Inc()
	}
}

// Request counts an answered request by its route's pattern.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	_, path, found := strings.Cut(route, " ")
	if found {
		route = path
	}
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		method = "other"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.requestSeconds.WithLabelValues(route).Observe(took.Seconds())
}

// Upload counts a recording that was sent. size is that of a received one.
func (m *Metrics) Upload(err error, size int64, took time.Duration) {
	if err != nil {
		m.uploads.WithLabelValues(m.codes.label(trail.Code(err))).Inc()
		return
	}
	m.uploads.WithLabelValues("ok").Inc()
	m.uploadBytes.Observe(float64(size))
	m.uploadSeconds.Observe(took.Seconds())
}

// Signed counts a signature by the share of its time that was used.
func (m *Metrics) Signed(priority pipeline.Priority, received, due, now time.Time) {
	if whole := due.Sub(received); whole > 0 {
		m.used.WithLabelValues(string(priority)).Observe(float64(now.Sub(received)) / float64(whole))
	}
}

// Transcribed counts a recording that went through the engine.
func (m *Metrics) Transcribed(audio, took time.Duration) {
	if audio <= 0 || took <= 0 {
		return
	}
	m.audioSeconds.Add(audio.Seconds())
	m.busySeconds.Add(took.Seconds())
	m.engineSpeed.Observe(audio.Seconds() / took.Seconds())
}

// Call counts a request to an engine process. The pool of them tells of Call, Started and Lost.
func (m *Metrics) Call(call string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = m.codes.label(trail.Code(err))
	}
	m.engineCalls.WithLabelValues(call, outcome).Observe(took.Seconds())
}

// Started counts an engine process that was started.
func (m *Metrics) Started() { m.engineStarts.Inc() }

// Lost counts an engine process that broke down.
func (m *Metrics) Lost(reason string) { m.engineFailures.WithLabelValues(m.codes.label(reason)).Inc() }

// Store counts what the queue does, around a store.
type Store struct {
	pipeline.Store
	Metrics *Metrics
}

// Reap implements pipeline.JobQueue.
func (s Store) Reap(ctx context.Context) (int, []pipeline.Job, error) {
	n, exhausted, err := s.Store.Reap(ctx)
	s.Metrics.requeued.Add(float64(n))
	return n, exhausted, err
}

// RetryJob implements pipeline.JobQueue.
func (s Store) RetryJob(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, refund bool) error {
	err := s.Store.RetryJob(ctx, id, token, after, code, refund)
	if err == nil {
		s.Metrics.retries.WithLabelValues(s.Metrics.codes.label(code)).Inc()
	}
	return err
}

// Bell counts what a bell rings.
type Bell struct {
	pipeline.Bell
	Metrics *Metrics
}

// Ring implements pipeline.Bell.
func (b Bell) Ring(ctx context.Context, d pipeline.Doorbell) error {
	err := b.Bell.Ring(ctx, d)
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	b.Metrics.rings.WithLabelValues(outcome).Inc()
	return err
}
