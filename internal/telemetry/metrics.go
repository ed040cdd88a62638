package telemetry

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"vesper/pipeline"
)

// Buckets of histograms, seconds.
var (
	quick  = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	staged = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 1800}
	waited = []float64{.1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
)

// Metrics is everything that one process counts. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	codes    *bounded

	stageRuns                                                   *prometheus.CounterVec
	stageSeconds, stageWait, stageAttempts, roundSeconds        *prometheus.HistogramVec
	roundFailures, rings, retries                               *prometheus.CounterVec
	requeued, audioSeconds, busySeconds, engineStarts           prometheus.Counter
	engineFailures, uploads, requests                           *prometheus.CounterVec
	engineSpeed, uploadBytes, uploadSeconds                     prometheus.Histogram
	engineCalls, requestSeconds, ehrSeconds, storeSeconds, used *prometheus.HistogramVec
}

// New makes a registry with all metrics, those of the Go runtime and of the process.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), codes: newBounded(64)}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "vesper_build_info", Help: "The version that runs; always 1."}, []string{"version"})
	info.WithLabelValues(version).Set(1)
	m.registry.MustRegister(info)
	m.stages()
	m.engine()
	m.traffic()
	m.zero()
	return m
}

func (m *Metrics) stages() {
	m.stageRuns = m.counters("vesper_stage_runs_total", "Attempts at stages that are over, by their outcome and code.", "kind", "priority", "outcome", "code")
	m.stageSeconds = m.histograms("vesper_stage_seconds", "How long attempts at stages took.", staged, "kind", "outcome")
	m.stageWait = m.histograms("vesper_stage_wait_seconds", "How long jobs waited from when they might have run to their attempt.", waited, "kind", "priority")
	m.stageAttempts = m.histograms("vesper_stage_attempts", "Number of the attempt that did a job.", []float64{1, 2, 3, 5, 10, 24, 100}, "kind")
	m.roundSeconds = m.histograms("vesper_keeper_round_seconds", "How long rounds of housekeeping took.", quick, "round")
	m.roundFailures = m.counters("vesper_keeper_failures_total", "Rounds of housekeeping that failed.", "round")
	m.rings = m.counters("vesper_relay_rings_total", "Doorbells that were rung for jobs.", "outcome")
	m.retries = m.counters("vesper_job_retries_total", "Jobs that were put back to be tried again, by the code of what failed.", "code")
	m.requeued = m.counter("vesper_jobs_requeued_total", "Jobs taken up again because their worker fell silent.")
	m.used = m.histograms("vesper_turnaround_used_ratio", "Share of the time until the note was due that was used when it was signed; more than 1 is late.",
		[]float64{.1, .25, .5, .75, .8, .9, 1, 1.25, 1.5, 2, 4}, "priority")
}

func (m *Metrics) engine() {
	m.audioSeconds = m.counter("vesper_engine_audio_seconds_total", "Seconds of recordings that were transcribed.")
	m.busySeconds = m.counter("vesper_engine_transcribing_seconds_total", "Seconds that transcribing them took.")
	m.engineSpeed = m.histogram("vesper_engine_speed_ratio", "Seconds of a recording transcribed in one second, by recording.", []float64{.25, .5, 1, 2, 3, 4, 6, 8, 12, 16, 32})
	m.engineStarts = m.counter("vesper_engine_starts_total", "Engine processes started.")
	m.engineFailures = m.counters("vesper_engine_failures_total", "Engine processes lost, by reason.", "reason")
	m.engineCalls = m.histograms("vesper_engine_call_seconds", "How long calls to engine processes took.", staged, "call", "outcome")
}

func (m *Metrics) traffic() {
	m.uploads = m.counters("vesper_uploads_total", "Recordings that were sent, by the code of what became of them.", "code")
	m.uploadBytes = m.histogram("vesper_upload_bytes", "Size of recordings that were received.", prometheus.ExponentialBuckets(32<<10, 4, 9))
	m.uploadSeconds = m.histogram("vesper_upload_seconds", "How long it took from the whole recording at hand to the receipt.", quick)
	m.requests = m.counters("vesper_http_requests_total", "Requests answered, by route and status.", "method", "route", "status")
	m.requestSeconds = m.histograms("vesper_http_request_seconds", "How long answers took, by route.", quick, "route")
	m.ehrSeconds = m.histograms("vesper_ehr_request_seconds", "How long exchanges with the EHR took, until its answer began.", quick, "method", "outcome")
	m.storeSeconds = m.histograms("vesper_object_store_request_seconds", "How long exchanges with the object store took, until its answer began.", quick, "method", "outcome")
}

// zero shows what has not happened yet as 0, so that the first time is an increase that alerts can see.
func (m *Metrics) zero() {
	for _, reason := range []string{"crashed", "timeout", "unavailable"} {
		m.engineFailures.WithLabelValues(reason)
	}
	for _, outcome := range []string{"ok", "failed"} {
		m.rings.WithLabelValues(outcome)
	}
	for _, round := range Rounds {
		m.roundFailures.WithLabelValues(round)
	}
	m.uploads.WithLabelValues("ok")
	for _, kind := range []pipeline.JobKind{pipeline.TranscribeJob, pipeline.DraftJob, pipeline.DeliverJob} {
		for _, p := range []pipeline.Priority{pipeline.Stat, pipeline.Routine} {
			m.stageRuns.WithLabelValues(string(kind), string(p), "done", "ok")
		}
	}
}

// Rounds are the names of the rounds of housekeeping as labels: their first words.
var Rounds = []string{"reap", "sequence", "release", "reconcile", "escalate", "clear", "send", "quick", "rolling", "purge"}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// Gatherer gives what is counted, for tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Handler answers scrapes at /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 20 * time.Second}))
	return mux
}

// Source counts what stands in PostgreSQL.
type Source interface {
	Pulse(ctx context.Context) (pipeline.Pulse, error)
}
