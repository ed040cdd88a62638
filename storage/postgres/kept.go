package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// OpenFindings implements pipeline.KeepingTx. What concerns the whole installation is shown in every practice.
func (t *tx) OpenFindings(ctx context.Context, limit int) ([]keeping.Finding, error) {
	return list(ctx, t, "list findings", scanNamedFinding, `
		SELECT `+findingColumns+`, coalesce(w.name, '') FROM keep_findings f LEFT JOIN people w ON w.id = f.settled_by
		WHERE f.mended_at IS NULL ORDER BY (f.settled_at IS NOT NULL), f.first_seen, f.id LIMIT $1`, atMost(limit))
}

func scanNamedFinding(row pgx.CollectableRow) (f keeping.Finding, err error) {
	err = row.Scan(append(findingFields(&f), &f.SettledName)...)
	return f, err
}

// Shared implements pipeline.KeepingTx.
func (t *tx) Shared(ctx context.Context) (bool, error) {
	return get(ctx, t, "count practices", pgx.RowTo[bool], `SELECT count(*) > 1 FROM list_practices()`)
}

// OpenFinding implements pipeline.KeepingTx.
func (t *tx) OpenFinding(ctx context.Context, id uuid.UUID) (keeping.Finding, error) {
	return get(ctx, t, "read finding", scanFinding, `
		SELECT `+findingColumns+` FROM keep_findings f WHERE f.id = $1 AND f.mended_at IS NULL AND f.settled_at IS NULL`, id)
}

// SettleFinding implements pipeline.KeepingTx.
func (t *tx) SettleFinding(ctx context.Context, id, by uuid.UUID, note string) (keeping.Finding, error) {
	return get(ctx, t, "settle finding", scanFinding, `
		UPDATE keep_findings f SET settled_by = $2, settled_at = clock_timestamp(), settled_note = $3
		WHERE f.id = $1 AND f.mended_at IS NULL AND f.settled_at IS NULL RETURNING `+findingColumns, id, by, note)
}

// LastRuns implements pipeline.KeepingTx.
func (t *tx) LastRuns(ctx context.Context) ([]keeping.Run, error) {
	return list(ctx, t, "list checks", scanRun, `
		SELECT r.* FROM unnest(ARRAY['quick', 'deep', 'rolling']) AS m (mode)
		CROSS JOIN LATERAL (SELECT `+runColumns+` FROM keep_runs k WHERE k.mode = m.mode ORDER BY k.started_at DESC LIMIT 1) r`)
}

// InsertRule implements pipeline.KeepingTx.
func (t *tx) InsertRule(ctx context.Context, r keeping.Rule) (keeping.Rule, error) {
	id, err := newID(uuid.Nil)
	if err != nil {
		return r, err
	}
	_, err = t.Exec(ctx, `
		INSERT INTO retention_rules (id, practice_id, work_type, version, original_days, playback_days, rejected_days, reason, set_by)
		SELECT $1, $2, $3, 1 + coalesce((SELECT max(version) FROM retention_rules x WHERE x.practice_id = $2 AND x.work_type = $3), 0), $4, $5, $6, $7, $8`,
		id, t.own(r.PracticeID), r.WorkType, r.OriginalDays, r.PlaybackDays, r.RejectedDays, r.Reason, r.SetBy)
	if err != nil {
		return r, wrap("insert retention rule", err)
	}
	return get(ctx, t, "read retention rule", scanRule, ruleSelect+` WHERE r.id = $1`, id)
}

// StandingRules implements pipeline.KeepingTx.
func (t *tx) StandingRules(ctx context.Context) ([]keeping.Rule, error) {
	return list(ctx, t, "list retention rules", scanRule, standingRules, t.practice)
}

// RuleHistory implements pipeline.KeepingTx.
func (t *tx) RuleHistory(ctx context.Context, limit int) ([]keeping.Rule, error) {
	return list(ctx, t, "list retention rules", scanRule, ruleSelect+` WHERE r.practice_id = $1 ORDER BY r.set_at DESC, r.id DESC LIMIT $2`, t.practice, atMost(limit))
}

