package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/pipeline"
)

const claimSelect = `
	SELECT c.dictation_id, c.person_id, p.name, c.token, c.until, c.since
	FROM claims c JOIN people p ON p.id = c.person_id
	WHERE c.dictation_id = $1 AND c.ended_at IS NULL`

func scanClaim(row pgx.CollectableRow) (c pipeline.Claim, err error) {
	err = row.Scan(&c.DictationID, &c.PersonID, &c.PersonName, &c.Token, &c.Until, &c.Since)
	c.Until, c.Since = c.Until.UTC(), c.Since.UTC()
	return c, err
}

// AcquireClaim implements pipeline.NoteTx. The unique index on claims that have not ended decides between two people at
// once: the slower INSERT waits for the faster one, does nothing, and the next look finds who has it.
func (t *tx) AcquireClaim(ctx context.Context, dictation, person uuid.UUID, until time.Time) (pipeline.Claim, error) {
	for {
		held, err := find(ctx, t, "read claim", scanClaim, claimSelect+` FOR UPDATE OF c`, dictation)
		if err != nil {
			return pipeline.Claim{}, err
		}
		if held != nil {
			if done, err := t.meetHolder(ctx, *held, person, until); done || err != nil {
				return t.claimed(ctx, dictation, err)
			}
		}
		taken, err := t.insertClaim(ctx, dictation, person, until)
		if taken || err != nil {
			return t.claimed(ctx, dictation, err)
		}
	}
}

// meetHolder renews the person's own claim, ends an expired one of somebody else, and refuses a live one.
func (t *tx) meetHolder(ctx context.Context, held pipeline.Claim, person uuid.UUID, until time.Time) (done bool, err error) {
	if held.PersonID == person {
		_, err := t.Exec(ctx, `UPDATE claims SET until = $2 WHERE dictation_id = $1 AND ended_at IS NULL`, held.DictationID, until)
		return true, wrap("renew claim", err)
	}
	tag, err := t.Exec(ctx, `
		UPDATE claims SET ended_at = now(), end_reason = 'expired' WHERE dictation_id = $1 AND ended_at IS NULL AND until <= now()`, held.DictationID)
	if err != nil {
		return false, wrap("take over claim", err)
	}
	if tag.RowsAffected() == 0 {
		return false, fault.New(fault.Conflict, "claimed", held.PersonName+" is working on this note. Choose another one, or ask for it.")
	}
	return false, nil
}

func (t *tx) insertClaim(ctx context.Context, dictation, person uuid.UUID, until time.Time) (bool, error) {
	id, err := newID(uuid.Nil)
	if err != nil {
		return false, err
	}
	token, err := uuid.NewRandom()
	if err != nil {
		return false, err
	}
	tag, err := t.Exec(ctx, `
		INSERT INTO claims (id, practice_id, dictation_id, person_id, token, since, until) VALUES ($1, $2, $3, $4, $5, now(), $6)
		ON CONFLICT (dictation_id) WHERE ended_at IS NULL DO NOTHING`, id, t.practice, dictation, person, token, until)
	return tag.RowsAffected() == 1, wrap("insert claim", err)
}

func (t *tx) claimed(ctx context.Context, dictation uuid.UUID, err error) (pipeline.Claim, error) {
	if err != nil {
		return pipeline.Claim{}, err
	}
	return get(ctx, t, "read claim", scanClaim, claimSelect, dictation)
}

func (t *tx) ReleaseClaim(ctx context.Context, dictation uuid.UUID, why string) error {
	if why == "" {
		why = "released"
	}
	_, err := t.Exec(ctx, `UPDATE claims SET ended_at = now(), end_reason = $2 WHERE dictation_id = $1 AND ended_at IS NULL`, dictation, why)
	return wrap("release claim", err)
}

func (t *tx) ClaimOf(ctx context.Context, dictation uuid.UUID) (*pipeline.Claim, error) {
	return find(ctx, t, "read claim", scanClaim, claimSelect+` AND c.until > now()`, dictation)
}

// ExpiredClaims implements pipeline.NoteTx. A dictation in review that nobody holds at all is one of them: it would wait
// for nobody.
func (t *tx) ExpiredClaims(ctx context.Context) ([]uuid.UUID, error) {
	return list(ctx, t, "find expired claims", pgx.RowTo[uuid.UUID], `
		SELECT d.id FROM dictations d
		WHERE d.practice_id = $1 AND d.state = 'in_review'
		  AND NOT EXISTS (SELECT FROM claims c WHERE c.dictation_id = d.id AND c.ended_at IS NULL AND c.until > now())
		ORDER BY d.id`, t.practice)
}
