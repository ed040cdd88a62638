package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
)

// ArrivingKeeper clears away what is left of arriving uploads: those of which nothing came for an hour are given up, and the
// pieces of closed ones are removed from the object store, once at once and once more when nothing can be on its way there
// any more. Any number may run side by side.
type ArrivingKeeper struct {
	Store Store
	Parts Parts
	Log   *slog.Logger
	Watch Watch // is told of each round; may be nil
}

// Run keeps house until ctx ends.
func (k *ArrivingKeeper) Run(ctx context.Context) {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		began := time.Now()
		err := k.Once(ctx, arrivingIdle, arrivingLate)
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "clear arriving uploads away", "err", err)
		}
		watched(k.Watch, "clear arriving uploads away", began, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Once gives up what brought nothing for the idle time, and clears closed uploads away; the rows of those that were cleared
// longer ago than late are removed.
func (k *ArrivingKeeper) Once(ctx context.Context, idle, late time.Duration) error {
	err := k.dropIdle(ctx, idle)
	purge, e := k.Store.ClosedArriving(ctx, late)
	if e != nil {
		return errors.Join(err, e)
	}
	for _, a := range purge {
		if e := k.purge(ctx, a.PracticeID, a.ID); e != nil { // one that cannot be cleared away does not hold up the others
			err = errors.Join(err, e)
		}
	}
	return err
}

// dropIdle gives up what brought nothing, each upload together with its event.
func (k *ArrivingKeeper) dropIdle(ctx context.Context, idle time.Duration) error {
	stale, err := k.Store.IdleArriving(ctx, idle)
	dropped := 0
	for _, a := range stale {
		var gone bool
		e := k.Store.InTx(ctx, a.PracticeID, func(ctx context.Context, tx Tx) (err error) {
			if gone, err = tx.DropIdleArriving(ctx, a.ID, idle); err != nil || !gone {
				return err
			}
			return tx.Audit(ctx, aboutUpload(a, map[string]string{"result": "dropped", "code": "idle"}))
		})
		if e != nil { // one that cannot be given up does not hold up the others
			err = errors.Join(err, e)
		} else if gone {
			dropped++
		}
	}
	if dropped > 0 {
		k.Log.InfoContext(ctx, "gave up uploads that bring nothing", "uploads", dropped)
	}
	return err
}

func (k *ArrivingKeeper) purge(ctx context.Context, practice, upload uuid.UUID) error {
	if err := k.Parts.RemoveParts(ctx, upload); err != nil {
		return err
	}
	err := k.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) error { return tx.StrikeArriving(ctx, upload) })
	if err != nil {
		return err
	}
	return k.Store.PurgedArriving(ctx, upload)
}
