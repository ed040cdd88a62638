package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

func scanSigned(row pgx.CollectableRow) (n pipeline.SignedNote, err error) {
	err = row.Scan(&n.NoteID, &n.SignerID, &n.Version, &n.SignedAt, &n.AuthorName, &n.WorkType, &n.Model)
	n.SignedAt = n.SignedAt.UTC()
	return n, err
}

// SignedNotes implements pipeline.NoteTx.
func (t *tx) SignedNotes(ctx context.Context, since time.Time) ([]pipeline.SignedNote, error) {
	return list(ctx, t, "list signed notes", scanSigned, `
		SELECT s.note_id, s.signer_id, s.version, s.signed_at, p.name, d.work_type,
		       coalesce((SELECT r.model_name FROM transcripts r WHERE r.dictation_id = d.id ORDER BY r.at DESC, r.id DESC LIMIT 1), '')
		FROM signatures s
		JOIN notes n ON n.id = s.note_id
		JOIN dictations d ON d.id = n.dictation_id
		JOIN people p ON p.id = d.author_id
		WHERE s.practice_id = $1 AND ($2::timestamptz IS NULL OR s.signed_at >= $2)
		ORDER BY s.signed_at, s.id`, t.practice, orNull(since))
}
