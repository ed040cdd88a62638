package pipeline

import (
	"context"

	"github.com/google/uuid"
)

// The keeper's rounds, one at a time, for tests.
func (k *Keeper) ReapOnce(ctx context.Context) error           { return k.reap(ctx) }
func (k *Keeper) SequenceOnce(ctx context.Context) error       { return k.sequence(ctx) }
func (k *Keeper) ReconcileOnce(ctx context.Context) error      { return k.reconcile(ctx) }
func (k *Keeper) ReleaseExpiredOnce(ctx context.Context) error { return k.releaseExpired(ctx) }

// Seen is what a signature confirms.
var Seen = seen

// Backoff is the pause before a stage is tried again.
var Backoff = backoff

// Listens says whether this worker listens to an upload.
func (l *Listener) Listens(upload uuid.UUID) bool { return l.local(upload) != nil }

// Asked says whether a listening has looked at the queue.
func (l *Listener) Asked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.asked.IsZero()
}

// EscalateOnce is one look at all rules; EscalateUnlocked is the same without waiting for its turn.
func (k *Keeper) EscalateOnce(ctx context.Context) error { return k.escalate(ctx) }

func (k *Keeper) EscalateUnlocked(ctx context.Context, practice uuid.UUID) error {
	return k.escalatePractice(ctx, practice)
}

// MessagePause is the pause before a message is tried again.
var MessagePause = messagePause
