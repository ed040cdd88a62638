package telemetry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"vesper/internal/fault"
	"vesper/internal/telemetry"
	"vesper/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is what no metric, span or line may hold.
const canary = "Quillfeather"

// source answers with a pulse of every measure.
type source struct {
	asked atomic.Int32
	fails atomic.Bool
}

func (s *source) Pulse(context.Context) (pipeline.Pulse, error) {
	s.asked.Add(1)
	if s.fails.Load() {
		return pipeline.Pulse{}, errors.New("the database is away")
	}
	p := pipeline.Pulse{At: time.Now(), Counts: []pipeline.Count{
		count(pipeline.PulseTurnaround, "stat", "0-50", 2), count(pipeline.PulseTurnaround, "routine", "over", 1), count(pipeline.PulseDead, "draft", "template_broken", 1),
		count(pipeline.PulseDead, "draft", canary, 1), count("of_a_later_version", "", "", 1), count(pipeline.PulseDeliveries, "rejected", "", 1),
	}}
	for _, m := range []string{pipeline.PulseQueue, pipeline.PulseQueueDue, pipeline.PulseQueueAge} {
		p.Counts = append(p.Counts, pipeline.Count{Measure: m, A: "transcribe", B: "stat", Value: 3})
	}
	for _, m := range []string{pipeline.PulseOpen, pipeline.PulseOpenAge} {
		p.Counts = append(p.Counts, pipeline.Count{Measure: m, A: "queued", B: "stat", Value: 3})
	}
	for _, m := range []string{pipeline.PulseLeases} {
		p.Counts = append(p.Counts, pipeline.Count{Measure: m, A: "transcribe", B: "live", Value: 1})
	}
	for _, m := range []string{pipeline.PulseDeliveryAge, pipeline.PulseClaims} {
		p.Counts = append(p.Counts, pipeline.Count{Measure: m, A: "live", Value: 1})
	}
	p.Add(pipeline.PulseFindings, "object_missing", 2)
	p.Add(pipeline.PulsePurges, "object_locked", 1)
	p.Add(pipeline.PulseMessages, "dead", 3)
	for _, m := range []string{pipeline.PulseWorkers, pipeline.PulseSlots, pipeline.PulseSpeed, pipeline.PulseWait} {
		p.Add(m, "", 4)
	}
	for _, m := range []string{pipeline.PulseRelayLag, pipeline.PulseUnattended, pipeline.PulseAudit, pipeline.PulseAuditLag} {
		p.Counts = append(p.Counts, pipeline.Count{Measure: m, Value: 1})
	}
	return p, nil
}

func count(measure, a, b string, value float64) pipeline.Count {
	return pipeline.Count{Measure: measure, A: a, B: b, Value: value}
}

// busy is a process in which everything that is counted has happened.
func busy(t *testing.T, s telemetry.Source) *telemetry.Metrics {
	t.Helper()
	m := telemetry.New("test")
	if s != nil {
		m.Watch(s)
	}
	now := time.Now()
	m.Stage(pipeline.StageRun{Kind: pipeline.TranscribeJob, Priority: pipeline.Stat, Attempt: 2, Outcome: "done", Code: "ok", Took: 3 * time.Second, Waited: time.Second})
	m.Stage(pipeline.StageRun{Kind: pipeline.DeliverJob, Priority: pipeline.Routine, Attempt: 1, Outcome: "failed", Code: "ehr_busy", Took: time.Second})
	for _, round := range []string{"reap", "sequence audit log", "release expired claims", "reconcile", "escalate waiting work", "something new"} {
		m.Round(round, time.Second, errors.New(canary))
	}
	m.Request("POST", "POST /api/v1/dictations", 201, time.Second)
	m.Request(canary, "", 405, time.Second)
	m.Upload(nil, 1<<20, time.Second)
	m.Upload(fault.New(fault.Invalid, "audio_empty", canary), 0, time.Second)
	m.Signed(pipeline.Stat, now.Add(-time.Hour), now.Add(time.Hour), now)
	m.Transcribed(30*time.Second, 10*time.Second)
	m.Call("decode", time.Second, nil)
	m.Call("decode", time.Second, errors.New(canary))
	m.Started()
	m.Lost("crashed")
	m.Lost(canary)
	exchange(t, m.EHR)
	exchange(t, m.ObjectStore)
	q := telemetry.Store{Store: queue{}, Metrics: m}
	if n, _, err := q.Reap(context.Background()); n != 2 || err != nil {
		t.Errorf("reaped %d, %v", n, err)
	}
	if err := q.RetryJob(context.Background(), uuid.New(), uuid.New(), 0, "ehr_busy", false); err != nil {
		t.Error(err)
	}
	for _, err := range []error{nil, errors.New(canary)} {
		if got := (telemetry.Bell{Bell: bell{err}, Metrics: m}).Ring(context.Background(), pipeline.Doorbell{}); !errors.Is(got, err) {
			t.Errorf("the bell answers %v", got)
		}
	}
	return m
}

type bell struct{ err error }

func (b bell) Ring(context.Context, pipeline.Doorbell) error { return b.err }

type queue struct{ pipeline.Store }

func (queue) Reap(context.Context) (int, []pipeline.Job, error) { return 2, nil, nil }

func (queue) RetryJob(context.Context, uuid.UUID, uuid.UUID, time.Duration, string, bool) error {
	return nil
}

// exchange sends one request that is answered and one that is not.
func exchange(t *testing.T, around func(http.RoundTripper) http.RoundTripper) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	transport := &http.Transport{}
	c := &http.Client{Transport: around(transport)}
	for range 2 {
		res, err := c.Get(s.URL + "/" + canary)
		if err == nil {
			res.Body.Close()
		}
		s.Close()
	}
	transport.CloseIdleConnections()
}

// scrape is what Prometheus would read.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v", w.Code, err)
	}
	return string(body)
}
