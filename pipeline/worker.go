package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"vesper/ehr"
	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/notes/style"
	"vesper/transcribe"
)

// Sound is a decoded recording. Close frees what it holds.
type Sound interface {
	Seconds() float64
	// WriteWAV writes the sound as 16 kHz mono 16-bit WAV; times in it are the transcript's times.
	WriteWAV(ctx context.Context, w io.Writer) error
	Close() error
}

// Recogniser turns recordings into words. Decode reads a file of any accepted format; its faults of kind Invalid,
// Unsupported and TooLarge mean that the recording is unusable for good. Transcribe runs with frozen settings, takes up
// the saved chunks of an earlier run, and hands each further chunk to onChunk in order; the same input, settings and
// chunks give the same transcript.
type Recogniser interface {
	Decode(ctx context.Context, path string) (Sound, error)
	Transcribe(ctx context.Context, s Sound, sha256 string, settings []byte, saved [][]byte,
		onChunk func(number, total int, result []byte) error) (transcribe.Transcript, error)
}

// Worker does the automatic stages. It is safe for concurrent use.
type Worker struct {
	Store      Store
	Objects    Objects
	Recogniser Recogniser
	Target     ehr.Target
	Chart      Chart            // what the EHR knows of patients; may be nil
	Lexicon    *lexicon.Lexicon // the recogniser's; nil: the one that comes with Vesper
	Style      style.Style      // how drafts are written; the zero value is the default
	System     string           // base of this installation's document identifiers, a URI
	TempDir    string           // private folder for recordings while they are worked on
	Name       string           // shown in the job table
	ID         uuid.UUID        // of this process, under which it reports what it takes
	Stopping   <-chan struct{}  // closed when the worker shall come to an end; nil: never
	Log        *slog.Logger
	Kick       func()               // wakes the relay; may be nil
	Listener   *Listener            // hears uploads while they arrive; may be nil
	Watch      Watch                // is told of each run; may be nil
	Traces     trace.TracerProvider // makes the spans of runs; may be nil
}

// errFenced is the cause of cancelling a run whose lease another worker has taken.
var errFenced = errors.New("lease lost to another worker")

// Do answers one doorbell: claim, run, commit, and go on with the stage that follows, so that a short dictation does
// not wait for the queue between its stages. A doorbell that is late or doubled finds nothing to claim and is dropped.
// An error is returned only when PostgreSQL itself could not be asked; the bell is then rung again.
func (w *Worker) Do(ctx context.Context, bell Doorbell) error {
	if !bell.Kind.known() {
		w.Log.WarnContext(ctx, "work of a kind that this version does not know is left for a newer worker", "kind", bell.Kind, "job", bell.JobID)
		return nil
	}
	for next := bell.JobID; next != uuid.Nil && !w.draining(); {
		job, err := w.Store.ClaimJob(ctx, next, w.Name)
		if fault.KindOf(err) == fault.Conflict || fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim job %s: %w", next, err)
		}
		job.progress = &progress{}
		next, err = w.run(ctx, job)
		if err != nil {
			w.settle(ctx, job, err)
			next = uuid.Nil
		}
		w.kick() // there is room for one more
	}
	return nil
}

func (w *Worker) kick() {
	if w.Kick != nil {
		w.Kick()
	}
}

// run does the job's stage under a heartbeat and returns the job that follows it, if any.
func (w *Worker) run(ctx context.Context, job Job) (next uuid.UUID, err error) {
	ctx, end := w.begin(ctx, job)
	defer func() { end(err) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	beats := make(chan struct{})
	go func() { defer close(beats); w.heartbeat(ctx, job, cancel) }()
	defer func() { cancel(nil); <-beats }()
	started := time.Now()
	err = guarded(func() (err error) {
		switch job.Kind {
		case TranscribeJob:
			next, err = w.transcribe(ctx, job)
		case DraftJob:
			next, err = w.draft(ctx, job)
		case DeliverJob:
			err = w.deliver(ctx, job)
		}
		return err
	})()
	if err != nil && errors.Is(context.Cause(ctx), errFenced) { // without an error the result is committed, and a heartbeat came after
		err = errFenced
	}
	w.Log.InfoContext(ctx, "stage", "kind", job.Kind, "job", job.ID, "dictation", job.DictationID, "attempt", job.Attempt,
		"seconds", time.Since(started).Seconds(), "code", code(err))
	return next, err
}

// guarded turns a panic into an error: one recording must not take down the worker and all that it is doing besides. The
// panic's value is left out, because it may quote what was being worked on; its place is what helps.
func guarded(fn func() error) func() error {
	return func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fault.Wrap(fmt.Errorf("panic %T at %s", p, panicSite()), fault.Internal, "stage_panicked", "A processing step broke down.")
			}
		}()
		return fn()
	}
}

// panicSite names the function and line that panicked.
func panicSite() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)]) // above Callers, panicSite and the recovering function
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

