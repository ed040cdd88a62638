package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/pipeline/keeping"
)

const ruleSelect = `
	SELECT r.id, r.practice_id, r.work_type, r.version, r.original_days, r.playback_days, r.rejected_days, r.reason, r.set_by, w.name, r.set_at
	FROM retention_rules r JOIN people w ON w.id = r.set_by`

func ruleFields(r *keeping.Rule) []any {
	return []any{&r.ID, &r.PracticeID, &r.WorkType, &r.Version, &r.OriginalDays, &r.PlaybackDays, &r.RejectedDays, &r.Reason, &r.SetBy, &r.SetByName, &r.SetAt}
}

func scanRule(row pgx.CollectableRow) (r keeping.Rule, err error) {
	err = row.Scan(ruleFields(&r)...)
	return r, err
}

const standingRules = ruleSelect + `
	WHERE r.practice_id = $1 AND NOT EXISTS (
		SELECT FROM retention_rules x WHERE x.practice_id = r.practice_id AND x.work_type = r.work_type AND x.version > r.version)
	ORDER BY r.work_type`

// Rules implements keeping.Purges.
func (s *Store) Rules(ctx context.Context, practice uuid.UUID) (out []keeping.Rule, err error) {
	err = s.inPractice(ctx, "list retention rules", practice, func(t *tx) error {
		out, err = list(ctx, t, "list retention rules", scanRule, standingRules, practice)
		return err
	})
	return out, err
}

// ruledColumns are those of a recording with what the rules look at.
const ruledColumns = recordingColumns + `, d.state, d.work_type, is_held(d), finally_at(d), l.locked_until, coalesce(l.held, false),
	EXISTS (SELECT FROM notes n JOIN signatures s ON s.note_id = n.id WHERE n.dictation_id = d.id)`

const ruledFrom = ` FROM audio_objects a JOIN dictations d ON d.id = a.dictation_id
	LEFT JOIN purges p ON p.audio_id = a.id LEFT JOIN audio_locks l ON l.audio_id = a.id`

// ruled scans ruledColumns and what more is given.
func ruled(row pgx.CollectableRow, r *keeping.Recording, more ...any) error {
	var final, locked *time.Time
	fields := append(recordingFields(r), &r.State, &r.WorkType, &r.Held, &final, &locked, &r.LockHeld, &r.Signed)
	if err := row.Scan(append(fields, more...)...); err != nil {
		return err
	}
	if final != nil {
		r.FinalAt = final.UTC()
	}
	if locked != nil {
		r.LockUntil = locked.UTC()
	}
	return nil
}

func scanRuled(row pgx.CollectableRow) (r keeping.Recording, err error) {
	err = ruled(row, &r)
	return r, err
}

// Settled implements keeping.Purges.
func (s *Store) Settled(ctx context.Context, practice uuid.UUID, before time.Time, after uuid.UUID, limit int) (out []keeping.Recording, err error) {
	err = s.inPractice(ctx, "list recordings under the rules", practice, func(t *tx) error {
		out, err = list(ctx, t, "list recordings under the rules", scanRuled, `
			SELECT `+ruledColumns+ruledFrom+`
			WHERE a.practice_id = $1 AND a.id > $2 AND a.created_at < $3 AND coalesce(p.state, '') <> 'done' ORDER BY a.id LIMIT $4`,
			practice, after, before, limit)
		return err
	})
	return out, err
}

// IntendPurge implements keeping.Purges.
func (s *Store) IntendPurge(ctx context.Context, r keeping.Recording, rule uuid.UUID) error {
	return s.inPractice(ctx, "intend purge", r.PracticeID, func(t *tx) error {
		return t.one(ctx, "intend purge", fault.New(fault.Conflict, "purge_under_way", "This recording is on its way out already."), `
			INSERT INTO purges AS p (audio_id, practice_id, dictation_id, rule_id, state) VALUES ($1, $2, $3, $4, 'intended')
			ON CONFLICT (audio_id) DO UPDATE SET rule_id = $4, state = 'intended', code = '', try_after = now(), updated_at = now()
			WHERE p.state = 'dropped'`, r.ID, r.PracticeID, r.DictationID, rule)
	})
}

// DuePurges implements keeping.Purges.
func (s *Store) DuePurges(ctx context.Context, practice uuid.UUID, limit int) (out []keeping.Purge, err error) {
	err = s.inPractice(ctx, "list due purges", practice, func(t *tx) error {
		out, err = list(ctx, t, "list due purges", scanPurge, `
			SELECT `+ruledColumns+`, r.id, r.practice_id, r.work_type, r.version, r.original_days, r.playback_days, r.rejected_days, r.reason,
			       r.set_by, '', r.set_at`+ruledFrom+` JOIN retention_rules r ON r.id = p.rule_id
			WHERE p.practice_id = $1 AND p.state IN ('intended', 'started') AND p.try_after <= now() ORDER BY p.try_after, p.audio_id LIMIT $2`,
			practice, limit)
		return err
	})
	return out, err
}

