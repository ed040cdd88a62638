package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"vesper/internal/audit"
)

// entriesPage is how many entries are read at once; a long log never makes a long statement.
const entriesPage = 1000

// Entries implements pipeline.AuditLog; any login may ask. An entry whose event is gone comes with an empty event, which
// the verifier finds.
func (s *Store) Entries(ctx context.Context, fn func(audit.Entry) error) error {
	for from := int64(0); ; {
		rows, err := s.pool.Query(ctx, `
			SELECT seq, leaf, id, practice_id, at, actor_id, actor_role, action, subject, subject_id, outcome, request_id, detail
			FROM audit_log($1, $2)`, from, entriesPage)
		if err != nil {
			return wrap("read audit entries", err)
		}
		page, err := pgx.CollectRows(rows, scanEntry)
		if err != nil {
			return wrap("read audit entries", err)
		}
		for _, e := range page {
			if err := fn(e); err != nil {
				return err
			}
			from = e.Seq + 1
		}
		if len(page) < entriesPage {
			return nil
		}
	}
}

func scanEntry(row pgx.CollectableRow) (audit.Entry, error) {
	var out audit.Entry
	var leaf []byte
	var id, practice, actor, subject *uuid.UUID
	var at *time.Time
	var role, action, kind, outcome, request *string
	var detail map[string]string
	err := row.Scan(&out.Seq, &leaf, &id, &practice, &at, &actor, &role, &action, &kind, &subject, &outcome, &request, &detail)
	if err != nil {
		return out, err
	}
	out.Leaf = tlog.Hash(leaf)
	if id == nil {
		return out, nil
	}
	if len(detail) == 0 {
		detail = nil
	}
	out.Event = audit.Event{
		ID: *id, PracticeID: *practice, At: at.UTC(), ActorID: *actor, ActorRole: *role, Action: *action,
		Subject: *kind, SubjectID: *subject, Outcome: *outcome, RequestID: *request, Detail: detail,
	}
	return out, nil
}

// Checkpoints implements pipeline.AuditLog; any login may ask.
func (s *Store) Checkpoints(ctx context.Context) ([][]byte, error) {
	rows, err := s.pool.Query(ctx, `SELECT audit_checkpoint_notes()`)
	if err != nil {
		return nil, wrap("read checkpoints", err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	return out, wrap("read checkpoints", err)
}

// Unsequenced implements pipeline.AuditLog; any login may ask.
func (s *Store) Unsequenced(ctx context.Context) (int, error) {
	var n int
	err := s.pool.QueryRow(ctx, `SELECT audit_unsequenced(now() - interval '1 minute')`).Scan(&n)
	return n, wrap("count waiting events", err)
}
