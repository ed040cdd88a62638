package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const blockSelect = `SELECT id, practice_id, author_id, name, also, text, added_at, removed_at FROM text_blocks`

func scanBlock(row pgx.CollectableRow) (b pipeline.TextBlock, err error) {
	err = row.Scan(&b.ID, &b.PracticeID, &b.AuthorID, &b.Name, &b.Also, &b.Text, &b.AddedAt, &b.RemovedAt)
	b.AddedAt = b.AddedAt.UTC()
	return b, err
}

// InsertTextBlock implements pipeline.TextBlockTx.
func (t *tx) InsertTextBlock(ctx context.Context, b pipeline.TextBlock) error {
	id, err := newID(b.ID)
	if err != nil {
		return err
	}
	also := b.Also
	if also == nil {
		also = []string{}
	}
	return t.one(ctx, "insert text block", fault.New(fault.Conflict, "block_exists", "You have a text of this name already. Take it out first, or choose another name."), `
		INSERT INTO text_blocks (id, practice_id, author_id, name, also, text) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, id, t.own(b.PracticeID), b.AuthorID, b.Name, also, b.Text)
}

// TextBlock implements pipeline.TextBlockTx.
func (t *tx) TextBlock(ctx context.Context, id uuid.UUID) (pipeline.TextBlock, error) {
	return get(ctx, t, "read text block", scanBlock, blockSelect+` WHERE id = $1`, id)
}

// RemoveTextBlock implements pipeline.TextBlockTx.
func (t *tx) RemoveTextBlock(ctx context.Context, id uuid.UUID) error {
	return t.one(ctx, "remove text block", notFound(), `UPDATE text_blocks SET removed_at = now() WHERE id = $1 AND removed_at IS NULL`, id)
}

// TextBlocks implements pipeline.TextBlockTx.
func (t *tx) TextBlocks(ctx context.Context, author uuid.UUID, at time.Time) ([]pipeline.TextBlock, error) {
	return list(ctx, t, "list text blocks", scanBlock, blockSelect+`
		WHERE practice_id = $1 AND author_id = $2 AND added_at <= coalesce($3::timestamptz, now()) AND (removed_at IS NULL OR removed_at > $3)
		ORDER BY lower(name), id`, t.practice, author, orNull(at))
}
