package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

const termSelect = `
	SELECT v.id, v.practice_id, v.author_id, v.text, v.says, v.kind, v.added_by, coalesce(p.name, ''), v.added_at, v.removed_at
	FROM vocabulary_terms v LEFT JOIN people p ON p.id = v.added_by`

func scanTerm(row pgx.CollectableRow) (v pipeline.VocabularyTerm, err error) {
	err = row.Scan(&v.ID, &v.PracticeID, &v.AuthorID, &v.Text, &v.Says, &v.Kind, &v.AddedBy, &v.AddedByName, &v.AddedAt, &v.RemovedAt)
	v.AddedAt = v.AddedAt.UTC()
	return v, err
}

// InsertTerm implements pipeline.VocabularyTx.
func (t *tx) InsertTerm(ctx context.Context, v pipeline.VocabularyTerm) error {
	id, err := newID(v.ID)
	if err != nil {
		return err
	}
	says := v.Says
	if says == nil {
		says = []string{}
	}
	return t.one(ctx, "insert term", fault.New(fault.Conflict, "term_exists", "This word is in the list already."), `
		INSERT INTO vocabulary_terms (id, practice_id, author_id, text, says, kind, added_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, id, t.own(v.PracticeID), v.AuthorID, v.Text, says, string(v.Kind), v.AddedBy)
}

// Term implements pipeline.VocabularyTx.
func (t *tx) Term(ctx context.Context, id uuid.UUID) (pipeline.VocabularyTerm, error) {
	return get(ctx, t, "read term", scanTerm, termSelect+` WHERE v.id = $1`, id)
}

// RemoveTerm implements pipeline.VocabularyTx.
func (t *tx) RemoveTerm(ctx context.Context, id uuid.UUID, by *uuid.UUID) error {
	return t.one(ctx, "remove term", notFound(),
		`UPDATE vocabulary_terms SET removed_at = now(), removed_by = $2 WHERE id = $1 AND removed_at IS NULL`, id, by)
}

// VocabularyTerms implements pipeline.VocabularyTx.
func (t *tx) VocabularyTerms(ctx context.Context, author *uuid.UUID) ([]pipeline.VocabularyTerm, error) {
	return list(ctx, t, "list terms", scanTerm, termSelect+`
		WHERE v.practice_id = $1 AND v.author_id IS NOT DISTINCT FROM $2 AND v.removed_at IS NULL
		ORDER BY v.added_at DESC, v.id DESC`, t.practice, author)
}

// FreezeTerms implements pipeline.VocabularyTx. Terms that are there stay as they are.
func (t *tx) FreezeTerms(ctx context.Context, job, token uuid.UUID, terms []lexicon.Term) error {
	if terms == nil {
		terms = []lexicon.Term{}
	}
	raw, err := json.Marshal(terms)
	if err != nil {
		return fmt.Errorf("encode terms: %w", err)
	}
	held, err := get(ctx, t, "freeze terms", pgx.RowTo[bool], `
		WITH held AS (SELECT id, practice_id, dictation_id FROM jobs WHERE id = $1 AND state = 'running' AND lease_token = $2 FOR SHARE),
		     saved AS (INSERT INTO job_terms (job_id, practice_id, dictation_id, terms)
		               SELECT id, practice_id, dictation_id, $3 FROM held ON CONFLICT (job_id) DO NOTHING)
		SELECT EXISTS (SELECT FROM held)`, job, token, raw)
	if err == nil && !held {
		return fenced()
	}
	return err
}

// FrozenTerms implements pipeline.VocabularyTx.
func (t *tx) FrozenTerms(ctx context.Context, job uuid.UUID) ([]lexicon.Term, bool, error) {
	raw, err := find(ctx, t, "read frozen terms", pgx.RowTo[json.RawMessage], `SELECT terms FROM job_terms WHERE job_id = $1`, job)
	if err != nil || raw == nil {
		return nil, false, err
	}
	var terms []lexicon.Term
	if err := json.Unmarshal(*raw, &terms); err != nil {
		return nil, false, fmt.Errorf("decode frozen terms: %w", err)
	}
	return terms, true, nil
}
