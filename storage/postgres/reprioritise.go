package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"vesper/pipeline"
)

// Reprioritise implements pipeline.ClockTx: the dictation and its jobs that have not ended.
func (t *tx) Reprioritise(ctx context.Context, dictation uuid.UUID, p pipeline.Priority, due time.Time) error {
	err := t.one(ctx, "change priority", notFound(),
		`UPDATE dictations SET priority = $2, due_at = $3, updated_at = now() WHERE id = $1`, dictation, p, due)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE jobs SET priority = $2, due_at = $3 WHERE dictation_id = $1 AND state IN ('queued', 'running')`, dictation, p, due)
	return wrap("change priority of jobs", err)
}
