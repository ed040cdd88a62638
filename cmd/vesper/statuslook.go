package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"vesper/internal/doctor"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/internal/telemetry"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
	"vesper/storage/postgres"
)

// report is how things stand at one time. It holds counts, codes and times, and of dictations nothing.
type report struct {
	At         time.Time          `json:"at"`
	Needs      []string           `json:"needs_a_person"` // in plain words; empty: nothing
	Starting   bool               `json:"starting"`       // it was started just now, and no worker has reported yet
	Services   []serviceHealth    `json:"services"`
	Queue      []queueLine        `json:"queue"`
	Running    []runningLine      `json:"running"`
	Workers    []tasks.Seen       `json:"workers"`
	Dead       []deadLine         `json:"dead"`
	Dictations map[string]int     `json:"dictations"` // by state, those that are not through
	Turnaround map[string]int     `json:"turnaround"` // unsigned ones, by used percent of their time; waiting: with the physician
	Deliveries map[string]int     `json:"deliveries"` // those that are not in the EHR, by state
	Oldest     map[string]float64 `json:"oldest_delivery_seconds"`
	Audit      auditLine          `json:"audit"`
	Engine     *engineLine        `json:"engine,omitempty"` // nil: nobody said
	Unattended int                `json:"unattended"`
	Load       loadLine           `json:"load"`
	Findings   map[string]int     `json:"findings"` // of checks of the object store, by kind, that nobody settled
	Messages   map[string]int     `json:"messages"` // mail and webhooks that were not sent, by state
	DiskFree   uint64             `json:"disk_free_bytes,omitempty"`
}

type serviceHealth struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Mend string `json:"mend,omitempty"`
}

type queueLine struct {
	Kind     string  `json:"kind"`
	Priority string  `json:"priority"`
	Waiting  int     `json:"waiting"`
	Due      int     `json:"due"`
	Oldest   float64 `json:"oldest_seconds"`
	Expected float64 `json:"expected_seconds,omitempty"` // until the last of them begins; 0: not known
}

type runningLine struct {
	Job      string  `json:"job"`
	Kind     string  `json:"kind"`
	Priority string  `json:"priority"`
	Attempt  int     `json:"attempt"`
	Worker   string  `json:"worker"`
	Silent   float64 `json:"silent_seconds"`
	Lost     bool    `json:"lost"`
}

type deadLine struct {
	Kind string `json:"kind"`
	Code string `json:"code"`
	Jobs int    `json:"jobs"`
}

type auditLine struct {
	Pending int     `json:"pending"`
	Lag     float64 `json:"lag_seconds"`
}

type engineLine struct {
	Speed      float64 `json:"speed"` // seconds of audio in one second of work
	Recordings int     `json:"recordings"`
	Failures   int     `json:"failures"`
}

// loadLine is who works and how fast, as the workers report it to PostgreSQL.
type loadLine struct {
	Workers int      `json:"workers"`
	Slots   int      `json:"slots"`                 // engine calls at once
	Speed   float64  `json:"speed,omitempty"`       // seconds of audio that one slot works off in a second; 0: nothing was measured yet
	Wait    *float64 `json:"expected_wait_seconds"` // of one more routine recording; nil: not known
}

// looker knows where to look.
type looker struct {
	rt      *runtime
	store   *postgres.Store
	db      databaseFlags
	flags   serviceFlags
	metrics string // address; "": not known
	dir     string // data folder; "": elsewhere

	health   []serviceHealth
	healthAt time.Time
}

func (l *looker) close() { l.store.Close() }

// Bounds beyond which a person should look, and how often services are asked anew.
const (
	lateAudit   = time.Minute
	healthEvery = 10 * time.Second
	startTime   = 30 * time.Second // that a vesper up may take until its worker reports
)

// report looks at everything. What cannot be asked is said, and does not keep the rest from being shown.
func (l *looker) report(ctx context.Context) report {
	r := report{At: time.Now().UTC(), Needs: []string{}}
	var pulse pipeline.Pulse
	var running []pipeline.RunningJob
	var scraped telemetry.Scraped
	var pulseErr, workersErr error
	var all sync.WaitGroup
	all.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if pulse, pulseErr = l.store.Pulse(ctx); pulseErr == nil {
			running, pulseErr = l.store.Running(ctx, 12)
		}
	})
	all.Go(func() { r.Workers, workersErr = tasks.Workers(l.flags.RedisURL) })
	all.Go(func() { l.askServices(ctx) })
	if l.metrics != "" {
		all.Go(func() { scraped, _ = telemetry.Scrape(ctx, l.metrics) }) // without it the speed is not known
	}
	all.Wait()
	r.Services = l.health
	r.fill(pulse, running)
	r.measure(scraped)
	if l.dir != "" {
		r.DiskFree, _ = services.FreeSpace(l.dir)
		r.Starting = time.Since(services.Started(l.dir)) < startTime
	}
	r.judge(pulseErr, workersErr, l.dir != "")
	return r
}

// askServices asks each service for a sign of life, now and then.
func (l *looker) askServices(ctx context.Context) {
	if time.Since(l.healthAt) < healthEvery {
		return
	}
	l.health, l.healthAt = nil, time.Now()
	for _, found := range doctor.Examine(ctx, serviceChecks(l.rt, l.db, l.flags)) {
		l.health = append(l.health, serviceHealth{found.Name, found.Found.OK, found.Found.What, found.Found.Mend})
	}
}

