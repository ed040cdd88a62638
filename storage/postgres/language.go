package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// SetLanguage implements pipeline.LanguageTx.
func (t *tx) SetLanguage(ctx context.Context, author *uuid.UUID, language string, by uuid.UUID) error {
	id, err := newID(uuid.Nil)
	if err != nil {
		return err
	}
	return t.one(ctx, "set language", nil, `
		INSERT INTO spoken_languages (id, practice_id, author_id, language, set_by) VALUES ($1, $2, $3, $4, $5)`,
		id, t.practice, author, language, by)
}

// Language implements pipeline.LanguageTx.
func (t *tx) Language(ctx context.Context, author *uuid.UUID) (string, error) {
	return get(ctx, t, "read language", pgx.RowTo[string], `
		SELECT coalesce((SELECT language FROM spoken_languages WHERE practice_id = $1 AND author_id IS NOT DISTINCT FROM $2
			ORDER BY id DESC LIMIT 1), '')`, t.practice, author)
}
