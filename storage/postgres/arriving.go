package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

const arrivingColumns = `id, practice_id, author_id, patient_id, encounter_id, settings, state, parts, bytes, chunks, heard, dictation_id,
	attempt, coalesce(lease_token, '00000000-0000-0000-0000-000000000000'), worker, active_at`

func scanArriving(row pgx.CollectableRow) (a pipeline.Arriving, err error) {
	err = row.Scan(&a.ID, &a.PracticeID, &a.AuthorID, &a.PatientID, &a.EncounterID, &a.Settings, &a.State, &a.Parts, &a.Bytes, &a.Chunks,
		&a.Heard, &a.DictationID, &a.Attempt, &a.LeaseToken, &a.Worker, &a.ActiveAt)
	a.ActiveAt = a.ActiveAt.UTC()
	return a, err
}

func arrivingClosed() error {
	return fault.New(fault.Conflict, "arriving_closed", "This upload is no longer listened to while it arrives.")
}

func arrivingFenced() error {
	return fault.New(fault.Conflict, "arriving_fenced", "Another worker listens to this upload, or its dictation is being transcribed.")
}

// OpenArriving implements pipeline.ArrivingTx.
func (t *tx) OpenArriving(ctx context.Context, a pipeline.Arriving) (now pipeline.Arriving, made bool, err error) {
	tag, err := t.Exec(ctx, `
		INSERT INTO arriving (id, practice_id, author_id, patient_id, encounter_id, settings) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO NOTHING`, a.ID, t.own(a.PracticeID), a.AuthorID, a.PatientID, a.EncounterID, a.Settings)
	if err != nil {
		return now, false, wrap("open arriving upload", err)
	}
	now, err = get(ctx, t, "read arriving upload", scanArriving, `SELECT `+arrivingColumns+` FROM arriving WHERE id = $1`, a.ID)
	return now, tag.RowsAffected() == 1, err
}

// AddPart implements pipeline.ArrivingTx.
func (t *tx) AddPart(ctx context.Context, p pipeline.ArrivingPart) error {
	return t.one(ctx, "add part", arrivingClosed(), `
		INSERT INTO arriving_parts AS p (upload_id, practice_id, number, byte_offset, size, key, sealed_key, sha256)
		SELECT a.id, a.practice_id, $2, $3, $4, $5, $6, $7 FROM arriving a
		WHERE a.id = $1 AND a.state = 'open' AND a.parts = $2 AND a.bytes = $3 FOR SHARE
		ON CONFLICT (upload_id, number) DO UPDATE
		SET byte_offset = excluded.byte_offset, size = excluded.size, sealed_key = excluded.sealed_key, sha256 = excluded.sha256
		WHERE NOT p.ready`, p.Upload, p.Number, p.Offset, p.Size, p.Key, p.SealedKey, p.SHA256)
}

// PartReady implements pipeline.ArrivingTx. A server whose key is no longer the one written down does not count. Should its
// object stand all the same, the part does not open, and listening ends there.
func (t *tx) PartReady(ctx context.Context, p pipeline.ArrivingPart) error {
	return t.one(ctx, "count part", arrivingClosed(), `
		WITH counted AS (UPDATE arriving SET parts = parts + 1, bytes = bytes + $4, active_at = now()
		                 WHERE id = $1 AND state = 'open' AND parts = $2 RETURNING id)
		UPDATE arriving_parts p SET ready = true FROM counted c
		WHERE p.upload_id = c.id AND p.number = $2 AND p.sealed_key = $3 AND NOT p.ready`, p.Upload, p.Number, p.SealedKey, p.Size)
}

// ArrivingParts implements pipeline.ArrivingTx.
func (t *tx) ArrivingParts(ctx context.Context, upload uuid.UUID, from int) ([]pipeline.ArrivingPart, error) {
	scan := func(row pgx.CollectableRow) (p pipeline.ArrivingPart, err error) {
		err = row.Scan(&p.PracticeID, &p.Upload, &p.Number, &p.Offset, &p.Size, &p.Key, &p.SealedKey, &p.SHA256)
		return p, err
	}
	return list(ctx, t, "list parts", scan, `
		SELECT practice_id, upload_id, number, byte_offset, size, key, sealed_key, sha256 FROM arriving_parts
		WHERE upload_id = $1 AND number >= $2 AND ready ORDER BY number`, upload, from)
}

