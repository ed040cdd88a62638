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
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

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
		asynq.TaskID(fmt.Sprintf("%s:%d", d.JobID, d.DispatchNo)), asynq.Queue(queue(d.Priority)), asynq.MaxRetry(0),
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

func queue(p pipeline.Priority) string {
	if p == pipeline.Stat {
		return string(pipeline.Stat)
	}
	return string(pipeline.Routine)
}

// Server answers doorbells with a worker until its context ends.
type Server struct {
	URL         string
	Do          func(context.Context, pipeline.Doorbell) error
	Concurrency int           // doorbells answered at once
	Grace       time.Duration // how long Run waits for running work at the end; then it is taken up again later
	Log         *slog.Logger
}

// Run answers doorbells until ctx ends, then drains. Redis may be away at the start and at any time.
func (s *Server) Run(ctx context.Context) error {
	opt, err := options(s.URL)
	if err != nil {
		return err
	}
	srv := asynq.NewServer(opt, asynq.Config{
		Concurrency:       s.Concurrency,
		Queues:            map[string]int{string(pipeline.Stat): 2, string(pipeline.Routine): 1},
		StrictPriority:    true,
		BaseContext:       func() context.Context { return ctx },
		TaskCheckInterval: 50 * time.Millisecond, // the default of a second would be most of a short note's wait
		ShutdownTimeout:   s.Grace,
		LogLevel:          asynq.WarnLevel,
		Logger:            logger{s.Log},
		ErrorHandler:      asynq.ErrorHandlerFunc(func(context.Context, *asynq.Task, error) {}), // settled in PostgreSQL
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc(taskType, s.handle)
	if err := s.start(ctx, srv, mux); err != nil {
		return err
	}
	<-ctx.Done()
	srv.Shutdown()
	return nil
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

func (s *Server) handle(ctx context.Context, t *asynq.Task) error {
	var d pipeline.Doorbell
	if err := json.Unmarshal(t.Payload(), &d); err != nil {
		return fmt.Errorf("decode doorbell: %w", asynq.SkipRetry)
	}
	if err := s.Do(ctx, d); err != nil {
		s.Log.WarnContext(ctx, "doorbell not answered; it will be rung again", "job", d.JobID, "err", err)
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