const holdSelect = `
	SELECT h.id, h.practice_id, CASE WHEN h.dictation_id IS NOT NULL THEN 'dictation' WHEN h.patient_id IS NOT NULL THEN 'patient' ELSE 'author' END,
	       coalesce(h.dictation_id, h.patient_id, h.author_id), coalesce(c.name, a.name, d.work_type), h.reason, h.set_by, s.name, h.set_at,
	       h.lifted_by, coalesce(l.name, ''), h.lifted_at, coalesce(h.lift_reason, '')
	FROM legal_holds h JOIN people s ON s.id = h.set_by LEFT JOIN people l ON l.id = h.lifted_by
	LEFT JOIN patients c ON c.id = h.patient_id LEFT JOIN people a ON a.id = h.author_id LEFT JOIN dictations d ON d.id = h.dictation_id`

func scanHold(row pgx.CollectableRow) (h keeping.Hold, err error) {
	err = row.Scan(&h.ID, &h.PracticeID, &h.Scope, &h.Subject, &h.Name, &h.Reason, &h.SetBy, &h.SetByName, &h.SetAt, &h.LiftedBy, &h.LiftedName, &h.LiftedAt, &h.LiftReason)
	return h, err
}

// InsertHold implements pipeline.KeepingTx.
func (t *tx) InsertHold(ctx context.Context, h keeping.Hold) (keeping.Hold, error) {
	id, err := newID(h.ID)
	if err != nil {
		return h, err
	}
	err = t.one(ctx, "set hold", fault.New(fault.Conflict, "held_already", "A hold stands on this already."), `
		INSERT INTO legal_holds (id, practice_id, dictation_id, patient_id, author_id, reason, set_by)
		VALUES ($1, $2, CASE WHEN $3 = 'dictation' THEN $4::uuid END, CASE WHEN $3 = 'patient' THEN $4::uuid END,
		        CASE WHEN $3 = 'author' THEN $4::uuid END, $5, $6)
		ON CONFLICT DO NOTHING`, id, t.own(h.PracticeID), string(h.Scope), h.Subject, h.Reason, h.SetBy)
	if err != nil {
		return h, err
	}
	return get(ctx, t, "read hold", scanHold, holdSelect+` WHERE h.id = $1`, id)
}

// LiftHold implements pipeline.KeepingTx.
func (t *tx) LiftHold(ctx context.Context, id, by uuid.UUID, reason string) (h keeping.Hold, err error) {
	err = t.one(ctx, "lift hold", notFound(), `
		UPDATE legal_holds SET lifted_by = $2, lifted_at = clock_timestamp(), lift_reason = $3 WHERE id = $1 AND lifted_at IS NULL`, id, by, reason)
	if err != nil {
		return h, err
	}
	return get(ctx, t, "read hold", scanHold, holdSelect+` WHERE h.id = $1`, id)
}

// Holds implements pipeline.KeepingTx.
func (t *tx) Holds(ctx context.Context, limit int) ([]keeping.Hold, error) {
	return list(ctx, t, "list holds", scanHold, holdSelect+`
		WHERE h.practice_id = $1 ORDER BY (h.lifted_at IS NOT NULL), h.set_at DESC, h.id DESC LIMIT $2`, t.practice, atMost(limit))
}

// GoingOf implements pipeline.KeepingTx.
func (t *tx) GoingOf(ctx context.Context, hold uuid.UUID) (int, error) {
	return get(ctx, t, "count purges under a hold", pgx.RowTo[int], `
		SELECT count(*) FROM legal_holds h, purges p JOIN dictations d ON d.id = p.dictation_id
		WHERE h.id = $1 AND p.practice_id = h.practice_id AND p.state = 'started'
		  AND coalesce(h.dictation_id, h.patient_id, h.author_id) IN (d.id, d.patient_id, d.author_id)`, hold)
}

