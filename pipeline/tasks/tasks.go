// Package tasks carries doorbells through asynq. It is the only place that knows asynq: task names, id-only payloads and
// queues. What asynq promises is little and is all that is used: a doorbell usually arrives, perhaps late, perhaps twice.
// Intent, attempts, back-off and results live in PostgreSQL (package pipeline).
package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"vesper/internal/crashpoint"
	"vesper/internal/fault"
	"vesper/pipeline"
)

const taskType = "vesper:job"

// The Redis client writes to standard error past every logger, several lines a second while Redis is away. The relay and
// the server say once that it is.
func init() { redis.SetLogger(silence{}) } //nolint:gochecknoinits // the client offers a package variable only

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// Bell rings workers through Redis.
type Bell struct {
	client *asynq.Client
}

// NewBell connects lazily: Redis may be down and come back.
func NewBell(url string) (*Bell, error) {
	opt, err := options(url)
	if err != nil {
		return nil, err
	}
	return &Bell{client: asynq.NewClient(opt)}, nil
}

// Close ends the connection.
func (b *Bell) Close() error { return b.client.Close() }

// Ring implements pipeline.Bell. The task id is job id and dispatch number, so one dispatch rings once; asynq keeps no
// attempts of its own, because the relay rings again for what is not answered.
func (b *Bell) Ring(ctx context.Context, d pipeline.Doorbell) error {
	payload, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode doorbell: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	crashpoint.At("ring.before-enqueue")
	_, err = b.client.EnqueueContext(ctx, asynq.NewTask(taskType, payload),
		asynq.TaskID(fmt.Sprintf("%s:%d", d.JobID, d.DispatchNo)), asynq.Queue(queue(d)), asynq.MaxRetry(0),
		asynq.Timeout(24*time.Hour), asynq.Retention(0))
	crashpoint.At("ring.after-enqueue")
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	if err != nil {
		return fault.Wrap(fmt.Errorf("ring for job %s: %w", d.JobID, err), fault.Unavailable, "queue_unavailable",
			"The work queue cannot be reached. The work is safe and starts when it is back.")
	}
	return nil
}

// The queues, each pair in strict priority. Drafts and deliveries have their own, so that they never wait behind
// transcriptions, which take minutes.
const (
	heavyStat, heavyRoutine = string(pipeline.Stat), string(pipeline.Routine)
	lightStat, lightRoutine = "stat-light", "routine-light"
)

func queue(d pipeline.Doorbell) string {
	switch heavy, stat := d.Kind == pipeline.TranscribeJob, d.Priority == pipeline.Stat; {
	case heavy && stat:
		return heavyStat
	case heavy:
		return heavyRoutine
	case stat:
		return lightStat
	default:
		return lightRoutine
	}
}

// Server answers doorbells with a worker until its context ends.
type Server struct {
	URL         string
	Do          func(context.Context, pipeline.Doorbell) error
	Concurrency int           // transcriptions at once
	Light       int           // drafts and deliveries at once; 0: 4
	Grace       time.Duration // how long running work may take to come to a point where it is saved; then it is broken off
	Log         *slog.Logger
}

// cutTime is how long work may take to put its things in order after it was broken off.
const cutTime = 10 * time.Second

// Run answers doorbells until ctx ends, then drains: it takes nothing more, lets what runs come to an end for Grace, and
// breaks off the rest, whose context ends then. Redis may be away at the start and at any time.
func (s *Server) Run(ctx context.Context) error {
	opt, err := options(s.URL)
	if err != nil {
		return err
	}
	if s.Light <= 0 {
		s.Light = 4
	}
	work, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	var both errgroup.Group
	both.Go(func() error {
		return s.answer(ctx, work, opt, s.Concurrency, 50*time.Millisecond, heavyStat, heavyRoutine)
	})
	both.Go(func() error { return s.answer(ctx, work, opt, s.Light, 100*time.Millisecond, lightStat, lightRoutine) })
	<-ctx.Done()
	cut := time.AfterFunc(s.Grace, breakOff)
	defer cut.Stop()
	return both.Wait()
}

// answer serves one pair of queues. look is how often an empty queue is looked at; the library's second would be most of a
// short note's wait.
func (s *Server) answer(ctx, work context.Context, opt asynq.RedisConnOpt, concurrency int, look time.Duration, stat, routine string) error {
	srv := asynq.NewServer(opt, asynq.Config{
		Concurrency:       concurrency,
		Queues:            map[string]int{stat: 2, routine: 1},
		StrictPriority:    true,
		BaseContext:       func() context.Context { return work },
		TaskCheckInterval: look,
		ShutdownTimeout:   s.Grace + cutTime,
		LogLevel:          asynq.WarnLevel,
		Logger:            logger{s.Log},
		ErrorHandler:      asynq.ErrorHandlerFunc(func(context.Context, *asynq.Task, error) {}), // settled in PostgreSQL
	})
	h := &hands{Server: s, work: work, free: make(chan struct{}, max(concurrency, 1))}
	mux := asynq.NewServeMux()
	mux.HandleFunc(taskType, h.handle)
	if err := s.start(ctx, srv, mux); err != nil {
		return err
	}
	<-ctx.Done()
	srv.Shutdown()
	h.busy.Wait() // the library does not wait for work that it has given up
	return nil
}

// hands do the work. It runs under the server's own context: asynq cancels a task's when Redis was away for half a minute,
// which is no reason to drop what is half done. Then asynq believes that the hand is free, so the hands count themselves.
type hands struct {
	*Server
	work context.Context //nolint:containedctx // it outlives the tasks
	free chan struct{}
	busy sync.WaitGroup
}

// start waits for Redis instead of giving up: the worker is useful as soon as Redis is there.
func (s *Server) start(ctx context.Context, srv *asynq.Server, mux *asynq.ServeMux) error {
	for said := false; ; said = true {
		err := srv.Start(mux)
		if err == nil {
			return nil
		}
		if !said {
			s.Log.WarnContext(ctx, "waiting for the work queue", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (h *hands) handle(_ context.Context, t *asynq.Task) error {
	var d pipeline.Doorbell
	if err := json.Unmarshal(t.Payload(), &d); err != nil {
		return fmt.Errorf("decode doorbell: %w", asynq.SkipRetry)
	}
	h.busy.Add(1)
	defer h.busy.Done()
	select {
	case <-h.work.Done():
		return nil
	case h.free <- struct{}{}:
	}
	defer func() { <-h.free }()
	if err := h.Do(h.work, d); err != nil {
		h.Log.WarnContext(h.work, "doorbell not answered; it will be rung again", "job", d.JobID, "err", err)
	}
	return nil // never an error text in Redis
}

// logger hands asynq's own messages to slog.
type logger struct{ log *slog.Logger }

func (l logger) Debug(a ...any) { l.log.Debug(fmt.Sprint(a...)) }
func (l logger) Info(a ...any)  { l.log.Info(fmt.Sprint(a...)) }
func (l logger) Warn(a ...any)  { l.log.Warn(fmt.Sprint(a...)) }
func (l logger) Error(a ...any) { l.log.Error(fmt.Sprint(a...)) }
func (l logger) Fatal(a ...any) { l.log.Error(fmt.Sprint(a...)) }
