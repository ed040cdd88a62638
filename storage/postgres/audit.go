package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/audit"
)

const eventColumns = `e.id, e.practice_id, e.at, e.actor_id, e.actor_role, e.action, e.subject, e.subject_id, e.outcome, e.request_id, e.detail`

func scanEvent(row pgx.CollectableRow) (e audit.Event, err error) {
	err = row.Scan(&e.ID, &e.PracticeID, &e.At, &e.ActorID, &e.ActorRole, &e.Action, &e.Subject, &e.SubjectID, &e.Outcome, &e.RequestID, &e.Detail)
	e.At = e.At.UTC()
	if len(e.Detail) == 0 {
		e.Detail = nil
	}
	return e, err
}

// Audit implements pipeline.Tx. The database's clock dates the event, so that events of several machines have one order.
func (t *tx) Audit(ctx context.Context, e audit.Event) error {
	id, err := newID(e.ID)
	if err != nil {
		return err
	}
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	_, err = t.Exec(ctx, `
		INSERT INTO audit_events (id, practice_id, at, actor_id, actor_role, action, subject, subject_id, outcome, request_id, detail)
		VALUES ($1, $2, coalesce($3::timestamptz, clock_timestamp()), $4, $5, $6, $7, $8, $9, $10, $11)`,
		id, t.own(e.PracticeID), orNull(e.At.Truncate(time.Microsecond)), e.ActorID, e.ActorRole, e.Action, e.Subject, e.SubjectID, e.Outcome,
		e.RequestID, e.Detail)
	return wrap("write audit event", err)
}

func (t *tx) Events(ctx context.Context, subject uuid.UUID) ([]audit.Event, error) {
	return list(ctx, t, "list audit events", scanEvent,
		`SELECT `+eventColumns+` FROM audit_events e WHERE e.subject_id = $1 ORDER BY e.at, e.id`, subject)
}

func (t *tx) PracticeEvents(ctx context.Context, before time.Time, limit int) ([]audit.Event, error) {
	return list(ctx, t, "list audit events", scanEvent, `
		SELECT `+eventColumns+` FROM audit_events e
		WHERE e.practice_id = $1 AND ($2::timestamptz IS NULL OR e.at < $2) ORDER BY e.at DESC, e.id DESC LIMIT $3`,
		t.practice, orNull(before), atMost(limit))
}
