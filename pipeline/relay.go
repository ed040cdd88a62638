package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/crashpoint"
)

// Bell rings workers. Ring MUST treat a doorbell that was rung before under the same dispatch number as success. An
// error means that the queue cannot be reached; the relay tries again.
type Bell interface {
	Ring(ctx context.Context, b Doorbell) error
}

// Relay moves intent from the job table to the queue. Any number may run side by side.
type Relay struct {
	Store JobQueue
	Bell  Bell
	Log   *slog.Logger
	wake  chan struct{}
}

// NewRelay returns a relay; call Run to start it.
func NewRelay(store JobQueue, bell Bell, log *slog.Logger) *Relay {
	return &Relay{Store: store, Bell: bell, Log: log, wake: make(chan struct{}, 1)}
}

// Kick wakes the relay now instead of at its next tick. It never blocks.
func (r *Relay) Kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	failing := false
	for {
		n, err := r.Store.Dispatch(ctx, 100, r.Bell.Ring)
		if n > 0 {
			crashpoint.At("ring.after-commit")
		}
		if err != nil && ctx.Err() == nil && !failing {
			r.Log.WarnContext(ctx, "relay cannot reach the queue; jobs wait in the database", "err", err)
		}
		if err == nil && failing {
			r.Log.InfoContext(ctx, "relay reaches the queue again")
		}
		failing = err != nil
		if n == 100 && err == nil {
			continue // more may be waiting
		}
		pause := RelayEvery
		if failing {
			pause = 2 * time.Second
		}
		if !r.wait(ctx, pause) {
			return
		}
	}
}

func (r *Relay) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-r.wake:
	case <-t.C:
	}
	return true
}

// Keeper does the housekeeping that keeps invariant 2: it reaps lost leases, releases claims that ran out, gives
// unattended dictations their job, and sequences the audit log.
type Keeper struct {
	Worker   *Worker
	Settings func() ([]byte, error)
	SignKey  string                                                         // secret key of the audit log
	Outside  func(ctx context.Context, size int64, checkpoint []byte) error // keeps checkpoints outside PostgreSQL; may be nil
	Now      func() time.Time                                               // may be nil: time.Now
	Log      *slog.Logger
	Watch    Watch // is told of each round; may be nil

	unkept   []kept // checkpoints that could not be copied outside yet, oldest first; only sequence touches them
	caughtUp bool   // the newest checkpoint of earlier processes was looked at
}

// Run keeps house until ctx ends, and returns when the last round is over: then nothing uses the store any more.
func (k *Keeper) Run(ctx context.Context) {
	var rounds sync.WaitGroup
	rounds.Go(func() { k.every(ctx, ReapEvery, "reap", k.reap) })
	rounds.Go(func() { k.every(ctx, time.Second, "sequence audit log", k.sequence) })
	rounds.Go(func() { k.every(ctx, 30*time.Second, "release expired claims", k.releaseExpired) })
	rounds.Go(func() { k.every(ctx, 30*time.Second, "reconcile", k.reconcile) })
	rounds.Go(func() { k.every(ctx, EscalateEvery, "escalate waiting work", k.escalate) })
	rounds.Wait()
}

func (k *Keeper) every(ctx context.Context, d time.Duration, what string, fn func(context.Context) error) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		began := time.Now()
		err := fn(ctx)
		if err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, what, "err", err)
		}
		watched(k.Watch, what, began, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (k *Keeper) reap(ctx context.Context) error {
	n, exhausted, err := k.Worker.Store.Reap(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		k.Log.WarnContext(ctx, "took up jobs of vanished workers", "jobs", n)
		k.Worker.kick()
	}
	for _, job := range exhausted {
		if !job.Kind.known() {
			continue // the keeper of a newer worker knows what becomes of it
		}
		if e := k.Worker.bury(ctx, job, quarantined(job.Kind)); e != nil { // one that cannot be buried does not hold up the others
			err = errors.Join(err, fmt.Errorf("bury job %s: %w", job.ID, e))
		}
	}
	return err
}

// kept is a signed checkpoint on its way out of the database.
type kept struct {
	size   int64
	signed []byte
}

// maxUnkept bounds the checkpoints that wait for the place outside; beyond it the oldest are let go, because each newer
// one covers all that they cover.
const maxUnkept = 1000

func (k *Keeper) sequence(ctx context.Context) error {
	sign := func(c audit.Checkpoint) ([]byte, error) { return c.Sign(k.SignKey) }
	for {
		signed, size, err := k.Worker.Store.Sequence(ctx, 1000, sign)
		if err != nil {
			return err
		}
		if signed == nil {
			return k.keep(ctx)
		}
		crashpoint.At("checkpoint.before-copy")
		k.unkept = append(k.unkept, kept{size, signed})
		k.unkept = k.unkept[max(0, len(k.unkept)-maxUnkept):]
		if err := k.keep(ctx); err != nil {
			return err
		}
	}
}

// keep copies checkpoints out of the database, oldest first. What fails stays for the next round; what an earlier process
// left behind is made up for once, with the newest checkpoint.
func (k *Keeper) keep(ctx context.Context) error {
	if k.Outside == nil {
		k.unkept = nil
		return nil
	}
	if !k.caughtUp {
		all, err := k.Worker.Store.Checkpoints(ctx)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			newest := all[len(all)-1]
			size, err := audit.SizeOf(newest)
			if err != nil {
				return fmt.Errorf("read newest checkpoint: %w", err)
			}
			if len(k.unkept) == 0 || k.unkept[0].size > size {
				k.unkept = append([]kept{{size, newest}}, k.unkept...)
			}
		}
		k.caughtUp = true
	}
	for len(k.unkept) > 0 {
		if err := k.Outside(ctx, k.unkept[0].size, k.unkept[0].signed); err != nil {
			return fmt.Errorf("keep checkpoint outside the database: %w", err)
		}
		crashpoint.At("checkpoint.after-copy")
		k.unkept = k.unkept[1:]
	}
	return nil
}

