package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
	"vesper/pipeline/turnaround"
)

// planLock keeps a practice's plan as it is while transactions set due times by it: they share it, the one that changes
// the plan has it alone.
const planLock = `(hashtextextended('turnaround plan ' || $1::text, 0))`

// HoldTurnaroundPlan implements pipeline.ClockTx.
func (t *tx) HoldTurnaroundPlan(ctx context.Context) error {
	_, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock_shared`+planLock, t.practice)
	return wrap("hold turn-around plan", err)
}

// TurnaroundPlan implements pipeline.ClockTx.
func (t *tx) TurnaroundPlan(ctx context.Context) (*pipeline.StoredPlan, error) {
	return find(ctx, t, "read turn-around plan", scanPlan, `
		SELECT r.plan, r.number, p.name, r.set_at FROM turnaround_plans r JOIN people p ON p.id = r.set_by
		WHERE r.practice_id = $1 ORDER BY r.number DESC LIMIT 1`, t.practice)
}

func scanPlan(row pgx.CollectableRow) (p pipeline.StoredPlan, err error) {
	err = row.Scan(&p.Plan, &p.Number, &p.SetBy, &p.SetAt)
	p.SetAt = p.SetAt.UTC()
	return p, err
}

// AddTurnaroundPlan implements pipeline.ClockTx.
func (t *tx) AddTurnaroundPlan(ctx context.Context, p turnaround.Plan, by uuid.UUID) (int, error) {
	if _, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock`+planLock, t.practice); err != nil {
		return 0, wrap("lock turn-around plan", err)
	}
	return get(ctx, t, "add turn-around plan", pgx.RowTo[int], `
		INSERT INTO turnaround_plans (practice_id, number, plan, set_by)
		SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM turnaround_plans WHERE practice_id = $1 RETURNING number`,
		t.practice, p, by)
}

// Ways implements pipeline.ClockTx.
func (t *tx) Ways(ctx context.Context, dictations []uuid.UUID) (map[uuid.UUID][]pipeline.StateChange, error) {
	rows, err := t.Query(ctx, `
		SELECT dictation_id, at, from_state, to_state FROM state_changes
		WHERE dictation_id = ANY ($1) AND from_state <> to_state ORDER BY dictation_id, ord`, dictations)
	if err != nil {
		return nil, wrap("read ways", err)
	}
	out := map[uuid.UUID][]pipeline.StateChange{}
	var id uuid.UUID
	var c pipeline.StateChange
	_, err = pgx.ForEachRow(rows, []any{&id, &c.At, &c.From, &c.To}, func() error {
		c.At = c.At.UTC()
		out[id] = append(out[id], c)
		return nil
	})
	return out, wrap("read ways", err)
}

const clockedSelect = `SELECT ` + dictationColumns + `, d.raised_at, d.due_cap FROM dictations d WHERE d.practice_id = $1 `

func scanClocked(row pgx.CollectableRow) (c pipeline.Clocked, err error) {
	err = row.Scan(append(dictationFields(&c.Dictation), &c.RaisedAt, &c.DueCap)...)
	inUTC(&c.Dictation)
	return c, err
}

// running are the states in which the clock of a dictation can still run.
var running = []string{"received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "failed"}

// Clocked implements pipeline.ClockTx.
func (t *tx) Clocked(ctx context.Context) ([]pipeline.Clocked, error) {
	return list(ctx, t, "list running clocks", scanClocked, clockedSelect+`AND d.state = ANY ($2) ORDER BY d.id`, t.practice, running)
}

// ClockedOne implements pipeline.ClockTx.
func (t *tx) ClockedOne(ctx context.Context, dictation uuid.UUID) (pipeline.Clocked, error) {
	return get(ctx, t, "read clock", scanClocked, clockedSelect+`AND d.id = $2`, t.practice, dictation)
}

// SetDue implements pipeline.ClockTx. Rows are taken in the order of their ids, so that two of these do not lock each other.
func (t *tx) SetDue(ctx context.Context, due map[uuid.UUID]time.Time) error {
	if len(due) == 0 {
		return nil
	}
	ids, times := make([]uuid.UUID, 0, len(due)), make([]time.Time, 0, len(due))
	for id, at := range due {
		ids, times = append(ids, id), append(times, at)
	}
	if _, err := t.Exec(ctx, `SELECT FROM dictations WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, ids); err != nil {
		return wrap("lock due times", err)
	}
	_, err := t.Exec(ctx, `
		UPDATE dictations d SET due_at = n.due FROM unnest($1::uuid[], $2::timestamptz[]) n (id, due) WHERE d.id = n.id`, ids, times)
	if err != nil {
		return wrap("set due times", err)
	}
	_, err = t.Exec(ctx, `
		UPDATE jobs j SET due_at = n.due FROM unnest($1::uuid[], $2::timestamptz[]) n (id, due)
		WHERE j.dictation_id = n.id AND j.state IN ('queued', 'running')`, ids, times)
	return wrap("set due times of jobs", err)
}

// CapDue implements pipeline.ClockTx.
func (t *tx) CapDue(ctx context.Context, dictation uuid.UUID, at time.Time) error {
	return t.one(ctx, "bring due time forward", notFound(), `UPDATE dictations SET due_cap = least(due_cap, $2) WHERE id = $1`, dictation, at)
}

// TurnaroundCases implements pipeline.ClockTx.
func (t *tx) TurnaroundCases(ctx context.Context, from, to time.Time, limit int) ([]pipeline.TurnaroundCase, error) {
	return list(ctx, t, "list cases of turn-around", scanCase, `
		WITH d AS MATERIALIZED (
			SELECT * FROM dictations WHERE practice_id = $1 AND received_at >= $2 AND received_at < $3 ORDER BY received_at DESC, id LIMIT $4)
		SELECT `+dictationColumns+`, s.signed_at
		FROM d LEFT JOIN notes n ON n.dictation_id = d.id LEFT JOIN signatures s ON s.note_id = n.id
		ORDER BY d.received_at DESC, d.id`, t.practice, from, to, atMost(limit))
}

func scanCase(row pgx.CollectableRow) (c pipeline.TurnaroundCase, err error) {
	err = row.Scan(append(dictationFields(&c.Dictation), &c.SignedAt)...)
	inUTC(&c.Dictation)
	return c, err
}
