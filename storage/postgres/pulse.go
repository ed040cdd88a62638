package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// Pulse counts how things stand, over all practices; any login may ask. It reads nothing but what is under way.
func (s *Store) Pulse(ctx context.Context) (pipeline.Pulse, error) {
	rows, err := s.pool.Query(ctx, `SELECT measure, a, b, value FROM watch_pulse()`)
	if err != nil {
		return pipeline.Pulse{}, wrap("count what is under way", err)
	}
	counts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c pipeline.Count, err error) {
		err = row.Scan(&c.Measure, &c.A, &c.B, &c.Value)
		return c, err
	})
	return pipeline.Pulse{At: time.Now(), Counts: counts}, wrap("count what is under way", err)
}

// Running lists what is worked on now, the longest silent first; any login may ask.
func (s *Store) Running(ctx context.Context, limit int) ([]pipeline.RunningJob, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, kind, priority, attempt, worker, lease_left FROM watch_running($1)`, atMost(limit))
	if err != nil {
		return nil, wrap("list running jobs", err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (j pipeline.RunningJob, err error) {
		var left float64
		err = row.Scan(&j.ID, &j.Kind, &j.Priority, &j.Attempt, &j.Worker, &left)
		j.LeaseLeft = time.Duration(left * float64(time.Second))
		return j, err
	})
	return out, wrap("list running jobs", err)
}
