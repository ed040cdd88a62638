package pipeline

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// WorkTx changes work that waits or runs.
type WorkTx interface {
	// Reprioritise gives a dictation, and its work that is not finished, another priority and due time. The work is rung
	// again in its new place. NotFound when there is no such dictation.
	Reprioritise(ctx context.Context, dictation uuid.UUID, p Priority, due time.Time) error
	// CancelJobs ends a dictation's work of these kinds (none: of every kind) that waits or runs, and says how much that
	// was. A worker that runs it is fenced off: its next heartbeat or commit is refused. A delivery that runs is left
	// alone, because what it sends may be in the EHR already.
	CancelJobs(ctx context.Context, dictation uuid.UUID, code string, kinds ...JobKind) (int, error)
}