// releaseExpired gives notes whose editor vanished back to the queue. Everything typed is saved; nothing is lost.
func (k *Keeper) releaseExpired(ctx context.Context) error {
	practices, err := k.Worker.Store.Practices(ctx)
	if err != nil {
		return err
	}
	for _, practice := range practices {
		actor := access.SystemActor(practice)
		err := k.Worker.Store.InTx(ctx, practice, func(ctx context.Context, tx Tx) error {
			ids, err := tx.ExpiredClaims(ctx)
			if err != nil {
				return err
			}
			for _, id := range ids {
				d, err := tx.DictationForUpdate(ctx, id)
				if err != nil {
					return err
				}
				held, err := tx.ClaimOf(ctx, id) // it may have been renewed since it was listed
				if err != nil {
					return err
				}
				if held != nil || d.State != InReview {
					continue
				}
				if err := tx.ReleaseClaim(ctx, id, "expired"); err != nil {
					return err
				}
				if err := tx.Move(ctx, id, []State{InReview}, Drafted, d.Reason); err != nil {
					return err
				}
				if err := tx.Audit(ctx, done(actor, access.Release, id, map[string]string{"why": "expired"})); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reconcile gives every dictation that nobody attends to its job again.
func (k *Keeper) reconcile(ctx context.Context) error {
	lost, err := k.Worker.Store.Unattended(ctx)
	if err != nil {
		return err
	}
	for _, d := range lost {
		k.Log.ErrorContext(ctx, "unattended dictation: giving it a job", "dictation", d.ID, "state", d.State)
		if e := k.attend(ctx, d); e != nil { // one that cannot be attended to does not hold up the others
			err = errors.Join(err, fmt.Errorf("attend to dictation %s: %w", d.ID, e))
		}
	}
	return err
}

func (k *Keeper) attend(ctx context.Context, lost Dictation) error {
	settings, err := k.Settings()
	if err != nil {
		return err
	}
	return k.Worker.Store.InTx(ctx, lost.PracticeID, func(ctx context.Context, tx Tx) error {
		d, err := tx.DictationForUpdate(ctx, lost.ID)
		if err != nil || d.State != lost.State {
			return err
		}
		live, err := underWay(ctx, tx, d.ID) // another keeper may have been here since it was listed
		if err != nil || live {
			return err
		}
		switch d.State {
		case Received, Queued:
			a, err := tx.AudioOf(ctx, d.ID, Original)
			if err != nil {
				return err
			}
			if err := enqueueTranscription(ctx, tx, d, a.SHA256, settings); err != nil {
				return err
			}
		case Transcribed:
			st, t, err := tx.TranscriptOf(ctx, d.ID)
			if err != nil {
				return err
			}
			if err := addDraftJob(ctx, tx, d, st.ID, t.Audio.SHA256); err != nil {
				return err
			}
		case Signed:
			if gone, err := givenUp(ctx, tx, d.ID); err != nil || gone { // a person may have cancelled it since it was listed
				return err
			}
			if err := redeliver(ctx, tx, d); err != nil {
				return err
			}
		default:
			return nil
		}
		return tx.Audit(ctx, done(access.SystemActor(d.PracticeID), access.Process, d.ID, map[string]string{"result": "reconciled", "from": string(d.State)}))
	})
}
