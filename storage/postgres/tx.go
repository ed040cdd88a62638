package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/internal/trail"
	"vesper/pipeline"
)

var _ pipeline.Tx = (*tx)(nil)

// How often a transaction runs again after a serialisation failure or a deadlock, and the first pause before it.
const (
	txAttempts = 5
	txPause    = 10 * time.Millisecond
)

// tx is one transaction bound to one practice.
type tx struct {
	pgx.Tx
	practice uuid.UUID
}

// InTx implements pipeline.Store.
func (s *Store) InTx(ctx context.Context, practice uuid.UUID, fn func(context.Context, pipeline.Tx) error) error {
	if practice == uuid.Nil {
		return fault.New(fault.NotFound, "not_found", "There is no such practice.")
	}
	return s.repeat(ctx, func() error {
		return s.begin(ctx, func(t pgx.Tx) error {
			// Transaction-local: it ends with the transaction, so the pool never carries a practice over.
			if _, err := t.Exec(ctx, `SELECT set_config('vesper.practice_id', $1, true), set_config('vesper.trace_parent', $2, true)`,
				practice.String(), trail.Parent(ctx)); err != nil {
				return wrap("set practice", err)
			}
			return fn(ctx, &tx{Tx: t, practice: practice})
		})
	})
}

// across runs fn in a transaction without a practice: the workers' side.
func (s *Store) across(ctx context.Context, op string, fn func(pgx.Tx) error) error {
	if err := s.requireWorker(op); err != nil {
		return err
	}
	return s.repeat(ctx, func() error { return s.begin(ctx, fn) })
}

func (s *Store) begin(ctx context.Context, fn func(pgx.Tx) error) error {
	t, err := s.pool.Begin(ctx)
	if err != nil {
		return wrap("begin transaction", err)
	}
	// After a commit this does nothing; after an error or a panic it undoes everything.
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }()
	if err := fn(t); err != nil {
		return err
	}
	return wrap("commit transaction", t.Commit(ctx))
}

// repeat runs a transaction again when PostgreSQL asks for it, after a short random pause.
func (s *Store) repeat(ctx context.Context, once func() error) error {
	pause := txPause
	for attempt := 1; ; attempt++ {
		err := once()
		if !retryable(err) || attempt == txAttempts {
			return err
		}
		s.log.WarnContext(ctx, "transaction runs again", "attempt", attempt, "error", err)
		select {
		case <-ctx.Done():
			return wrap("wait for the transaction's next attempt", ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause *= 2
	}
}

// own is the practice a row is written for: the one given, which row-level security then checks, or the transaction's.
func (t *tx) own(given uuid.UUID) uuid.UUID {
	if given == uuid.Nil {
		return t.practice
	}
	return given
}

// newID returns the id given, or a fresh UUIDv7.
func newID(given uuid.UUID) (uuid.UUID, error) {
	if given != uuid.Nil {
		return given, nil
	}
	return uuid.NewV7()
}

// orNull makes NULL of a zero time, for columns with a default.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// one runs a statement that must touch exactly one row; otherwise it answers with the fault given.
func (t *tx) one(ctx context.Context, op string, none error, sql string, args ...any) error {
	tag, err := t.Exec(ctx, sql, args...)
	if err != nil {
		return wrap(op, err)
	}
	if tag.RowsAffected() == 0 {
		return none
	}
	return nil
}

// get reads exactly one row, or NotFound.
func get[T any](ctx context.Context, t pgx.Tx, op string, to pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		var zero T
		return zero, wrap(op, err)
	}
	out, err := pgx.CollectExactlyOneRow(rows, to)
	return out, wrap(op, err)
}

// find reads one row or nil.
func find[T any](ctx context.Context, t pgx.Tx, op string, to pgx.RowToFunc[T], sql string, args ...any) (*T, error) {
	out, err := get(ctx, t, op, to, sql, args...)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// list reads all rows.
func list[T any](ctx context.Context, t pgx.Tx, op string, to pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return nil, wrap(op, err)
	}
	out, err := pgx.CollectRows(rows, to)
	return out, wrap(op, err)
}

func notFound() error {
	return fault.New(fault.NotFound, "not_found", "There is no such item in your practice.")
}