func scanPurge(row pgx.CollectableRow) (x keeping.Purge, err error) {
	err = ruled(row, &x.Recording, ruleFields(&x.Rule)...)
	x.State = x.Purge
	return x, err
}

// purge moves a purge along; one that is not where the caller saw it is another process's.
func (s *Store) purge(ctx context.Context, x keeping.Purge, to, code string, after time.Time, more func(*tx) error) error {
	return s.inPractice(ctx, "move purge", x.PracticeID, func(t *tx) error {
		if more != nil {
			if err := more(t); err != nil {
				return err
			}
		}
		return t.one(ctx, "move purge", fault.New(fault.Unavailable, "purge_elsewhere", "Another process is at this recording."), `
			UPDATE purges SET state = $2, code = $3, try_after = coalesce($4, try_after), updated_at = now()
			WHERE audio_id = $1 AND state IN ('intended', 'started')`, x.ID, to, code, orNull(after))
	})
}

// StartPurge implements keeping.Purges. The triggers decide.
func (s *Store) StartPurge(ctx context.Context, x keeping.Purge) error {
	return s.purge(ctx, x, "started", "", time.Time{}, nil)
}

// PutOffPurge implements keeping.Purges.
func (s *Store) PutOffPurge(ctx context.Context, x keeping.Purge, code string, after time.Time) error {
	return s.purge(ctx, x, "intended", code, after, nil)
}

// DropPurge implements keeping.Purges.
func (s *Store) DropPurge(ctx context.Context, x keeping.Purge, code string) error {
	return s.purge(ctx, x, "dropped", code, time.Time{}, nil)
}

// FinishPurge implements keeping.Purges.
func (s *Store) FinishPurge(ctx context.Context, x keeping.Purge, stone audit.Tombstone, signed []byte) error {
	return s.purge(ctx, x, "done", "", time.Time{}, func(t *tx) error {
		_, err := t.Exec(ctx, `
			INSERT INTO tombstones (audio_id, practice_id, dictation_id, rendition, sha256, size, seconds, rule_id, work_type, rule_version, purged_at, note)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			stone.AudioID, stone.PracticeID, stone.DictationID, stone.Rendition, stone.SHA256, stone.Size, stone.Seconds, stone.RuleID,
			stone.WorkType, stone.RuleVersion, stone.PurgedAt, signed)
		if err != nil {
			return wrap("write tombstone", err)
		}
		return t.Audit(ctx, keeping.PurgeEvent(stone))
	})
}

// LockWork implements keeping.Purges: what a hold covers and the store does not know yet, and the other way round.
func (s *Store) LockWork(ctx context.Context, practice uuid.UUID, limit int) (out []keeping.Recording, err error) {
	err = s.inPractice(ctx, "list holds for the object store", practice, func(t *tx) error {
		out, err = list(ctx, t, "list holds for the object store", scanRuled, `
			WITH covered AS (
				SELECT h.dictation_id AS id FROM legal_holds h WHERE h.practice_id = $1 AND h.lifted_at IS NULL AND h.dictation_id IS NOT NULL
				UNION SELECT d.id FROM legal_holds h JOIN dictations d ON d.practice_id = h.practice_id AND d.patient_id = h.patient_id
					WHERE h.practice_id = $1 AND h.lifted_at IS NULL
				UNION SELECT d.id FROM legal_holds h JOIN dictations d ON d.practice_id = h.practice_id AND d.author_id = h.author_id
					WHERE h.practice_id = $1 AND h.lifted_at IS NULL),
			work AS (
				SELECT x.id FROM covered c JOIN audio_objects x ON x.dictation_id = c.id
					WHERE NOT EXISTS (SELECT FROM audio_locks k WHERE k.audio_id = x.id AND k.held)
				UNION SELECT k.audio_id FROM audio_locks k JOIN audio_objects x ON x.id = k.audio_id JOIN dictations o ON o.id = x.dictation_id
					WHERE k.practice_id = $1 AND k.held AND NOT is_held(o))
			SELECT `+ruledColumns+ruledFrom+` WHERE a.id IN (SELECT id FROM work) AND coalesce(p.state, '') <> 'done' ORDER BY a.id LIMIT $2`,
			practice, limit)
		return err
	})
	return out, err
}

// SaveLock implements keeping.Purges.
func (s *Store) SaveLock(ctx context.Context, r keeping.Recording, until time.Time, held bool) error {
	return s.inPractice(ctx, "save lock", r.PracticeID, func(t *tx) error {
		_, err := t.Exec(ctx, `
			INSERT INTO audio_locks (audio_id, practice_id, locked_until, held) VALUES ($1, $2, $3, $4)
			ON CONFLICT (audio_id) DO UPDATE SET locked_until = $3, held = $4, updated_at = now()`, r.ID, r.PracticeID, orNull(until), held)
		return wrap("save lock", err)
	})
}
