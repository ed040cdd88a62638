package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// Pulse counts how things stand, over all practices; any login may ask. It reads nothing but what is under way.
func (s *Store) Pulse(ctx context.Context) (pipeline.Pulse, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT measure, a, b, value FROM watch_pulse() WHERE measure <> 'turnaround'
		UNION ALL SELECT 'turnaround', priority, used, dictations FROM watch_turnaround()`)
	if err != nil {
		return pipeline.Pulse{}, wrap("count what is under way", err)
	}
	counts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c pipeline.Count, err error) {
		err = row.Scan(&c.Measure, &c.A, &c.B, &c.Value)
		return c, err
	})
	if err != nil {
		return pipeline.Pulse{}, wrap("count what is under way", err)
	}
	p := pipeline.Pulse{At: time.Now(), Counts: counts}
	for _, more := range []func(context.Context, *pipeline.Pulse) error{s.pulseOfWorkers, s.pulseOfKeeping, s.pulseOfMessages} {
		if err := more(ctx, &p); err != nil {
			return pipeline.Pulse{}, err
		}
	}
	return p, nil
}

func (s *Store) pulseOfWorkers(ctx context.Context, p *pipeline.Pulse) error {
	load, err := s.Workload(ctx, uuid.Nil)
	if err != nil {
		return err
	}
	p.Add(pipeline.PulseWorkers, "", float64(load.Workers))
	p.Add(pipeline.PulseSlots, "", float64(load.Slots))
	if speed := load.Speed(); speed > 0 {
		p.Add(pipeline.PulseSpeed, "", speed)
	}
	if wait, known := load.Wait(load.Ahead); known {
		p.Add(pipeline.PulseWait, "", wait.Seconds())
	}
	return nil
}

func (s *Store) pulseOfKeeping(ctx context.Context, p *pipeline.Pulse) error {
	kept, err := s.KeepingCounts(ctx)
	if err != nil {
		return err
	}
	for of, n := range kept {
		switch of[0] {
		case "open":
			p.Add(pipeline.PulseFindings, of[1], float64(n))
		case "purge":
			p.Add(pipeline.PulsePurges, of[1], float64(n))
		}
	}
	return nil
}

func (s *Store) pulseOfMessages(ctx context.Context, p *pipeline.Pulse) error {
	depth, err := s.MessageDepth(ctx)
	if err != nil {
		return err
	}
	for state, n := range depth {
		p.Add(pipeline.PulseMessages, state, float64(n))
	}
	return nil
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