// ReceiveArriving implements pipeline.ArrivingTx.
func (t *tx) ReceiveArriving(ctx context.Context, upload, author, dictation uuid.UUID) error {
	_, err := t.Exec(ctx, `
		UPDATE arriving SET state = 'received', dictation_id = $3, active_at = now()
		WHERE id = $1 AND author_id = $2 AND state = 'open'`, upload, author, dictation)
	return wrap("note what an upload became", err)
}

// DropArriving implements pipeline.ArrivingTx.
func (t *tx) DropArriving(ctx context.Context, upload, author uuid.UUID, code string) (bool, error) {
	tag, err := t.Exec(ctx, `
		UPDATE arriving SET state = 'dropped', code = $3, closed_at = now(), lease_token = NULL, lease_until = NULL
		WHERE id = $1 AND author_id = $2 AND state = 'open'`, upload, author, code)
	return tag.RowsAffected() == 1, wrap("drop arriving upload", err)
}

// isIdle chooses the uploads that are not closed and that nothing came of for $1 seconds.
const isIdle = `state IN ('open', 'received', 'taken') AND active_at < now() - make_interval(secs => $1)`

// DropIdleArriving implements pipeline.ArrivingTx.
func (t *tx) DropIdleArriving(ctx context.Context, upload uuid.UUID, idle time.Duration) (bool, error) {
	tag, err := t.Exec(ctx, `
		UPDATE arriving SET state = 'dropped', code = 'idle', closed_at = now(), lease_token = NULL, lease_until = NULL
		WHERE `+isIdle+` AND id = $2`, idle.Seconds(), upload)
	return tag.RowsAffected() == 1, wrap("drop idle upload", err)
}

// TakeArriving implements pipeline.ArrivingTx. One that is taken may be taken again: by the run that follows a killed one.
func (t *tx) TakeArriving(ctx context.Context, dictation uuid.UUID) (*pipeline.Arriving, error) {
	return find(ctx, t, "take arriving upload", scanArriving, `
		UPDATE arriving SET state = 'taken', lease_token = NULL, lease_until = NULL, active_at = now()
		WHERE dictation_id = $1 AND state IN ('received', 'taken') RETURNING `+arrivingColumns, dictation)
}

// DoneArriving implements pipeline.ArrivingTx.
func (t *tx) DoneArriving(ctx context.Context, dictation uuid.UUID) error {
	_, err := t.Exec(ctx, `
		UPDATE arriving SET state = 'done', closed_at = now(), lease_token = NULL, lease_until = NULL
		WHERE dictation_id = $1 AND state IN ('received', 'taken')`, dictation)
	return wrap("end arriving upload", err)
}

// heldBy inserts, by a statement that selects from held, what only the holder of the lease may write.
func (t *tx) heldBy(ctx context.Context, op, insert string, args ...any) error {
	held, err := get(ctx, t, op, pgx.RowTo[bool], `
		WITH held AS (SELECT id, practice_id FROM arriving
		              WHERE id = $1 AND lease_token = $2 AND state IN ('open', 'received') FOR SHARE),
		     saved AS (`+insert+`)
		SELECT EXISTS (SELECT FROM held)`, args...)
	if err == nil && !held {
		return arrivingFenced()
	}
	return err
}

// FreezeArrivingTerms implements pipeline.ArrivingTx.
func (t *tx) FreezeArrivingTerms(ctx context.Context, upload, token uuid.UUID, terms []lexicon.Term) error {
	if terms == nil {
		terms = []lexicon.Term{}
	}
	raw, err := json.Marshal(terms)
	if err != nil {
		return fmt.Errorf("encode terms: %w", err)
	}
	return t.heldBy(ctx, "freeze terms of an upload", `
		INSERT INTO arriving_terms (upload_id, practice_id, terms) SELECT id, practice_id, $3 FROM held ON CONFLICT DO NOTHING`,
		upload, token, raw)
}

