package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"vesper/internal/fault"
	"vesper/internal/telemetry"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
	"vesper/storage/postgres"
	"vesper/transcribe/whisper"
	"vesper/web"
)

// watchFlags say where operators look at this process. Traces are configured by the standard OTEL_ variables.
type watchFlags struct {
	MetricsListen string `help:"Address for Prometheus to scrape /metrics from, such as 127.0.0.1:9464; keep it off the public network. Empty: none." placeholder:"ADDRESS"`
}

// watching is what operators see of a process. Of a nil one they see nothing: each method then answers with what leaves
// the parts as they are.
type watching struct {
	metrics *telemetry.Metrics
	traces  trace.TracerProvider
}

// start begins to count, to trace and to answer scrapes. The caller must call stop.
func (f watchFlags) start(rt *runtime) (stop func(), err error) {
	_, stop, err = watchFrom(rt, f.MetricsListen, 1)
	return stop, err
}

// watching does the same for `vesper up`, which takes the next free port and leaves a note in the data folder for
// `vesper status`.
func (c *upCmd) watching(rt *runtime, dir, ehr string) (stop func(), err error) {
	listen := c.MetricsListen
	if c.AnyPort {
		listen = "127.0.0.1:0"
	}
	address, stop, err := watchFrom(rt, listen, 50)
	if err != nil {
		return nil, err
	}
	note := whereabouts{EHR: ehr}
	if address != "" {
		note.Metrics = "http://" + address + "/metrics"
	}
	if err := note.write(dir); err != nil {
		rt.log.Warn("leave the addresses for vesper status", "err", err)
	}
	return stop, nil
}

// whereabouts is what a running `vesper up` leaves in its data folder for `vesper status`, beside what the services do.
type whereabouts struct {
	Metrics string `json:"metrics,omitempty"`
	EHR     string `json:"ehr,omitempty"`
}

func whereaboutsFile(dir string) string { return filepath.Join(dir, "run", "whereabouts") }

func (w whereabouts) write(dir string) error {
	raw, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encode addresses: %w", err)
	}
	return os.WriteFile(whereaboutsFile(dir), raw, 0o600)
}

// readWhereabouts answers with nothing where there is no note.
func readWhereabouts(dir string) (w whereabouts) {
	if raw, err := os.ReadFile(whereaboutsFile(dir)); err == nil {
		_ = json.Unmarshal(raw, &w) // half a note is no note
	}
	return w
}

func watchFrom(rt *runtime, listen string, ports int) (address string, stop func(), err error) {
	provider, flush, err := telemetry.Traces(rt.ctx, buildInfo(), rt.log)
	if err != nil {
		return "", nil, err
	}
	w := &watching{metrics: telemetry.New(buildInfo()), traces: provider}
	var ln net.Listener
	if listen != "" {
		if ln, err = listenNear(listen, ports); err != nil {
			return "", nil, err
		}
		address = ln.Addr().String()
	}
	rt.watch = w
	ctx, cancel := context.WithCancel(context.WithoutCancel(rt.ctx))
	var served sync.WaitGroup
	if ln != nil {
		served.Go(func() {
			if err := w.metrics.Serve(ctx, ln, rt.log); err != nil {
				rt.log.Error("metrics", "err", err)
			}
		})
	}
	return address, func() {
		cancel()
		served.Wait()
		closeQuietly(context.WithoutCancel(rt.ctx), rt, "send the last traces", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			return flush(ctx)
		})
	}, nil
}

// listenNear takes the wished port or one of those that follow.
func listenNear(address string, ports int) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	first, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil {
		return nil, fault.New(fault.Invalid, "metrics_address", "The address of --metrics-listen must look like 127.0.0.1:9464.")
	}
	for p := first; p < first+ports; p++ {
		if ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p))); err == nil {
			return ln, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "port_taken", fmt.Sprintf("Cannot listen on %s. Choose another address with --metrics-listen.", address))
}

// count shows what stands in PostgreSQL beside what this process counts.
func (w *watching) count(s *postgres.Store) {
	if w != nil {
		w.metrics.Watch(s)
	}
}

func (w *watching) provider() trace.TracerProvider {
	if w == nil {
		return nil
	}
	return w.traces
}

func (w *watching) requests() web.Watch {
	if w == nil {
		return nil
	}
	return w.metrics
}

func (w *watching) stages() pipeline.Watch {
	if w == nil {
		return nil
	}
	return w.metrics
}

func (w *watching) pool() whisper.Watch {
	if w == nil {
		return nil
	}
	return w.metrics
}

func (w *watching) bell(b pipeline.Bell) pipeline.Bell {
	if w == nil {
		return b
	}
	return telemetry.Bell{Bell: b, Metrics: w.metrics}
}

func (w *watching) queue(s pipeline.Store) pipeline.Store {
	if w == nil {
		return s
	}
	return telemetry.Store{Store: s, Metrics: w.metrics}
}

func (w *watching) ehr() func(http.RoundTripper) http.RoundTripper {
	if w == nil {
		return nil
	}
	return w.metrics.EHR
}

func (w *watching) store() func(http.RoundTripper) http.RoundTripper {
	if w == nil {
		return nil
	}
	return w.metrics.ObjectStore
}

// newQueuePages makes the work queue's own pages, unless they are not wanted or this Redis is of a kind they do not know.
func newQueuePages(p *parts, f httpFlags) (web.QueuePages, error) {
	if f.NoQueuePages {
		return nil, nil
	}
	m, err := tasks.NewMonitor(p.flags.RedisURL, "/operations/queues")
	if fault.KindOf(err) == fault.Unsupported {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, m.Close)
	return m, nil
}
