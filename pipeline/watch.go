package pipeline

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/trail"
)

// Watch is told what workers do, for metrics. Implementations MUST NOT block and MUST be safe for concurrent use.
type Watch interface {
	// Stage is told of each run of a stage when it is over.
	Stage(StageRun)
	// Round is told of each round of housekeeping when it is over. what begins with a word that no other round begins with.
	Round(what string, took time.Duration, err error)
}

// StageRun is one attempt at a stage.
type StageRun struct {
	Kind     JobKind
	Priority Priority
	Attempt  int
	Outcome  string // done, failed, stopped (the worker was told to stop) or fenced (another worker has the job)
	Code     string // "ok", or the code of the failure
	Took     time.Duration
	Waited   time.Duration // from when it might first have run to the beginning of this attempt
}

// begin starts the span of a run, continuing the trace that ordered the job, and returns what must be called at its end.
func (w *Worker) begin(ctx context.Context, job Job) (context.Context, func(error)) {
	began := time.Now()
	ctx, span := trail.Root(ctx, w.Traces, "stage "+string(job.Kind), job.TraceParent, trace.SpanKindConsumer,
		attribute.String("vesper.job", job.ID.String()), attribute.String("vesper.dictation", job.DictationID.String()),
		attribute.String("vesper.kind", string(job.Kind)), attribute.String("vesper.priority", string(job.Priority)), attribute.Int("vesper.attempt", job.Attempt))
	return ctx, func(err error) {
		if w.Traces != nil {
			trail.End(span, err)
		}
		if w.Watch == nil {
			return
		}
		run := StageRun{Kind: job.Kind, Priority: job.Priority, Attempt: job.Attempt, Outcome: "done", Code: code(err), Took: time.Since(began), Waited: began.Sub(job.RunAfter)}
		switch {
		case err == nil:
		case errors.Is(err, errFenced) || run.Code == "job_fenced":
			run.Outcome = "fenced"
		case ctx.Err() != nil:
			run.Outcome = "stopped"
		default:
			run.Outcome = "failed"
		}
		w.Watch.Stage(run)
	}
}

// watched tells of a round of housekeeping. w may be nil.
func watched(w Watch, what string, began time.Time, err error) {
	if w != nil {
		w.Round(what, time.Since(began), err)
	}
}
