package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const dictationColumns = `d.id, d.practice_id, d.author_id, d.patient_id, d.encounter_id, d.audio_id, d.parent_id,
	d.work_type, d.priority, d.state, d.reason, d.client_key, d.received_at, d.due_at, d.updated_at`

// dictationFields are the places for dictationColumns.
func dictationFields(d *pipeline.Dictation) []any {
	return []any{
		&d.ID, &d.PracticeID, &d.AuthorID, &d.PatientID, &d.EncounterID, &d.AudioID, &d.ParentID,
		&d.WorkType, &d.Priority, &d.State, &d.Reason, &d.ClientKey, &d.ReceivedAt, &d.DueAt, &d.UpdatedAt,
	}
}

func inUTC(d *pipeline.Dictation) {
	d.ReceivedAt, d.DueAt, d.UpdatedAt = d.ReceivedAt.UTC(), d.DueAt.UTC(), d.UpdatedAt.UTC()
}

func scanDictation(row pgx.CollectableRow) (d pipeline.Dictation, err error) {
	err = row.Scan(dictationFields(&d)...)
	inUTC(&d)
	return d, err
}

func (t *tx) InsertDictation(ctx context.Context, d pipeline.Dictation) error {
	id, err := newID(d.ID)
	if err != nil {
		return err
	}
	if d.State == "" {
		d.State = pipeline.Received
	}
	if d.Priority == "" {
		d.Priority = pipeline.Routine
	}
	_, err = t.Exec(ctx, `
		INSERT INTO dictations (id, practice_id, author_id, patient_id, encounter_id, audio_id, parent_id, work_type,
			priority, state, reason, client_key, received_at, due_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
			coalesce($13::timestamptz, now()), coalesce($14::timestamptz, $13::timestamptz, now()))`,
		id, t.own(d.PracticeID), d.AuthorID, d.PatientID, d.EncounterID, d.AudioID, d.ParentID, d.WorkType,
		d.Priority, d.State, d.Reason, d.ClientKey, orNull(d.ReceivedAt), orNull(d.DueAt))
	return wrap("insert dictation", err)
}

func (t *tx) Dictation(ctx context.Context, id uuid.UUID) (pipeline.Dictation, error) {
	return get(ctx, t, "read dictation", scanDictation, `SELECT `+dictationColumns+` FROM dictations d WHERE d.id = $1`, id)
}

func (t *tx) DictationForUpdate(ctx context.Context, id uuid.UUID) (pipeline.Dictation, error) {
	t.pointBack(ctx, id)
	return get(ctx, t, "lock dictation", scanDictation, `SELECT `+dictationColumns+` FROM dictations d WHERE d.id = $1 FOR UPDATE`, id)
}

func (t *tx) FindByClientKey(ctx context.Context, author uuid.UUID, key string) (*pipeline.Dictation, error) {
	return find(ctx, t, "find dictation by client key", scanDictation,
		`SELECT `+dictationColumns+` FROM dictations d WHERE d.author_id = $1 AND d.client_key = $2 AND d.client_key <> ''`, author, key)
}

func (t *tx) FindBySHA256(ctx context.Context, author uuid.UUID, sha256 string) (*pipeline.Dictation, error) {
	return find(ctx, t, "find dictation by its bytes", scanDictation, `
		SELECT `+dictationColumns+` FROM audio_objects a JOIN dictations d ON d.id = a.dictation_id
		WHERE a.practice_id = $1 AND a.author_id = $2 AND a.sha256 = $3 AND a.rendition = 'original'`, t.practice, author, sha256)
}

func (t *tx) Move(ctx context.Context, id uuid.UUID, from []pipeline.State, to pipeline.State, reason string) error {
	tag, err := t.Exec(ctx, `
		UPDATE dictations SET state = $3, reason = $4, updated_at = now() WHERE id = $1 AND state = ANY ($2::text[])`,
		id, texts(from), to, reason)
	if err != nil {
		return wrap("move dictation", err)
	}
	if tag.RowsAffected() == 1 {
		return nil
	}
	return t.changedOrGone(ctx, id, fault.New(fault.Conflict, "state_changed", "This was changed by someone else in the meantime. Read it again and repeat."))
}

func (t *tx) Moves(ctx context.Context, id uuid.UUID) ([]pipeline.StateChange, error) {
	return list(ctx, t, "list state changes", scanStateChange,
		`SELECT at, from_state, to_state, reason FROM state_changes WHERE dictation_id = $1 ORDER BY ord`, id)
}

func scanStateChange(row pgx.CollectableRow) (c pipeline.StateChange, err error) {
	err = row.Scan(&c.At, &c.From, &c.To, &c.Reason)
	c.At = c.At.UTC()
	return c, err
}

func (t *tx) Bind(ctx context.Context, id uuid.UUID, patient, encounter *uuid.UUID, workType string) error {
	tag, err := t.Exec(ctx, `
		UPDATE dictations SET patient_id = $2, encounter_id = $3, work_type = $4, updated_at = now()
		WHERE id = $1 AND state NOT IN ('signed', 'delivered')`, id, patient, encounter, workType)
	if err != nil {
		return wrap("bind dictation", err)
	}
	if tag.RowsAffected() == 0 {
		return t.changedOrGone(ctx, id, fault.New(fault.Conflict, "already_signed", "This note is already signed. Write an addendum to change it."))
	}
	_, err = t.Exec(ctx, `UPDATE notes SET work_type = $2 WHERE dictation_id = $1`, id, workType)
	return wrap("bind note", err)
}

// changedOrGone tells a guard that did not match from a dictation that is not there.
func (t *tx) changedOrGone(ctx context.Context, id uuid.UUID, changed error) error {
	if _, err := t.Dictation(ctx, id); err != nil {
		return err
	}
	return changed
}

func (t *tx) AddendaOf(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error) {
	return list(ctx, t, "list addenda", pgx.RowTo[uuid.UUID], `SELECT id FROM dictations WHERE parent_id = $1 ORDER BY received_at, id`, id)
}

// Counts implements pipeline.DictationTx. Each state is counted by itself, in an index and no further than the bound, so that
// the answer does not grow slower with the years.
func (t *tx) Counts(ctx context.Context, author *uuid.UUID) (map[pipeline.State]int, error) {
	where, args := `d.practice_id = $1`, []any{t.practice}
	if author != nil {
		where, args = where+` AND d.author_id = $2`, append(args, *author)
	}
	var parts []string
	for _, state := range pipeline.States() { // each named, so that each is planned for as many as there are
		parts = append(parts, fmt.Sprintf(`SELECT '%s' AS state, count(*) AS n FROM (SELECT FROM dictations d WHERE %s AND %s LIMIT %d) c`,
			state, where, inState(state), pipeline.CountedTo))
	}
	rows, err := t.Query(ctx, `SELECT state, n FROM (`+strings.Join(parts, ` UNION ALL `)+`) s WHERE n > 0`, args...)
	if err != nil {
		return nil, wrap("count dictations", err)
	}
	out := map[pipeline.State]int{}
	var state pipeline.State
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error { out[state] = n; return nil })
	return out, wrap("count dictations", err)
}

// texts makes a text[] of states.
func texts(states []pipeline.State) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = string(s)
	}
	return out
}
