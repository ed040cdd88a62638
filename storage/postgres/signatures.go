package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

const signatureColumns = `id, practice_id, note_id, version, signer_id, signer_name, credential, meaning, method, signed_at,
	canonical, canonical_sha256, text, text_sha256`

func scanSignature(row pgx.CollectableRow) (s pipeline.Signature, err error) {
	err = row.Scan(&s.ID, &s.PracticeID, &s.NoteID, &s.Version, &s.SignerID, &s.SignerName, &s.Credential, &s.Meaning, &s.Method,
		&s.SignedAt, &s.Canonical, &s.CanonicalSHA256, &s.Text, &s.TextSHA256)
	s.SignedAt = s.SignedAt.UTC()
	return s, err
}

// InsertSignature writes the approval. The database checks both hashes against the bytes, that the signer is the author,
// and that the version is the newest; it comes before the dictation's move to signed, which demands it.
func (t *tx) InsertSignature(ctx context.Context, s pipeline.Signature) error {
	id, err := newID(s.ID)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO signatures (`+signatureColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10::timestamptz, now()), $11, $12, $13, $14)`,
		id, t.own(s.PracticeID), s.NoteID, s.Version, s.SignerID, s.SignerName, s.Credential, s.Meaning, s.Method, orNull(s.SignedAt),
		s.Canonical, s.CanonicalSHA256, s.Text, s.TextSHA256)
	return wrap("insert signature", err)
}

func (t *tx) SignatureOf(ctx context.Context, note uuid.UUID) (pipeline.Signature, error) {
	return get(ctx, t, "read signature", scanSignature, `SELECT `+signatureColumns+` FROM signatures WHERE note_id = $1`, note)
}
