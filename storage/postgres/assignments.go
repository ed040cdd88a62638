package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// assignedNow is the condition under which an assignment g holds: it has not ended, and its time is not over.
const assignedNow = `g.ended_at IS NULL AND g.until > now()`

// Assign implements pipeline.AssignTx.
func (t *tx) Assign(ctx context.Context, a pipeline.Assignment) error {
	if err := t.EndAssignment(ctx, a.DictationID, "replaced"); err != nil {
		return err
	}
	id, err := newID(a.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO assignments (id, practice_id, dictation_id, person_id, escalation_id, until) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, t.practice, a.DictationID, a.PersonID, a.EscalationID, a.Until)
	return wrap("assign", err)
}

// AssignmentOf implements pipeline.AssignTx.
func (t *tx) AssignmentOf(ctx context.Context, dictation uuid.UUID) (*pipeline.Assignment, error) {
	return find(ctx, t, "read assignment", scanAssignment, `
		SELECT g.id, g.dictation_id, g.person_id, p.name, g.escalation_id, g.until
		FROM assignments g JOIN people p ON p.id = g.person_id AND NOT p.disabled
		WHERE g.dictation_id = $1 AND `+assignedNow, dictation)
}

func scanAssignment(row pgx.CollectableRow) (a pipeline.Assignment, err error) {
	err = row.Scan(&a.ID, &a.DictationID, &a.PersonID, &a.PersonName, &a.EscalationID, &a.Until)
	a.Until = a.Until.UTC()
	return a, err
}

// EndAssignment implements pipeline.AssignTx.
func (t *tx) EndAssignment(ctx context.Context, dictation uuid.UUID, why string) error {
	_, err := t.Exec(ctx, `UPDATE assignments SET ended_at = now(), end_reason = $2 WHERE dictation_id = $1 AND ended_at IS NULL`, dictation, why)
	return wrap("end assignment", err)
}

// EditorLoads implements pipeline.AssignTx. What ended is not looked at, so it is quick however long the history is.
func (t *tx) EditorLoads(ctx context.Context) ([]pipeline.EditorLoad, error) {
	return list(ctx, t, "count the editors' notes", pgx.RowToStructByPos[pipeline.EditorLoad], `
		WITH held AS (
			SELECT person_id FROM claims WHERE practice_id = $1 AND ended_at IS NULL AND until > now()
			UNION ALL
			SELECT g.person_id FROM assignments g JOIN dictations d ON d.id = g.dictation_id AND d.state = 'drafted'
			WHERE g.practice_id = $1 AND `+assignedNow+`)
		SELECT p.id, p.login, (SELECT count(*) FROM held WHERE held.person_id = p.id)::int AS load
		FROM people p WHERE p.practice_id = $1 AND p.role = 'editor' AND NOT p.disabled
		ORDER BY load, lower(p.login), p.id`, t.practice)
}
