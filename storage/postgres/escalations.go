package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
	"vesper/pipeline/escalation"
)

// EscalationRules implements pipeline.NoticeTx.
func (t *tx) EscalationRules(ctx context.Context) (pipeline.StoredRules, error) {
	found, err := find(ctx, t, "read escalation rules", scanRules, `
		SELECT r.source, r.number, p.name, r.set_at FROM escalation_rules r JOIN people p ON p.id = r.set_by
		WHERE r.practice_id = $1 ORDER BY r.number DESC LIMIT 1`, t.practice)
	if err != nil || found == nil {
		return pipeline.StoredRules{}, err
	}
	return *found, nil
}

func scanRules(row pgx.CollectableRow) (r pipeline.StoredRules, err error) {
	err = row.Scan(&r.Source, &r.Number, &r.SetBy, &r.SetAt)
	r.SetAt = r.SetAt.UTC()
	return r, err
}

// AddEscalationRules implements pipeline.NoticeTx. Of two at the same time the key lets one through.
func (t *tx) AddEscalationRules(ctx context.Context, source string, by uuid.UUID) (int, error) {
	return get(ctx, t, "add escalation rules", pgx.RowTo[int], `
		INSERT INTO escalation_rules (practice_id, number, source, set_by)
		SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM escalation_rules WHERE practice_id = $1 RETURNING number`, t.practice, source, by)
}

// workSelect completes the dictations chosen by a WITH d, each part by one look-up. What was rejected long ago waits for nobody.
const workSelect = `
	SELECT ` + dictationColumns + `, d.raised_at, d.due_cap, coalesce(j.state, ''), j.id, y.id, coalesce(y.state = 'rejected', false),
	       c.id, c.person_id, c.last_sign
	FROM d
	LEFT JOIN LATERAL (
		SELECT id, CASE WHEN state = 'dead' AND error_code IN ('` + pipeline.CodeQuarantined + `', '` + pipeline.CodeCancelled + `', '` +
	pipeline.CodeSuperseded + `') THEN error_code ELSE state END AS state
		FROM jobs WHERE dictation_id = d.id ORDER BY created_at DESC, id DESC LIMIT 1) j ON true
	LEFT JOIN LATERAL (
		SELECT l.id, l.state FROM notes n JOIN deliveries l ON l.note_id = n.id
		WHERE n.dictation_id = d.id ORDER BY l.created_at DESC LIMIT 1) y ON d.state = 'signed'
	LEFT JOIN LATERAL (
		SELECT h.id, h.person_id, greatest(h.since, (
			SELECT v.at FROM notes n JOIN note_versions v ON v.note_id = n.id AND v.number = n.latest WHERE n.dictation_id = d.id)) AS last_sign
		FROM claims h WHERE h.dictation_id = d.id AND h.ended_at IS NULL AND h.until > now()) c ON d.state = 'in_review'
	ORDER BY d.id`

// waitingStates are those in which a rule may be about a dictation, whenever it was received.
var waitingStates = []string{"received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "signed", "failed"}

// WaitingWork implements pipeline.NoticeTx. What waits is found by its state before the limit is looked at: walking along the
// ids would pass by all that was ever delivered.
func (t *tx) WaitingWork(ctx context.Context, after uuid.UUID, limit int) ([]pipeline.WaitingWork, error) {
	return list(ctx, t, "list waiting work", scanWork, `
		WITH waiting AS MATERIALIZED (
			SELECT * FROM dictations WHERE practice_id = $1 AND state = ANY ($2) AND id > $3
			UNION ALL
			SELECT * FROM dictations WHERE practice_id = $1 AND state = 'rejected' AND received_at > now() - interval '30 days' AND id > $3),
		d AS MATERIALIZED (SELECT * FROM waiting ORDER BY id LIMIT $4)`+workSelect, t.practice, waitingStates, after, atMost(limit))
}

// WaitingOne implements pipeline.NoticeTx.
func (t *tx) WaitingOne(ctx context.Context, dictation uuid.UUID) (pipeline.WaitingWork, error) {
	return get(ctx, t, "read waiting work", scanWork, `
		WITH d AS MATERIALIZED (SELECT * FROM dictations WHERE practice_id = $1 AND id = $2)`+workSelect, t.practice, dictation)
}

func scanWork(row pgx.CollectableRow) (w pipeline.WaitingWork, err error) {
	err = row.Scan(append(dictationFields(&w.Dictation), &w.RaisedAt, &w.DueCap, &w.Job, &w.JobID, &w.DeliveryID, &w.DeliveryRefused,
		&w.ClaimID, &w.Holder, &w.LastSign)...)
	inUTC(&w.Dictation)
	return w, err
}

// Escalated implements pipeline.NoticeTx.
func (t *tx) Escalated(ctx context.Context, dictations []uuid.UUID) (map[pipeline.RuleOn][]escalation.Done, error) {
	rows, err := t.Query(ctx, `SELECT dictation_id, rule, episode, at FROM escalations WHERE dictation_id = ANY ($1)`, dictations)
	if err != nil {
		return nil, wrap("read what was escalated", err)
	}
	out := map[pipeline.RuleOn][]escalation.Done{}
	var on pipeline.RuleOn
	var done escalation.Done
	_, err = pgx.ForEachRow(rows, []any{&on.DictationID, &on.Rule, &done.Episode, &done.At}, func() error {
		out[on] = append(out[on], done)
		return nil
	})
	return out, wrap("read what was escalated", err)
}

// AddEscalation implements pipeline.NoticeTx.
func (t *tx) AddEscalation(ctx context.Context, e pipeline.Escalation) (bool, error) {
	var at *time.Time
	if !e.At.IsZero() {
		at = &e.At
	}
	tag, err := t.Exec(ctx, `
		INSERT INTO escalations (id, practice_id, dictation_id, rule, episode, rules_number, at)
		VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()))
		ON CONFLICT ON CONSTRAINT escalations_once DO NOTHING`, e.ID, t.practice, e.DictationID, e.Rule, e.Episode, e.RulesNumber, at)
	return tag.RowsAffected() == 1, wrap("add escalation", err)
}

// Escalations implements pipeline.NoticeTx.
func (t *tx) Escalations(ctx context.Context, limit int) ([]pipeline.Escalation, error) {
	return list(ctx, t, "list escalations", scanEscalation, `
		SELECT id, dictation_id, rule, episode, rules_number, at FROM escalations WHERE practice_id = $1 ORDER BY at DESC, id LIMIT $2`,
		t.practice, atMost(limit))
}

func scanEscalation(row pgx.CollectableRow) (e pipeline.Escalation, err error) {
	err = row.Scan(&e.ID, &e.DictationID, &e.Rule, &e.Episode, &e.RulesNumber, &e.At)
	e.At = e.At.UTC()
	return e, err
}