func (w *Worker) heartbeat(ctx context.Context, job Job, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err := w.Store.Heartbeat(ctx, job.ID, job.LeaseToken)
			if fault.KindOf(err) == fault.Conflict {
				cancel(errFenced)
				return
			}
			if err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "heartbeat", "job", job.ID, "err", err)
			}
		}
	}
}

// settle decides what a failed run means: nothing if the lease is gone, at once again if the worker is shutting down,
// later if the error can pass, a person if it cannot or the attempts are used up.
func (w *Worker) settle(ctx context.Context, job Job, err error) {
	if errors.Is(err, errFenced) || fault.As(err).Code == "job_fenced" {
		w.Log.WarnContext(ctx, "result thrown away: lease lost", "job", job.ID)
		return
	}
	stopping := ctx.Err() != nil || errors.Is(err, errDraining)
	code := fault.As(err).Code
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var serr error
	switch {
	case stopping:
		serr = w.Store.RetryJob(ctx, job.ID, job.LeaseToken, 0, "stopped", true)
	case poisonous(job, code):
		w.Log.ErrorContext(ctx, "stage breaks down each time; quarantined", "job", job.ID, "kind", job.Kind, "crashes", CrashLimit, "err", err)
		serr = w.bury(ctx, job, quarantined(job.Kind))
	case fault.Retryable(err) && job.Attempt < attempts(job, err):
		w.Log.WarnContext(ctx, "stage failed, will be tried again", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "err", err)
		serr = w.Store.RetryJob(ctx, job.ID, job.LeaseToken, pauseAfter(job.Attempt, err), code, false)
	default:
		w.Log.ErrorContext(ctx, "stage failed for good", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "err", err)
		serr = w.bury(ctx, job, err)
	}
	if serr != nil {
		w.Log.ErrorContext(ctx, "settle failed stage", "job", job.ID, "err", serr) // the reaper will take it up
	}
}

// outageAttempts is how often work is tried while something it needs is away: with the pauses of backoff that is about an
// hour. Such a failure says nothing about the recording, and when the service is back nobody should have to order it again.
const outageAttempts = 24

// outages are the codes of such failures. An engine that breaks down is none: a recording that kills it must not do so
// for an hour.
var outages = map[string]bool{
	"object_store_unavailable": true, "database_unavailable": true, "database_busy": true, "database_full": true,
	"ffmpeg_missing": true, "temp_unavailable": true, "audio_temp_space": true, "engine_unavailable": true, "disk_full": true,
}

// attempts is how often a job may be tried that failed with err.
func attempts(job Job, err error) int {
	if outages[fault.As(err).Code] {
		return max(job.MaxAttempts, outageAttempts)
	}
	return job.MaxAttempts
}

// bury ends a job for good and puts its dictation before a person, with the reason in plain words.
func (w *Worker) bury(ctx context.Context, job Job, cause error) error {
	f := fault.As(cause)
	actor := access.SystemActor(job.PracticeID)
	return w.Store.InTx(ctx, job.PracticeID, func(ctx context.Context, tx Tx) error {
		d, err := tx.DictationForUpdate(ctx, job.DictationID)
		if err != nil {
			return err
		}
		if err := tx.BuryJob(ctx, job.ID, job.LeaseToken, f.Code); err != nil {
			return err
		}
		to := Failed
		if unusable(f) && job.Kind == TranscribeJob {
			to = Rejected
		}
		if d.State == Signed && job.Kind == DeliverJob {
			to = Signed // it stays signed; the reason beside it tells an operator why it is not in the EHR
		}
		if to == d.State || CanMove(d.State, to, access.System) {
			if err := tx.Move(ctx, d.ID, []State{d.State}, to, f.Public); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, done(actor, access.Process, d.ID, map[string]string{
			"job": string(job.Kind), "result": ended(f.Code), "code": f.Code, "attempt": itoa(job.Attempt),
		}))
	})
}

// ended is what the record says of a buried job.
func ended(code string) string {
	if code == CodeQuarantined {
		return CodeQuarantined
	}
	return "dead"
}

// unusable reports whether the recording itself is at fault, so that its author must send another. A wrong setting is
// Invalid too, but no fault of the author's.
func unusable(f *fault.Error) bool {
	switch f.Kind {
	case fault.Invalid, fault.Unsupported, fault.TooLarge:
		return strings.HasPrefix(f.Code, "audio_") || f.Code == "no_speech"
	default:
		return false
	}
}

// backoff doubles from one second to five minutes, with jitter so that a recovered service is not hit by all at once.
func backoff(attempt int) time.Duration {
	d := min(time.Second<<min(attempt-1, 10), 5*time.Minute)
	return d/2 + rand.N(d/2+1)
}

func code(err error) string {
	if err == nil {
		return "ok"
	}
	if errors.Is(err, errFenced) {
		return "job_fenced"
	}
	return fault.As(err).Code
}
