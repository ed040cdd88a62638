package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// ClaimJob implements pipeline.JobQueue. A job whose time has not come is not to be had, nor one that has taken its last
// worker with it.
func (s *Store) ClaimJob(ctx context.Context, id uuid.UUID, worker string) (job pipeline.Job, err error) {
	token, err := uuid.NewRandom() // a secret of the run, not an ordered key
	if err != nil {
		return job, err
	}
	err = s.across(ctx, "claim job", func(t pgx.Tx) error {
		found, err := find(ctx, t, "claim job", scanJob, `
			UPDATE jobs SET state = 'running', lease_token = $2, lease_until = now() + make_interval(secs => $3),
			       attempt = attempt + (state = 'queued')::int, crashes = crashes + (state = 'running')::int, worker = $4
			WHERE id = $1 AND (state = 'queued' AND run_after <= now()
			                   OR state = 'running' AND lease_until < now() AND crashes + 1 < $5)
			RETURNING `+jobColumns, id, token, pipeline.Lease.Seconds(), worker, pipeline.CrashLimit)
		if err != nil {
			return err
		}
		if found == nil {
			return fault.New(fault.Conflict, "job_taken", "Another worker does this job, or it is done.")
		}
		job = *found
		return nil
	})
	return job, err
}

// held runs an UPDATE that only the holder of the lease may do.
func (s *Store) held(ctx context.Context, op, sql string, args ...any) error {
	return s.across(ctx, op, func(t pgx.Tx) error { return (&tx{Tx: t}).one(ctx, op, fenced(), sql, args...) })
}

// Heartbeat implements pipeline.JobQueue.
func (s *Store) Heartbeat(ctx context.Context, id, token uuid.UUID) error {
	return s.held(ctx, "extend lease", `
		UPDATE jobs SET lease_until = now() + make_interval(secs => $3)
		WHERE id = $1 AND state = 'running' AND lease_token = $2`, id, token, pipeline.Lease.Seconds())
}

// RetryJob implements pipeline.JobQueue. A run that the worker lived through ends a row of crashes; a stop says nothing.
func (s *Store) RetryJob(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, refund bool) error {
	return s.held(ctx, "put job back", `
		UPDATE jobs SET state = 'queued', lease_token = NULL, lease_until = NULL, run_after = now() + make_interval(secs => $3), error_code = $4,
		       dispatched_at = NULL, attempt = attempt - CASE WHEN $5 THEN 1 ELSE 0 END,
		       crashes = CASE WHEN $5 THEN crashes WHEN $6 THEN crashes + 1 ELSE 0 END
		WHERE id = $1 AND state = 'running' AND lease_token = $2`, id, token, after.Seconds(), code, refund, pipeline.Crashed(code))
}

// Reap implements pipeline.JobQueue. Jobs that took their last worker with them stay as they are, under their last token,
// until the caller buries them: it does so together with the dictation and the event.
func (s *Store) Reap(ctx context.Context) (requeued int, exhausted []pipeline.Job, err error) {
	err = s.across(ctx, "reap jobs", func(t pgx.Tx) error {
		if err := mendTimes(ctx, t); err != nil {
			return err
		}
		tag, err := t.Exec(ctx, `
			WITH lost AS (
				SELECT id FROM jobs WHERE state = 'running' AND lease_until < now() AND crashes + 1 < $1
				FOR UPDATE SKIP LOCKED)
			UPDATE jobs j SET state = 'queued', lease_token = NULL, lease_until = NULL, run_after = now(), dispatched_at = NULL,
			       error_code = 'lease_expired', crashes = crashes + 1, attempt = attempt - 1
			FROM lost WHERE j.id = lost.id`, pipeline.CrashLimit)
		if err != nil {
			return wrap("requeue lost jobs", err)
		}
		requeued = int(tag.RowsAffected())
		exhausted, err = list(ctx, t, "find exhausted jobs", scanJob, `
			SELECT `+jobColumns+` FROM jobs WHERE state = 'running' AND lease_until < now() AND crashes + 1 >= $1`, pipeline.CrashLimit)
		return err
	})
	return requeued, exhausted, err
}

// SaveChunk implements pipeline.JobQueue. A chunk that is there stays as it is: settings are frozen, so both are equal.
// One more chunk is progress, which ends a row of crashes.
func (s *Store) SaveChunk(ctx context.Context, job, token uuid.UUID, number, total int, result json.RawMessage) error {
	return s.across(ctx, "save chunk", func(t pgx.Tx) error {
		crashes, err := find(ctx, t, "save chunk", pgx.RowTo[int], `
			WITH held AS (SELECT id, practice_id, crashes FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR SHARE),
			     saved AS (INSERT INTO job_chunks (job_id, practice_id, number, total, result)
			               SELECT id, practice_id, $3, $4, $5 FROM held ON CONFLICT (job_id, number) DO NOTHING RETURNING 1)
			SELECT crashes * (SELECT count(*) FROM saved)::int FROM held`, job, token, number, total, result)
		switch {
		case err != nil:
			return err
		case crashes == nil:
			return fenced()
		case *crashes == 0:
			return nil
		}
		_, err = t.Exec(ctx, `UPDATE jobs SET crashes = 0 WHERE id = $1 AND lease_token = $2`, job, token)
		return wrap("note progress", err)
	})
}

// Chunks implements pipeline.JobQueue.
func (s *Store) Chunks(ctx context.Context, job uuid.UUID) (out []json.RawMessage, err error) {
	err = s.across(ctx, "read chunks", func(t pgx.Tx) error {
		out, err = list(ctx, t, "read chunks", pgx.RowTo[json.RawMessage], `SELECT result FROM job_chunks WHERE job_id = $1 ORDER BY number`, job)
		return err
	})
	return out, err
}

// QueueDepth implements pipeline.JobQueue; any login may ask.
func (s *Store) QueueDepth(ctx context.Context) (map[pipeline.JobState]int, error) {
	rows, err := s.pool.Query(ctx, `SELECT state, jobs FROM queue_depth()`)
	if err != nil {
		return nil, wrap("count jobs", err)
	}
	out := map[pipeline.JobState]int{}
	var state pipeline.JobState
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { out[state] = n; return nil })
	return out, wrap("count jobs", err)
}

// Unattended implements pipeline.JobQueue. Only a job of the stage that follows counts. A signed note whose newest delivery job is dead waits for a person: there is
// no other state to show it in.
func (s *Store) Unattended(ctx context.Context) (out []pipeline.Dictation, err error) {
	err = s.across(ctx, "look for unattended dictations", func(t pgx.Tx) error {
		out, err = list(ctx, t, "look for unattended dictations", scanDictation, `
			SELECT `+dictationColumns+` FROM dictations d
			WHERE d.state IN ('received', 'queued', 'transcribed', 'signed')
			  AND NOT EXISTS (
			      SELECT FROM jobs j WHERE j.dictation_id = d.id AND j.state IN ('queued', 'running')
			      AND j.kind = CASE d.state WHEN 'transcribed' THEN 'draft' WHEN 'signed' THEN 'deliver' ELSE 'transcribe' END)
			  AND NOT (d.state = 'signed' AND 'dead' IS NOT DISTINCT FROM (
			      SELECT j.state FROM jobs j WHERE j.dictation_id = d.id AND j.kind = 'deliver' ORDER BY j.gen DESC, j.created_at DESC LIMIT 1))
			ORDER BY d.received_at, d.id LIMIT 1000`)
		return err
	})
	return out, err
}
