package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// ReportWorker implements pipeline.Workforce. A process that comes new takes the row of one that has been gone for long, so
// that the table stays as small as the house.
func (s *Store) ReportWorker(ctx context.Context, r pipeline.WorkerReport) error {
	return s.across(ctx, "report worker", func(t pgx.Tx) error {
		const values = `name = $2, seen_at = now(), slots = $3, transcriptions = $4, drafts = $5, deliveries = $6`
		args := []any{r.ID, r.Name, r.Slots, r.Transcriptions, r.Drafts, r.Deliveries}
		tag, err := t.Exec(ctx, `UPDATE workers SET `+values+` WHERE id = $1`, args...)
		if err != nil || tag.RowsAffected() == 1 {
			return wrap("report worker", err)
		}
		tag, err = t.Exec(ctx, `
			UPDATE workers SET id = $1, `+values+` WHERE id = (
				SELECT id FROM workers WHERE seen_at < now() - interval '1 hour' ORDER BY seen_at LIMIT 1 FOR UPDATE SKIP LOCKED)`, args...)
		if err != nil || tag.RowsAffected() == 1 {
			return wrap("report new worker", err)
		}
		_, err = t.Exec(ctx, `
			INSERT INTO workers (id, name, slots, transcriptions, drafts, deliveries) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, args...)
		return wrap("report new worker", err)
	})
}

// RetireWorker implements pipeline.Workforce. What it measured stays.
func (s *Store) RetireWorker(ctx context.Context, id uuid.UUID) error {
	return s.across(ctx, "retire worker", func(t pgx.Tx) error {
		_, err := t.Exec(ctx, `
			UPDATE workers SET seen_at = least(seen_at, now() - make_interval(secs => $2)) WHERE id = $1`, id, pipeline.WorkerSilence.Seconds())
		return wrap("retire worker", err)
	})
}

// MeasureRun implements pipeline.Workforce. Older runs fade: one that was 14 runs ago counts half.
func (s *Store) MeasureRun(ctx context.Context, worker uuid.UUID, audio, engine time.Duration) error {
	return s.across(ctx, "measure run", func(t pgx.Tx) error {
		_, err := t.Exec(ctx, `
			UPDATE workers SET runs = runs * 0.95 + 1, audio_seconds = audio_seconds * 0.95 + $2, engine_seconds = engine_seconds * 0.95 + $3
			WHERE id = $1`, worker, audio.Seconds(), engine.Seconds())
		return wrap("measure run", err)
	})
}

// Workload implements pipeline.Workforce; any login may ask.
func (s *Store) Workload(ctx context.Context, author uuid.UUID) (pipeline.Workload, error) {
	var l pipeline.Workload
	var oldest *time.Time
	err := s.pool.QueryRow(ctx, `SELECT * FROM workload($1)`, author).Scan(&l.Stat, &l.Routine, &l.Drafts, &l.Deliveries, &l.Running, &oldest,
		&l.Ahead, &l.Slots, &l.Workers, &l.Runs, &l.AudioSeconds, &l.EngineSeconds)
	if oldest != nil {
		l.Oldest = oldest.UTC()
	}
	return l, wrap("read workload", err)
}
