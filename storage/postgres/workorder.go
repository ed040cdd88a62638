package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"

	"vesper/pipeline"
)

// Reprioritise implements pipeline.Tx. A doorbell that was rung in the old place may still be answered first; the claim
// lets only one through.
func (t *tx) Reprioritise(ctx context.Context, dictation uuid.UUID, p pipeline.Priority, due time.Time) error {
	err := t.one(ctx, "reprioritise dictation", notFound(), `
		UPDATE dictations SET priority = $2, due_at = $3, updated_at = now() WHERE id = $1`, dictation, p, due)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		UPDATE jobs SET priority = $2, due_at = $3,
		       dispatched_at = CASE WHEN state = 'queued' AND priority <> $2 THEN NULL ELSE dispatched_at END
		WHERE dictation_id = $1 AND state IN ('queued', 'running')`, dictation, p, due)
	return wrap("reprioritise jobs", err)
}

// CancelJobs implements pipeline.Tx. A claim that comes at the same moment either was first, and then a delivery is left
// alone, or finds the job ended.
func (t *tx) CancelJobs(ctx context.Context, dictation uuid.UUID, code string, kinds ...pipeline.JobKind) (int, error) {
	var only []string
	for _, k := range kinds {
		only = append(only, string(k))
	}
	tag, err := t.Exec(ctx, `
		UPDATE jobs SET state = 'dead', lease_token = NULL, lease_until = NULL, error_code = $2, finished_at = now()
		WHERE dictation_id = $1 AND (state = 'queued' OR state = 'running' AND kind <> 'deliver')
		  AND ($3::text[] IS NULL OR kind = ANY ($3))`, dictation, code, only)
	return int(tag.RowsAffected()), wrap("cancel jobs", err)
}
