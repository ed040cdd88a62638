package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const correctionSelect = `
	SELECT c.id, c.practice_id, c.author_id, c.heard, c.written, c.notes, c.decision, c.decided_by, p.name, c.decided_at, c.undone_at
	FROM corrections c JOIN people p ON p.id = c.decided_by`

func scanCorrection(row pgx.CollectableRow) (c pipeline.Correction, err error) {
	err = row.Scan(&c.ID, &c.PracticeID, &c.AuthorID, &c.Heard, &c.Written, &c.Notes, &c.Decision, &c.DecidedBy, &c.DecidedByName, &c.DecidedAt, &c.UndoneAt)
	c.DecidedAt = c.DecidedAt.UTC()
	return c, err
}

// InsertCorrection implements pipeline.CorrectionTx.
func (t *tx) InsertCorrection(ctx context.Context, c pipeline.Correction) error {
	id, err := newID(c.ID)
	if err != nil {
		return err
	}
	return t.one(ctx, "insert correction", fault.New(fault.Conflict, "correction_decided", "Somebody has decided about these words already. Read the list again."), `
		INSERT INTO corrections (id, practice_id, author_id, heard, written, notes, decision, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT DO NOTHING`, id, t.own(c.PracticeID), c.AuthorID, c.Heard, c.Written, c.Notes, string(c.Decision), c.DecidedBy)
}

// Correction implements pipeline.CorrectionTx.
func (t *tx) Correction(ctx context.Context, id uuid.UUID) (pipeline.Correction, error) {
	return get(ctx, t, "read correction", scanCorrection, correctionSelect+` WHERE c.id = $1`, id)
}

// UndoCorrection implements pipeline.CorrectionTx.
func (t *tx) UndoCorrection(ctx context.Context, id, by uuid.UUID) error {
	return t.one(ctx, "undo correction", notFound(),
		`UPDATE corrections SET undone_at = now(), undone_by = $2 WHERE id = $1 AND undone_at IS NULL`, id, by)
}

// Corrections implements pipeline.CorrectionTx.
func (t *tx) Corrections(ctx context.Context, author uuid.UUID) ([]pipeline.Correction, error) {
	return list(ctx, t, "list corrections", scanCorrection, correctionSelect+`
		WHERE c.practice_id = $1 AND c.author_id = $2 AND c.undone_at IS NULL ORDER BY c.decided_at DESC, c.id DESC`, t.practice, author)
}

// EditedVersions implements pipeline.CorrectionTx.
func (t *tx) EditedVersions(ctx context.Context, author uuid.UUID, most int) ([]pipeline.Version, error) {
	return list(ctx, t, "list edited versions", scanVersion, `
		WITH chosen AS (
			SELECT n.id,
				(SELECT max(x.number) FROM note_versions x WHERE x.note_id = n.id AND x.kind = 'draft') AS drafted,
				(SELECT max(x.number) FROM note_versions x WHERE x.note_id = n.id AND x.kind = 'edit' AND x.by_id <> $1) AS edited
			FROM notes n JOIN dictations d ON d.id = n.dictation_id
			WHERE d.author_id = $1 AND n.practice_id = $3 AND n.latest > 1
			ORDER BY d.received_at DESC, n.id LIMIT $2)`+versionSelect+`
		JOIN chosen ON chosen.id = v.note_id
		WHERE chosen.edited > chosen.drafted AND v.number IN (chosen.drafted, chosen.edited)
		ORDER BY v.note_id, v.number`, author, most, t.practice)
}
