package pipeline

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/google/uuid"
)

// WorkerSilence is how long a worker counts as there without a sign of life.
const WorkerSilence = 20 * time.Second

// WorkerReport is what one worker process takes at once. The relay rings for no more than all of them together take, so
// that what waits longer can still be put in another order.
type WorkerReport struct {
	ID                                 uuid.UUID // of the process
	Name                               string
	Slots                              int // engine calls at once; 0 while there is no engine
	Transcriptions, Drafts, Deliveries int // jobs at once
}

// Workload is what waits and how fast it goes.
type Workload struct {
	Stat, Routine      int // recordings that wait for the engine
	Drafts, Deliveries int // that wait for a worker, or for their next attempt
	Running            int // recordings in the engine's hands
	Ahead              int // recordings before one more routine recording of the author that was asked for
	Oldest             time.Time
	Slots, Workers     int // of the workers that live

	// Sums over the newest finished transcriptions, the latest counting most.
	Runs, AudioSeconds, EngineSeconds float64
}

// Speed is how many seconds of recordings one engine slot works off in a second; 0 while nothing was measured.
func (l Workload) Speed() float64 {
	if l.EngineSeconds <= 0 {
		return 0
	}
	return l.AudioSeconds / l.EngineSeconds
}

// Wait is how long a recording waits that so many others are before; what runs now is half done on average. known is
// false while nothing was measured or nobody works.
func (l Workload) Wait(ahead int) (wait time.Duration, known bool) {
	if l.Slots <= 0 || l.Speed() <= 0 || l.Runs <= 0 {
		return 0, false
	}
	each := l.AudioSeconds / l.Runs / l.Speed() / float64(l.Slots)
	seconds := each * (float64(ahead) + float64(l.Running)/2)
	return time.Duration(math.Min(seconds, 1e9) * float64(time.Second)), true
}

// Workforce is who works, how fast, and on how much.
type Workforce interface {
	// ReportWorker says that a worker is there and what it takes; silence for WorkerSilence means that it is gone.
	ReportWorker(ctx context.Context, r WorkerReport) error
	// RetireWorker says that a worker takes nothing any more.
	RetireWorker(ctx context.Context, id uuid.UUID) error
	// MeasureRun adds a finished transcription to what is known of the worker's speed: how long the recording was and how
	// long engine slots were busy with it.
	MeasureRun(ctx context.Context, worker uuid.UUID, audio, engine time.Duration) error
	// Workload counts; Ahead is reckoned for the author (zero: somebody with nothing waiting). It is cheap enough to poll.
	Workload(ctx context.Context, author uuid.UUID) (Workload, error)
}

// Attend reports the worker until ctx ends, then retires it.
func Attend(ctx context.Context, store Workforce, report WorkerReport, log *slog.Logger) {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	for {
		if err := store.ReportWorker(ctx, report); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "report worker", "err", err)
		}
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			if err := store.RetireWorker(ctx, report.ID); err != nil {
				log.WarnContext(ctx, "retire worker", "err", err)
			}
			return
		case <-tick.C:
		}
	}
}
