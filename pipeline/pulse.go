package pipeline

import (
	"time"

	"github.com/google/uuid"
)

// Pulse is how things stand: numbers over all practices, for operators. It holds codes and counts, never an id.
type Pulse struct {
	At     time.Time
	Counts []Count
}

// Count is one number of a pulse. What its labels A and B mean depends on the measure (functions watch_pulse and watch_turnaround).
type Count struct {
	Measure, A, B string
	Value         float64
}

// The measures of a pulse, with their labels.
const (
	PulseQueue       = "queue"        // kind, priority: jobs that wait
	PulseQueueDue    = "queue_due"    // kind, priority: jobs whose time has come
	PulseQueueAge    = "queue_age"    // kind, priority: seconds that the oldest of them waits
	PulseRelayLag    = "relay_lag"    // seconds that the oldest due job waits for its first doorbell
	PulseLeases      = "leases"       // kind, live or expired
	PulseDead        = "dead"         // kind, code of the failure: what a person must look at
	PulseOpen        = "open"         // state, priority: dictations that are not through
	PulseOpenAge     = "open_age"     // state, priority: age of the oldest, seconds
	PulseTurnaround  = "turnaround"   // priority, used share of the time until the note is due, or waiting for the physician
	PulseUnattended  = "unattended"   // dictations that nothing moves along
	PulseDeliveries  = "deliveries"   // state: signed notes that are not in the EHR
	PulseDeliveryAge = "delivery_age" // state: age of the oldest, seconds
	PulseClaims      = "claims"       // live or expired
	PulseAudit       = "audit_pending"
	PulseAuditLag    = "audit_lag"  // seconds
	PulseWorkers     = "workers"    // that live
	PulseSlots       = "slots"      // engine calls at once, of all workers
	PulseSpeed       = "slot_speed" // seconds of recordings that one slot works off in a second; none before the first
	PulseWait        = "wait"       // seconds until the engine would hear one more routine recording; none while unknown
	PulseFindings    = "findings"   // kind: what checks of the object store found and nobody settled
	PulsePurges      = "purges"     // what it waits for: recordings on their way out
	PulseMessages    = "messages"   // state: mail and webhooks that were not sent
)

// Add adds a number with at most one label.
func (p *Pulse) Add(measure, a string, value float64) {
	p.Counts = append(p.Counts, Count{Measure: measure, A: a, Value: value})
}

// Sum adds up the counts of a measure; a and b choose among labels, "" takes all.
func (p Pulse) Sum(measure, a, b string) (sum float64) {
	for _, c := range p.Counts {
		if c.Measure == measure && (a == "" || c.A == a) && (b == "" || c.B == b) {
			sum += c.Value
		}
	}
	return sum
}

// Max is the largest number of a measure; a and b choose among labels, "" takes all.
func (p Pulse) Max(measure, a, b string) (most float64) {
	for _, c := range p.Counts {
		if c.Measure == measure && (a == "" || c.A == a) && (b == "" || c.B == b) {
			most = max(most, c.Value)
		}
	}
	return most
}

// RunningJob is a job that a worker has in hand.
type RunningJob struct {
	ID        uuid.UUID
	Kind      JobKind
	Priority  Priority
	Attempt   int
	Worker    string
	LeaseLeft time.Duration // how long the worker may stay silent; below zero it is taken for gone
}

// Silent is how long the worker gave no sign of life.
func (j RunningJob) Silent() time.Duration { return max(0, Lease-j.LeaseLeft) }
