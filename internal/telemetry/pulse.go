package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vesper/pipeline"
)

// How long a pulse is good for, and how long PostgreSQL may take for one.
const (
	pulseAge  = 5 * time.Second
	pulseTime = 3 * time.Second
)

// gauge is how one measure of a pulse is shown.
type gauge struct {
	name, help string
	labels     []string // of A and B
}

var gauges = map[string]gauge{
	pipeline.PulseQueue:       {"vesper_queue_jobs", "Jobs that wait.", []string{"kind", "priority"}},
	pipeline.PulseQueueDue:    {"vesper_queue_due_jobs", "Jobs that wait and might run now.", []string{"kind", "priority"}},
	pipeline.PulseQueueAge:    {"vesper_queue_oldest_seconds", "How long the oldest job that might run waits.", []string{"kind", "priority"}},
	pipeline.PulseRelayLag:    {"vesper_relay_lag_seconds", "How long the oldest job waits for its first doorbell.", nil},
	pipeline.PulseLeases:      {"vesper_leases", "Jobs that workers have in hand, by whether the worker lives.", []string{"kind", "state"}},
	pipeline.PulseDead:        {"vesper_dead_jobs", "Dictations whose work stopped until a person looks at it, by what failed.", []string{"kind", "code"}},
	pipeline.PulseOpen:        {"vesper_dictations_open", "Dictations that are not in the EHR yet.", []string{"state", "priority"}},
	pipeline.PulseOpenAge:     {"vesper_dictation_oldest_seconds", "Age of the oldest dictation in a state, since it was received.", []string{"state", "priority"}},
	pipeline.PulseTurnaround:  {"vesper_turnaround_open", "Dictations without a signature, by the used share of the time until they are due, percent; waiting: with the physician now.", []string{"priority", "used"}},
	pipeline.PulseUnattended:  {"vesper_unattended_dictations", "Dictations that nothing moves along; the reconciler gives them a job within a minute.", nil},
	pipeline.PulseDeliveries:  {"vesper_deliveries_open", "Signed notes that are not in the EHR, by state.", []string{"state"}},
	pipeline.PulseDeliveryAge: {"vesper_delivery_oldest_seconds", "How long the oldest of them waits.", []string{"state"}},
	pipeline.PulseClaims:      {"vesper_claims", "Notes that editors hold, by whether the hold ran out.", []string{"state"}},
	pipeline.PulseAudit:       {"vesper_audit_pending_events", "Events of the record that have no place in its tree yet.", nil},
	pipeline.PulseAuditLag:    {"vesper_audit_lag_seconds", "Age of the oldest of them.", nil},
	pipeline.PulseWorkers:     {"vesper_workers", "Workers that gave a sign of life within twenty seconds.", nil},
	pipeline.PulseSlots:       {"vesper_engine_slots", "Engine calls that all workers make at once.", nil},
	pipeline.PulseSpeed:       {"vesper_engine_slot_speed_ratio", "Seconds of recordings that one slot works off in a second, over the newest transcriptions of all workers.", nil},
	pipeline.PulseWait:        {"vesper_queue_expected_wait_seconds", "How long one more routine recording would wait for the engine; none while that cannot be told.", nil},
	pipeline.PulseFindings:    {"vesper_recording_findings", "What checks of the object store found and nobody settled.", []string{"kind"}},
	pipeline.PulsePurges:      {"vesper_purges_waiting", "Recordings on their way out, by what they wait for.", []string{"reason"}},
	pipeline.PulseMessages:    {"vesper_messages_unsent", "Mail and webhooks that were not sent; dead ones were given up.", []string{"state"}},
}

// pulse collects what stands in PostgreSQL. Every process shows the same numbers; take max over instances, never the sum.
type pulse struct {
	source Source
	now    func() time.Time
	codes  *bounded
	descs  map[string]*prometheus.Desc
	up     *prometheus.Desc
	took   *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	last pipeline.Pulse
	err  error
	cost time.Duration
}

// Watch shows what stands in PostgreSQL beside what the process counts itself. A scrape never waits long for it: without an
// answer the numbers are left out and vesper_pulse_up is 0.
func (m *Metrics) Watch(source Source) { m.watch(source, time.Now) }

func (m *Metrics) watch(source Source, now func() time.Time) {
	p := &pulse{source: source, now: now, codes: newBounded(64), descs: map[string]*prometheus.Desc{}}
	for measure, g := range gauges {
		p.descs[measure] = prometheus.NewDesc(g.name, g.help, g.labels, nil)
	}
	p.up = prometheus.NewDesc("vesper_pulse_up", "Whether PostgreSQL could be asked how things stand.", nil, nil)
	p.took = prometheus.NewDesc("vesper_pulse_seconds", "How long PostgreSQL took to say how things stand.", nil, nil)
	m.registry.MustRegister(p)
}

// Describe implements prometheus.Collector.
func (p *pulse) Describe(out chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		out <- d
	}
	out <- p.up
	out <- p.took
}

// Collect implements prometheus.Collector.
func (p *pulse) Collect(out chan<- prometheus.Metric) {
	now, cost, err := p.ask()
	up := 1.0
	if err != nil {
		up = 0
	}
	out <- prometheus.MustNewConstMetric(p.up, prometheus.GaugeValue, up)
	out <- prometheus.MustNewConstMetric(p.took, prometheus.GaugeValue, cost.Seconds())
	if err != nil {
		return
	}
	for key, value := range p.sum(now) {
		labels := []string{p.codes.labelOf(key.a), p.codes.labelOf(key.b)}[:len(gauges[key.measure].labels)]
		out <- prometheus.MustNewConstMetric(p.descs[key.measure], prometheus.GaugeValue, value, labels...)
	}
}

type series struct{ measure, a, b string }

// sum joins what falls under the same labels, and leaves out measures that this version does not know.
func (p *pulse) sum(now pipeline.Pulse) map[series]float64 {
	out := map[series]float64{}
	for _, c := range now.Counts {
		if _, known := gauges[c.Measure]; known {
			out[series{c.Measure, p.codes.labelOf(c.A), p.codes.labelOf(c.B)}] += c.Value
		}
	}
	return out
}

// ask returns the last pulse, or a new one when that is too old. Scrapes at the same time share one.
func (p *pulse) ask() (pipeline.Pulse, time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.at.IsZero() || now.Sub(p.at) >= pulseAge {
		ctx, cancel := context.WithTimeout(context.Background(), pulseTime)
		began := time.Now()
		p.last, p.err = p.source.Pulse(ctx)
		p.cost, p.at = time.Since(began), now
		cancel()
	}
	return p.last, p.cost, p.err
}