const tombstoneSelect = `
	SELECT t.audio_id, t.practice_id, t.dictation_id, t.rendition, t.sha256, t.size, t.seconds, t.rule_id, t.work_type, t.rule_version, t.purged_at, t.note
	FROM tombstones t`

func scanTombstone(row pgx.CollectableRow) (t pipeline.Tombstone, err error) {
	err = row.Scan(&t.AudioID, &t.PracticeID, &t.DictationID, &t.Rendition, &t.SHA256, &t.Size, &t.Seconds, &t.RuleID, &t.WorkType, &t.RuleVersion, &t.PurgedAt, &t.Signed)
	t.PurgedAt = t.PurgedAt.UTC()
	return t, err
}

// TombstonesOf implements pipeline.KeepingTx. That of the original comes first.
func (t *tx) TombstonesOf(ctx context.Context, dictation uuid.UUID) ([]pipeline.Tombstone, error) {
	return list(ctx, t, "list tombstones", scanTombstone, tombstoneSelect+` WHERE t.dictation_id = $1 ORDER BY t.rendition`, dictation)
}

// Tombstones implements pipeline.KeepingTx.
func (t *tx) Tombstones(ctx context.Context, before time.Time, limit int) ([]pipeline.Tombstone, error) {
	return list(ctx, t, "list tombstones", scanTombstone, tombstoneSelect+`
		WHERE t.practice_id = $1 AND ($2::timestamptz IS NULL OR t.purged_at < $2) ORDER BY t.purged_at DESC, t.audio_id DESC LIMIT $3`,
		t.practice, orNull(before), atMost(limit))
}

// WaitingPurges implements pipeline.KeepingTx.
func (t *tx) WaitingPurges(ctx context.Context, limit int) ([]pipeline.WaitingPurge, error) {
	return list(ctx, t, "list waiting purges", pgx.RowToStructByPos[pipeline.WaitingPurge], `
		SELECT p.audio_id, p.dictation_id, a.rendition, p.state, p.code, p.try_after FROM purges p JOIN audio_objects a ON a.id = p.audio_id
		WHERE p.practice_id = $1 AND p.state IN ('intended', 'started') ORDER BY p.try_after, p.audio_id LIMIT $2`, t.practice, atMost(limit))
}

// ReplacePlayback implements pipeline.KeepingTx. What the old object was locked by does not hold for the new one: it is asked
// for anew.
func (t *tx) ReplacePlayback(ctx context.Context, id uuid.UUID, o pipeline.Stored) error {
	if _, err := t.Exec(ctx, `UPDATE audio_locks SET locked_until = NULL, held = false, updated_at = now() WHERE audio_id = $1`, id); err != nil {
		return wrap("forget locks of playback", err)
	}
	return t.one(ctx, "replace playback", notFound(), `
		UPDATE audio_objects SET key = $2, sha256 = $3, size = $4, sealed_key = $5, version_id = $6 WHERE id = $1 AND rendition = 'playback'`,
		id, o.Key, o.SHA256, o.Size, o.SealedKey, o.VersionID)
}

// AllTombstones calls fn for each tombstone of all practices with its row's columns, for verification.
func (s *Store) AllTombstones(ctx context.Context, fn func(row audit.Tombstone, signed []byte) error) error {
	practices, err := s.Practices(ctx)
	if err != nil {
		return err
	}
	const page = 1000
	for _, id := range practices {
		for last := uuid.Nil; ; {
			var rows []pipeline.Tombstone
			err := s.InTx(ctx, id, func(ctx context.Context, p pipeline.Tx) (err error) {
				rows, err = list(ctx, p.(*tx), "list tombstones", scanTombstone, //nolint:forcetypeassert // InTx gives no other
					tombstoneSelect+` WHERE t.practice_id = $1 AND t.audio_id > $2 ORDER BY t.audio_id LIMIT $3`, id, last, page)
				return err
			})
			if err != nil {
				return err
			}
			for _, t := range rows {
				if err := fn(t.Tombstone, t.Signed); err != nil {
					return err
				}
				last = t.AudioID
			}
			if len(rows) < page {
				break
			}
		}
	}
	return nil
}
