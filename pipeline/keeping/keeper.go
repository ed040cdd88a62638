package keeping

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"vesper/internal/fault"
)

// Keeper does the watching in the background: a quick check once a day, a slow deep check that never ends, purges, locks.
// Any number may run side by side; one at a time does each of these.
type Keeper struct {
	Checker *Checker
	Purger  *Purger
	Lock    Lock
	Pace    int64 // bytes a minute that the rolling check reads; 0: it does not run
	Log     *slog.Logger
	Watch   Watch // is told of each round that this process does; may be nil
}

// Watch is told what the keeper does, for metrics. Implementations MUST NOT block and MUST be safe for concurrent use.
type Watch interface {
	Round(what string, took time.Duration, err error)
}

// How often the keeper looks whether there is something to do, and how often a whole quick check and a plan are due.
const (
	checkEvery = time.Minute
	quickEvery = day
	planEvery  = 6 * time.Hour
)

// Run watches until ctx ends, and returns when the last round is over.
func (k *Keeper) Run(ctx context.Context) {
	var planned time.Time
	var rounds sync.WaitGroup
	rounds.Go(func() { k.every(ctx, "quick check", k.quick) })
	rounds.Go(func() { k.every(ctx, "rolling check", k.Roll) })
	rounds.Go(func() {
		k.every(ctx, "purge", func(ctx context.Context) error {
			if k.Checker.clock().Sub(planned) >= planEvery {
				if _, err := k.Purger.Plan(ctx, k.Lock); err != nil {
					return err
				}
				planned = k.Checker.clock()
			}
			return k.purge(ctx)
		})
	})
	rounds.Wait()
}

// every does a round each minute, alone among all processes.
func (k *Keeper) every(ctx context.Context, what string, round func(context.Context) error) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		mine, err := k.Checker.Store.Exclusive(ctx, "keeping "+what, round)
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, what, "err", err)
		}
		if k.Watch != nil && (mine || err != nil) {
			k.Watch.Round(what, time.Since(began), err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (k *Keeper) purge(ctx context.Context) error {
	if err := k.Purger.Holds(ctx); err != nil {
		return err
	}
	n, err := k.Purger.Carry(ctx)
	if n > 0 {
		k.Log.InfoContext(ctx, "purged recordings under the practices' rules", "recordings", n)
	}
	return err
}

// quick checks everything when the last whole check is a day old; one that broke off goes on.
func (k *Keeper) quick(ctx context.Context) error {
	if due, err := k.due(ctx, Quick); err != nil || !due {
		return err
	}
	run, err := k.Checker.Run(ctx, Options{Mode: Quick, By: "keeper", TakeUp: true})
	if err == nil {
		k.Log.InfoContext(ctx, "checked the object store", "recordings", run.Objects, "found", run.Found)
	}
	return err
}

// due says whether the newest run of a mode is a day old, or broke off.
func (k *Keeper) due(ctx context.Context, mode Mode) (bool, error) {
	last, err := k.Checker.Store.LastRun(ctx, mode)
	if err != nil {
		return false, err
	}
	now := k.Checker.clock()
	if last.FinishedAt.IsZero() {
		return mode == Rolling || now.Sub(last.SavedAt) > Silence, nil
	}
	return now.Sub(last.StartedAt) >= quickEvery, nil
}

// Roll reads on for a minute's share of bytes from where the last round ended. Within a month at the usual pace of
// 64 MiB a minute it has read 2.7 TiB.
func (k *Keeper) Roll(ctx context.Context) error {
	if k.Pace <= 0 {
		return nil
	}
	if due, err := k.due(ctx, Rolling); err != nil || !due {
		return err
	}
	run, err := k.Checker.Store.StartRun(ctx, Rolling, "keeper", true)
	if err != nil {
		return err
	}
	s := k.Checker.sweep(run, Options{Mode: Deep, By: "keeper"})
	done, err := s.roll(ctx, k.Pace)
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return err
	}
	if done {
		s.run.FinishedAt = s.clock()
	}
	if serr := s.save(ctx); serr != nil {
		return serr
	}
	return err
}
