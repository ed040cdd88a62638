package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

const audioColumns = `id, practice_id, dictation_id, rendition, key, sha256, size, sealed_key, version_id, content_type, filename, seconds`

func scanAudio(row pgx.CollectableRow) (a pipeline.Audio, err error) {
	err = row.Scan(&a.ID, &a.PracticeID, &a.DictationID, &a.Rendition, &a.Key, &a.SHA256, &a.Size, &a.SealedKey,
		&a.VersionID, &a.ContentType, &a.Filename, &a.Seconds)
	return a, err
}

// InsertAudio writes the recording's row beside its dictation, which must be there already. The author comes from it.
func (t *tx) InsertAudio(ctx context.Context, a pipeline.Audio) error {
	id, err := newID(a.ID)
	if err != nil {
		return err
	}
	sealed := a.SealedKey
	if sealed == nil {
		sealed = []byte{}
	}
	return t.one(ctx, "insert audio", notFound(), `
		INSERT INTO audio_objects (id, practice_id, dictation_id, author_id, rendition, key, sha256, size, sealed_key,
			version_id, content_type, filename, seconds)
		SELECT $1, $2, d.id, d.author_id, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM dictations d WHERE d.id = $3`,
		id, t.own(a.PracticeID), a.DictationID, a.Rendition, a.Key, a.SHA256, a.Size, sealed,
		a.VersionID, a.ContentType, a.Filename, a.Seconds)
}

func (t *tx) SetAudioSeconds(ctx context.Context, id uuid.UUID, seconds float64) error {
	return t.one(ctx, "set audio seconds", notFound(), `UPDATE audio_objects SET seconds = $2 WHERE id = $1`, id, seconds)
}

func (t *tx) AudioOf(ctx context.Context, dictation uuid.UUID, rendition string) (pipeline.Audio, error) {
	return get(ctx, t, "read audio", scanAudio, `SELECT `+audioColumns+` FROM audio_objects WHERE dictation_id = $1 AND rendition = $2`, dictation, rendition)
}
