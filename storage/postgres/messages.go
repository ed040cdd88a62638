package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// Alone implements pipeline.MessageQueue. The lock belongs to a connection of its own: if the process or the network dies,
// PostgreSQL lets it go.
func (s *Store) Alone(ctx context.Context, name string, fn func(context.Context) error) (bool, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, wrap("run alone", err)
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('alone ' || $1, 0))`, name).Scan(&mine); err != nil {
		return false, wrap("run alone", err)
	}
	if !mine {
		return false, nil
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended('alone ' || $1, 0))`, name); err != nil {
			_ = conn.Conn().Close(ctx) // with the connection the lock goes
		}
	}()
	return true, fn(ctx)
}

// ClaimMessages implements pipeline.MessageQueue.
func (s *Store) ClaimMessages(ctx context.Context, channel pipeline.Channel, limit int) (out []pipeline.Message, err error) {
	token, err := uuid.NewRandom()
	if err != nil {
		return nil, err
	}
	err = s.across(ctx, "claim messages", func(t pgx.Tx) error {
		out, err = list(ctx, t, "claim messages", scanMessage, `
			WITH due AS (
				SELECT id FROM messages
				WHERE channel = $1 AND (state = 'waiting' AND run_after <= now() OR state = 'sending' AND lease_until < now())
				ORDER BY run_after, id LIMIT $2 FOR UPDATE SKIP LOCKED)
			UPDATE messages m SET state = 'sending', attempt = attempt + 1, lease_token = $3, lease_until = now() + make_interval(secs => $4)
			FROM due WHERE m.id = due.id RETURNING `+messageColumns, channel, atMost(limit), token, pipeline.MessageLease.Seconds())
		return err
	})
	return out, err
}

func (s *Store) settleMessage(ctx context.Context, op, sql string, args ...any) error {
	lost := fault.New(fault.Conflict, "message_fenced", "Another worker has taken over this message.")
	return s.across(ctx, op, func(t pgx.Tx) error { return (&tx{Tx: t}).one(ctx, op, lost, sql, args...) })
}

// EndMessage implements pipeline.MessageQueue.
func (s *Store) EndMessage(ctx context.Context, id, token uuid.UUID, code string) error {
	return s.settleMessage(ctx, "end message", `
		UPDATE messages SET state = CASE WHEN $3 = '' THEN 'sent' ELSE 'dead' END, error_code = $3, ended_at = now(), lease_token = NULL, lease_until = NULL
		WHERE id = $1 AND state = 'sending' AND lease_token = $2`, id, token, code)
}

// RetryMessage implements pipeline.MessageQueue.
func (s *Store) RetryMessage(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, refund bool) error {
	return s.settleMessage(ctx, "put message back", `
		UPDATE messages SET state = 'waiting', run_after = now() + make_interval(secs => $3), error_code = $4, lease_token = NULL, lease_until = NULL,
		       attempt = attempt - CASE WHEN $5 THEN 1 ELSE 0 END
		WHERE id = $1 AND state = 'sending' AND lease_token = $2`, id, token, after.Seconds(), code, refund)
}

// MessageDepth implements pipeline.MessageQueue; any login may ask.
func (s *Store) MessageDepth(ctx context.Context) (map[string]int, error) {
	rows, err := s.pool.Query(ctx, `SELECT state, messages FROM message_depth()`)
	if err != nil {
		return nil, wrap("count messages", err)
	}
	out := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { out[state] = n; return nil })
	return out, wrap("count messages", err)
}