// fill takes over what PostgreSQL counted.
func (r *report) fill(p pipeline.Pulse, running []pipeline.RunningJob) {
	r.Dictations, r.Turnaround, r.Deliveries, r.Oldest = map[string]int{}, map[string]int{}, map[string]int{}, map[string]float64{}
	r.Findings, r.Messages = map[string]int{}, map[string]int{}
	for _, c := range p.Counts {
		n := int(c.Value)
		switch c.Measure {
		case pipeline.PulseQueue:
			r.Queue = append(r.Queue, queueLine{
				Kind: c.A, Priority: c.B, Waiting: n, Due: int(p.Sum(pipeline.PulseQueueDue, c.A, c.B)), Oldest: p.Max(pipeline.PulseQueueAge, c.A, c.B),
			})
		case pipeline.PulseDead:
			r.Dead = append(r.Dead, deadLine{c.A, c.B, n})
		case pipeline.PulseOpen:
			r.Dictations[c.A] += n
		case pipeline.PulseTurnaround:
			r.Turnaround[c.B] += n
		case pipeline.PulseDeliveries:
			r.Deliveries[c.A] += n
		case pipeline.PulseDeliveryAge:
			r.Oldest[c.A] = c.Value
		case pipeline.PulseFindings:
			r.Findings[c.A] += n
		case pipeline.PulseMessages:
			r.Messages[c.A] += n
		case pipeline.PulseWait:
			r.Load.Wait = &c.Value
		}
	}
	for _, j := range running {
		r.Running = append(r.Running, runningLine{
			j.ID.String(), string(j.Kind), string(j.Priority), j.Attempt, j.Worker, j.Silent().Seconds(), j.LeaseLeft < 0,
		})
	}
	r.Load.Workers, r.Load.Slots, r.Load.Speed = int(p.Sum(pipeline.PulseWorkers, "", "")), int(p.Sum(pipeline.PulseSlots, "", "")), p.Max(pipeline.PulseSpeed, "", "")
	r.Unattended = int(p.Sum(pipeline.PulseUnattended, "", ""))
	r.Audit = auditLine{int(p.Sum(pipeline.PulseAudit, "", "")), p.Max(pipeline.PulseAuditLag, "", "")}
	r.orderQueue()
}

// measure takes over what a worker counted: the engine's speed, and from the mean of earlier runs how long the queue takes.
func (r *report) measure(s telemetry.Scraped) {
	if s == nil {
		return
	}
	audio, busy := s.Total("vesper_engine_audio_seconds_total"), s.Total("vesper_engine_transcribing_seconds_total")
	e := engineLine{Recordings: int(s.Total("vesper_engine_speed_ratio")), Failures: int(s.Total("vesper_engine_failures_total"))}
	if busy > 0 {
		e.Speed = audio / busy
	}
	r.Engine = &e
	slots := r.Load.Slots
	if slots == 0 { // workers of an older version say it to Redis only
		for _, w := range r.Workers {
			slots += w.Slots
		}
	}
	ahead := 0.0 // stat goes before everything else
	for i, q := range r.Queue {
		ahead += float64(q.Due) * s.Mean("vesper_stage_seconds", "kind", q.Kind, "outcome", "done")
		if slots > 0 && q.Due > 0 {
			r.Queue[i].Expected = ahead / float64(slots)
		}
	}
}

// judge says what needs a person.
func (r *report) judge(pulse, workers error, local bool) {
	need := func(format string, args ...any) { r.Needs = append(r.Needs, fmt.Sprintf(format, args...)) }
	for _, s := range r.Services {
		if !s.OK {
			need("%s: %s. %s", s.Name, s.What, s.Mend)
		}
	}
	if pulse != nil {
		need("The database does not say how things stand (%s).", fault.As(pulse).Code)
		return
	}
	r.Starting = r.Starting && r.Load.Workers == 0
	due := 0
	for _, q := range r.Queue {
		due += q.Due
	}
	switch {
	case r.Load.Workers > 0 && r.Load.Slots == 0 && due > 0:
		need("No worker has an engine yet; %d jobs are due. It may still fetch its model: its log says.", due)
	case r.Load.Workers == 0 && (workers != nil || len(r.Workers) == 0) && !r.Starting:
		need("No worker is running; %d jobs wait for one.", due)
	}
	for _, d := range r.Dead {
		if d.Code == pipeline.CodeQuarantined {
			need("%s broke down each time for %s, set aside until a person orders it again; see \"Needs attention\".", d.Kind, times(d.Jobs, "dictation"))
			continue
		}
		need("%s stopped for %s (%s): look under \"Needs attention\" and order it again.", d.Kind, times(d.Jobs, "dictation"), d.Code)
	}
	if n := sum(r.Findings); n > 0 {
		need("A check of the object store found %s that nobody settled; the page Recordings says what to do.", times(n, "thing"))
	}
	if n := r.Messages["dead"]; n > 0 {
		need("%s could not be sent; Turn-around, Rules lists them and sends them again.", times(n, "message"))
	}
	if n := r.Deliveries["rejected"]; n > 0 {
		need("The EHR refused %s.", times(n, "signed note"))
	}
	if r.Unattended > 0 {
		need("%s without anything that moves them along; if this stays for more than a minute, no worker keeps house.", times(r.Unattended, "dictation"))
	}
	if lag := time.Duration(r.Audit.Lag * float64(time.Second)); lag > lateAudit {
		need("The audit log is %s behind; check that a worker runs with the audit key.", lag.Round(time.Second))
	}
	if local && r.DiskFree < leastDisk {
		need("Only %.1f GB are free on the disk of the data folder.", float64(r.DiskFree)/1e9)
	}
}

func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func sum(of map[string]int) (n int) {
	for _, v := range of {
		n += v
	}
	return n
}