// ArrivingTerms implements pipeline.ArrivingTx.
func (t *tx) ArrivingTerms(ctx context.Context, upload uuid.UUID) ([]lexicon.Term, bool, error) {
	raw, err := find(ctx, t, "read terms of an upload", pgx.RowTo[json.RawMessage], `SELECT terms FROM arriving_terms WHERE upload_id = $1`, upload)
	if err != nil || raw == nil {
		return nil, false, err
	}
	var terms []lexicon.Term
	if err := json.Unmarshal(*raw, &terms); err != nil {
		return nil, false, fmt.Errorf("decode terms of an upload: %w", err)
	}
	return terms, true, nil
}

// SaveHeard implements pipeline.ArrivingTx.
func (t *tx) SaveHeard(ctx context.Context, upload, token uuid.UUID, number int, heard float64, result json.RawMessage) error {
	err := t.heldBy(ctx, "save heard chunk", `
		INSERT INTO arriving_chunks (upload_id, practice_id, number, result) SELECT id, practice_id, $3, $4 FROM held ON CONFLICT DO NOTHING`,
		upload, token, number, result)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE arriving SET chunks = greatest(chunks, $2), heard = greatest(heard, $3) WHERE id = $1`, upload, number, heard)
	return wrap("count heard chunk", err)
}

// Heard implements pipeline.ArrivingTx.
func (t *tx) Heard(ctx context.Context, upload uuid.UUID) ([]json.RawMessage, error) {
	return list(ctx, t, "read heard chunks", pgx.RowTo[json.RawMessage], `
		SELECT result FROM arriving_chunks WHERE upload_id = $1 ORDER BY number`, upload)
}

// AdoptHeard implements pipeline.ArrivingTx. How many chunks there will be is not known yet; the run that goes on says so.
func (t *tx) AdoptHeard(ctx context.Context, upload, job, token uuid.UUID) (int, error) {
	return get(ctx, t, "adopt heard chunks", pgx.RowTo[int], `
		WITH held AS (SELECT id, practice_id FROM jobs WHERE id = $2 AND state = 'running' AND lease_token = $3 FOR SHARE),
		     adopted AS (INSERT INTO job_chunks (job_id, practice_id, number, total, result)
		                 SELECT held.id, held.practice_id, c.number, max(c.number) OVER (), c.result
		                 FROM arriving_chunks c CROSS JOIN held
		                 WHERE c.upload_id = $1 AND NOT EXISTS (SELECT FROM job_chunks WHERE job_id = $2)
		                 ON CONFLICT DO NOTHING RETURNING 1)
		SELECT count(*)::int FROM adopted`, upload, job, token)
}

// StrikeArriving implements pipeline.ArrivingTx.
func (t *tx) StrikeArriving(ctx context.Context, upload uuid.UUID) error {
	for _, table := range []string{"arriving_parts", "arriving_chunks", "arriving_terms"} {
		_, err := t.Exec(ctx, `DELETE FROM `+table+` p USING arriving a
			WHERE p.upload_id = $1 AND a.id = p.upload_id AND a.closed_at IS NOT NULL`, upload)
		if err != nil {
			return wrap("strike arriving upload", err)
		}
	}
	return nil
}

var _ pipeline.ArrivingQueue = (*Store)(nil)

// ClaimArriving implements pipeline.ArrivingQueue: the one that began first.
func (s *Store) ClaimArriving(ctx context.Context, worker string) (out *pipeline.Arriving, err error) {
	token, err := uuid.NewRandom() // a secret of the run, not an ordered key
	if err != nil {
		return nil, err
	}
	err = s.across(ctx, "claim arriving upload", func(t pgx.Tx) error {
		out, err = find(ctx, t, "claim arriving upload", scanArriving, `
			UPDATE arriving SET lease_token = $1, lease_until = now() + make_interval(secs => $2), worker = $3, attempt = attempt + 1
			WHERE id = (SELECT id FROM arriving
			            WHERE state = 'open' AND parts > 0 AND run_after <= now() AND attempt < $5
			              AND active_at > now() - make_interval(secs => $4)
			              AND (lease_until IS NULL OR lease_until < now())
			            ORDER BY began_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
			RETURNING `+arrivingColumns, token, pipeline.Lease.Seconds(), worker, pipeline.ArrivingIdle.Seconds(), pipeline.ArrivingTries)
		return err
	})
	return out, err
}

// BeatArriving implements pipeline.ArrivingQueue.
func (s *Store) BeatArriving(ctx context.Context, id, token uuid.UUID) error {
	return s.across(ctx, "extend listener's lease", func(t pgx.Tx) error {
		return (&tx{Tx: t}).one(ctx, "extend listener's lease", arrivingFenced(), `
			UPDATE arriving SET lease_until = now() + make_interval(secs => $3) WHERE id = $1 AND lease_token = $2`,
			id, token, pipeline.Lease.Seconds())
	})
}

// ReleaseArriving implements pipeline.ArrivingQueue.
func (s *Store) ReleaseArriving(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, drop bool) error {
	return s.across(ctx, "release arriving upload", func(t pgx.Tx) error {
		_, err := t.Exec(ctx, `
			UPDATE arriving SET lease_token = NULL, lease_until = NULL, code = $4, run_after = now() + make_interval(secs => $3),
			       state = CASE WHEN $5 THEN 'dropped' ELSE state END, closed_at = CASE WHEN $5 THEN now() END
			WHERE id = $1 AND lease_token = $2`, id, token, after.Seconds(), code, drop)
		return wrap("release arriving upload", err)
	})
}

// TranscriptionsWait implements pipeline.ArrivingQueue.
func (s *Store) TranscriptionsWait(ctx context.Context) (wait bool, err error) {
	err = s.across(ctx, "look for waiting transcriptions", func(t pgx.Tx) error {
		wait, err = get(ctx, t, "look for waiting transcriptions", pgx.RowTo[bool], `
			SELECT EXISTS (SELECT FROM jobs WHERE state = 'queued' AND kind = 'transcribe' AND run_after <= now())`)
		return err
	})
	return wait, err
}

// IdleArriving implements pipeline.ArrivingQueue.
func (s *Store) IdleArriving(ctx context.Context, idle time.Duration) (out []pipeline.Arriving, err error) {
	err = s.across(ctx, "look for idle uploads", func(t pgx.Tx) error {
		out, err = list(ctx, t, "look for idle uploads", scanArriving, `
			SELECT `+arrivingColumns+` FROM arriving WHERE `+isIdle+` ORDER BY active_at LIMIT 1000`, idle.Seconds())
		return err
	})
	return out, err
}

// ClosedArriving implements pipeline.ArrivingQueue.
func (s *Store) ClosedArriving(ctx context.Context, late time.Duration) (out []pipeline.Arriving, err error) {
	err = s.across(ctx, "list closed uploads", func(t pgx.Tx) error {
		out, err = list(ctx, t, "list closed uploads", scanArriving, `
			SELECT `+arrivingColumns+` FROM arriving
			WHERE closed_at IS NOT NULL AND (purged_at IS NULL OR purged_at < now() - make_interval(secs => $1))
			ORDER BY closed_at LIMIT 100`, late.Seconds())
		return err
	})
	return out, err
}

// PurgedArriving implements pipeline.ArrivingQueue.
func (s *Store) PurgedArriving(ctx context.Context, id uuid.UUID) error {
	return s.across(ctx, "note purge", func(t pgx.Tx) error {
		tag, err := t.Exec(ctx, `DELETE FROM arriving WHERE id = $1 AND purged_at IS NOT NULL`, id)
		if err != nil || tag.RowsAffected() > 0 {
			return wrap("forget arriving upload", err)
		}
		_, err = t.Exec(ctx, `UPDATE arriving SET purged_at = now() WHERE id = $1 AND closed_at IS NOT NULL`, id)
		return wrap("note purge", err)
	})
}
