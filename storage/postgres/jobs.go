package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// How often a job is tried when the caller names no number.
const defaultAttempts = 5

const jobColumns = `id, practice_id, dictation_id, kind, priority, input_sha256, gen, settings, state, attempt, max_attempts,
	run_after, due_at, dispatch_no, lease_token, lease_until, error_code, crashes, created_at, coalesce(trace_parent, '')`

func scanJob(row pgx.CollectableRow) (j pipeline.Job, err error) {
	var token *uuid.UUID
	var until *time.Time
	err = row.Scan(&j.ID, &j.PracticeID, &j.DictationID, &j.Kind, &j.Priority, &j.InputSHA256, &j.Gen, &j.Settings, &j.State,
		&j.Attempt, &j.MaxAttempts, &j.RunAfter, &j.DueAt, &j.DispatchNo, &token, &until, &j.ErrorCode, &j.Crashes, &j.CreatedAt, &j.TraceParent)
	if token != nil && until != nil {
		j.LeaseToken, j.LeaseUntil = *token, until.UTC()
	}
	j.RunAfter, j.DueAt, j.CreatedAt = j.RunAfter.UTC(), j.DueAt.UTC(), j.CreatedAt.UTC()
	return j, err
}

func fenced() error {
	return fault.New(fault.Conflict, "job_fenced", "Another worker has taken over this job.")
}

// AddJob implements pipeline.Tx. What the job does not say comes from its dictation: priority and due time.
func (t *tx) AddJob(ctx context.Context, j pipeline.Job) (uuid.UUID, error) {
	id, err := newID(uuid.Nil)
	if err != nil {
		return uuid.Nil, err
	}
	if j.MaxAttempts == 0 {
		j.MaxAttempts = defaultAttempts
	}
	if len(j.Settings) == 0 {
		j.Settings = []byte(`{}`)
	}
	tag, err := t.Exec(ctx, `
		INSERT INTO jobs (id, practice_id, dictation_id, author_id, kind, priority, input_sha256, gen, settings, state, max_attempts, run_after, due_at)
		SELECT $1, $2, d.id, d.author_id, $4, coalesce(nullif($5, ''), d.priority), $6, $7, $8, 'queued', $9,
		       coalesce($10::timestamptz, now()), coalesce($11::timestamptz, d.due_at)
		FROM dictations d WHERE d.id = $3
		ON CONFLICT (kind, dictation_id, input_sha256, gen) DO NOTHING`,
		id, t.own(j.PracticeID), j.DictationID, j.Kind, j.Priority, j.InputSHA256, j.Gen, j.Settings, j.MaxAttempts,
		orNull(j.RunAfter), orNull(j.DueAt))
	if err != nil {
		return uuid.Nil, wrap("add job", err)
	}
	if tag.RowsAffected() == 1 {
		return id, nil
	}
	return get(ctx, t, "read job", pgx.RowTo[uuid.UUID], `
		SELECT id FROM jobs WHERE kind = $1 AND dictation_id = $2 AND input_sha256 = $3 AND gen = $4`,
		j.Kind, j.DictationID, j.InputSHA256, j.Gen)
}

func (t *tx) FinishJob(ctx context.Context, id, token uuid.UUID) error {
	return t.one(ctx, "finish job", fenced(), `
		UPDATE jobs SET state = 'done', lease_token = NULL, lease_until = NULL, error_code = '', finished_at = now()
		WHERE id = $1 AND state = 'running' AND lease_token = $2`, id, token)
}

func (t *tx) BuryJob(ctx context.Context, id, token uuid.UUID, code string) error {
	if code == "" {
		code = "unknown"
	}
	return t.one(ctx, "bury job", fenced(), `
		UPDATE jobs SET state = 'dead', lease_token = NULL, lease_until = NULL, error_code = $3, finished_at = now()
		WHERE id = $1 AND state = 'running' AND lease_token = $2`, id, token, code)
}

func (t *tx) HoldJob(ctx context.Context, id, token uuid.UUID) error {
	return t.one(ctx, "hold job", fenced(), `
		SELECT FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR SHARE`, id, token)
}

func (t *tx) Jobs(ctx context.Context, dictation uuid.UUID) ([]pipeline.Job, error) {
	return list(ctx, t, "list jobs", scanJob, `SELECT `+jobColumns+` FROM jobs WHERE dictation_id = $1 ORDER BY created_at, id`, dictation)
}

func (t *tx) NextGen(ctx context.Context, dictation uuid.UUID, kind pipeline.JobKind) (int, error) {
	return get(ctx, t, "next generation", pgx.RowTo[int], `
		SELECT coalesce(max(gen) + 1, 0) FROM jobs WHERE dictation_id = $1 AND kind = $2`, dictation, kind)
}
