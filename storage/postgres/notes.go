package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const noteColumns = `id, practice_id, dictation_id, parent_id, work_type, latest`

func scanNote(row pgx.CollectableRow) (n pipeline.Note, err error) {
	err = row.Scan(&n.ID, &n.PracticeID, &n.DictationID, &n.ParentID, &n.WorkType, &n.Latest)
	return n, err
}

func (t *tx) InsertNote(ctx context.Context, n pipeline.Note) error {
	id, err := newID(n.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `INSERT INTO notes (id, practice_id, dictation_id, parent_id, work_type) VALUES ($1, $2, $3, $4, $5)`,
		id, t.own(n.PracticeID), n.DictationID, n.ParentID, n.WorkType)
	return wrap("insert note", err)
}

func (t *tx) NoteOf(ctx context.Context, dictation uuid.UUID) (pipeline.Note, error) {
	return get(ctx, t, "read note", scanNote, `SELECT `+noteColumns+` FROM notes WHERE dictation_id = $1`, dictation)
}

func (t *tx) Note(ctx context.Context, id uuid.UUID) (pipeline.Note, error) {
	return get(ctx, t, "read note", scanNote, `SELECT `+noteColumns+` FROM notes WHERE id = $1`, id)
}

const versionSelect = `
	SELECT v.id, v.note_id, v.number, v.kind, v.document, v.content_hash, v.by_id, coalesce(p.name, ''), v.at
	FROM note_versions v LEFT JOIN people p ON p.id = v.by_id`

func scanVersion(row pgx.CollectableRow) (v pipeline.Version, err error) {
	var doc []byte
	err = row.Scan(&v.ID, &v.NoteID, &v.Number, &v.Kind, &doc, &v.ContentHash, &v.By, &v.ByName, &v.At)
	if err != nil {
		return v, err
	}
	v.At = v.At.UTC()
	if err := json.Unmarshal(doc, &v.Document); err != nil {
		return v, fmt.Errorf("decode version %d of note %s: %w", v.Number, v.NoteID, err)
	}
	return v, nil
}

// InsertVersion raises the note's counter first: that UPDATE is where two writers meet, and the slower one finds that
// its number does not follow any more.
func (t *tx) InsertVersion(ctx context.Context, v pipeline.Version) (pipeline.Version, error) {
	doc, err := json.Marshal(v.Document)
	if err != nil {
		return v, fmt.Errorf("encode version: %w", err)
	}
	if v.ID, err = newID(v.ID); err != nil {
		return v, err
	}
	if err := t.raiseLatest(ctx, v.NoteID, v.Number); err != nil {
		return v, err
	}
	// Read back rather than assumed: at is the database's clock, in its precision.
	var at time.Time
	err = t.QueryRow(ctx, `
		INSERT INTO note_versions (id, practice_id, note_id, number, kind, document, content_hash, by_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::timestamptz, clock_timestamp())) RETURNING at`,
		v.ID, t.practice, v.NoteID, v.Number, v.Kind, doc, v.ContentHash, v.By, orNull(v.At)).Scan(&at)
	v.At = at.UTC()
	return v, wrap("insert version", err)
}

func (t *tx) raiseLatest(ctx context.Context, note uuid.UUID, number int) error {
	tag, err := t.Exec(ctx, `UPDATE notes SET latest = latest + 1 WHERE id = $1 AND latest = $2 - 1`, note, number)
	if err != nil || tag.RowsAffected() == 1 {
		return wrap("raise version", err)
	}
	if _, err := t.Note(ctx, note); err != nil {
		return err
	}
	return versionConflict()
}

func (t *tx) Version(ctx context.Context, note uuid.UUID, number int) (pipeline.Version, error) {
	return get(ctx, t, "read version", scanVersion, versionSelect+` WHERE v.note_id = $1 AND v.number = $2`, note, number)
}

func (t *tx) Versions(ctx context.Context, note uuid.UUID) ([]pipeline.Version, error) {
	return list(ctx, t, "list versions", scanVersion, versionSelect+` WHERE v.note_id = $1 ORDER BY v.number`, note)
}

func versionConflict() error {
	return fault.New(fault.Conflict, "version_conflict", "Someone saved this note in the meantime. Read it again and repeat your change.")
}
