package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

var _ keeping.Store = (*Store)(nil)

// Exclusive implements keeping.Store with an advisory lock of a session of its own: it ends with the process, however that
// ends, and takes no connection from the pool.
func (s *Store) Exclusive(ctx context.Context, name string, fn func(context.Context) error) (bool, error) {
	if err := s.requireWorker("keep house alone"); err != nil {
		return false, err
	}
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return false, wrap("connect for an exclusive round", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the lock ends with it
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('vesper ' || $1, 0))`, name).Scan(&mine); err != nil || !mine {
		return false, wrap("lock an exclusive round", err)
	}
	err = fn(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`) // at once: the server notices a closed connection a moment later
	return true, err
}

// inPractice runs fn in a transaction of one practice, as a worker.
func (s *Store) inPractice(ctx context.Context, op string, practice uuid.UUID, fn func(*tx) error) error {
	if err := s.requireWorker(op); err != nil {
		return err
	}
	return s.InTx(ctx, practice, func(_ context.Context, t pipeline.Tx) error { return fn(t.(*tx)) }) //nolint:forcetypeassert // InTx gives no other
}

const recordingColumns = `a.id, a.practice_id, a.dictation_id, a.rendition, a.key, a.version_id, a.sha256, a.size, a.seconds, a.sealed_key, coalesce(p.state, '')`

func recordingFields(r *keeping.Recording) []any {
	return []any{&r.ID, &r.PracticeID, &r.DictationID, &r.Rendition, &r.Key, &r.VersionID, &r.SHA256, &r.Size, &r.Seconds, &r.SealedKey, &r.Purge}
}

func scanRecording(row pgx.CollectableRow) (r keeping.Recording, err error) {
	err = row.Scan(recordingFields(&r)...)
	return r, err
}

// Recordings implements keeping.Rows.
func (s *Store) Recordings(ctx context.Context, practice uuid.UUID, after string, limit int) (out []keeping.Recording, err error) {
	err = s.inPractice(ctx, "list recordings", practice, func(t *tx) error {
		out, err = list(ctx, t, "list recordings", scanRecording, `
			SELECT `+recordingColumns+` FROM audio_objects a LEFT JOIN purges p ON p.audio_id = a.id
			WHERE a.practice_id = $1 AND a.key COLLATE "C" > $2 ORDER BY a.key COLLATE "C" LIMIT $3`, practice, after, limit)
		return err
	})
	return out, err
}

// RecordingsNamed implements keeping.Rows.
func (s *Store) RecordingsNamed(ctx context.Context, practice uuid.UUID, keys []string) (out []keeping.Recording, err error) {
	err = s.inPractice(ctx, "find recordings", practice, func(t *tx) error {
		out, err = list(ctx, t, "find recordings", scanRecording, `
			SELECT `+recordingColumns+` FROM audio_objects a LEFT JOIN purges p ON p.audio_id = a.id
			WHERE a.practice_id = $1 AND a.key COLLATE "C" = ANY ($2)`, practice, keys)
		return err
	})
	return out, err
}

// CountRecordings implements keeping.Rows.
func (s *Store) CountRecordings(ctx context.Context) (n int64, err error) {
	practices, err := s.Practices(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range practices {
		err := s.inPractice(ctx, "count recordings", id, func(t *tx) error {
			here, err := get(ctx, t, "count recordings", pgx.RowTo[int64], `SELECT count(*) FROM audio_objects WHERE practice_id = $1`, id)
			n += here
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// CheckpointRows implements keeping.Rows.
func (s *Store) CheckpointRows(ctx context.Context, after int64, limit int) (out []keeping.Checkpoint, err error) {
	err = s.across(ctx, "list checkpoints", func(t pgx.Tx) error {
		out, err = list(ctx, t, "list checkpoints", func(row pgx.CollectableRow) (c keeping.Checkpoint, err error) {
			err = row.Scan(&c.Size, &c.Signed, &c.At)
			return c, err
		}, `SELECT size, note, at FROM audit_checkpoints WHERE size > $1 ORDER BY size LIMIT $2`, after, limit)
		return err
	})
	return out, err
}

const findingColumns = `f.id, coalesce(f.practice_id, '00000000-0000-0000-0000-000000000000'), f.kind, f.key, f.version_id,
	coalesce(f.audio_id, '00000000-0000-0000-0000-000000000000'), coalesce(f.dictation_id, '00000000-0000-0000-0000-000000000000'),
	f.first_seen, f.last_seen, f.settled_by, f.settled_at, coalesce(f.settled_note, '')`

func findingFields(f *keeping.Finding) []any {
	return []any{&f.ID, &f.PracticeID, &f.Kind, &f.Key, &f.VersionID, &f.AudioID, &f.DictationID, &f.FirstSeen, &f.LastSeen, &f.SettledBy, &f.SettledAt, &f.SettledNote}
}

func scanFinding(row pgx.CollectableRow) (f keeping.Finding, err error) {
	err = row.Scan(findingFields(&f)...)
	return f, err
}

// recordIn is the practice in whose record something is written that concerns the whole installation: the first one.
func (s *Store) recordIn(ctx context.Context, practice uuid.UUID) (uuid.UUID, error) {
	if practice != uuid.Nil {
		return practice, nil
	}
	all, err := s.Practices(ctx)
	if err != nil || len(all) == 0 {
		return uuid.Nil, err
	}
	return slices.MinFunc(slices.Collect(maps.Values(all)), func(a, b uuid.UUID) int { return cmp.Compare(a.String(), b.String()) }), nil
}

// Report implements keeping.Findings.
func (s *Store) Report(ctx context.Context, practice uuid.UUID, found []keeping.Finding) (fresh int, err error) {
	in, err := s.recordIn(ctx, practice)
	if err != nil {
		return 0, err
	}
	rows := distinct(found)
	if in == uuid.Nil { // nobody is here yet: there is no record to write to
		err = s.across(ctx, "report findings", func(t pgx.Tx) error {
			added, err := insertFindings(ctx, &tx{Tx: t}, practice, rows)
			fresh = len(added)
			return err
		})
		return fresh, err
	}
	err = s.inPractice(ctx, "report findings", in, func(t *tx) error {
		added, err := insertFindings(ctx, t, practice, rows)
		if err != nil {
			return err
		}
		fresh = len(added)
		for _, f := range added {
			if err := t.Audit(ctx, keeping.FindingEvent(f, in, "found")); err != nil {
				return err
			}
		}
		return nil
	})
	return fresh, err
}

func distinct(found []keeping.Finding) []keeping.Finding {
	key := func(f keeping.Finding) string { return string(f.Kind) + "\x00" + f.Key + "\x00" + f.VersionID }
	out := slices.Clone(found)
	slices.SortFunc(out, func(a, b keeping.Finding) int { return cmp.Compare(key(a), key(b)) })
	return slices.CompactFunc(out, func(a, b keeping.Finding) bool { return key(a) == key(b) })
}

// insertFindings returns those that did not stand yet.
func insertFindings(ctx context.Context, t *tx, practice uuid.UUID, found []keeping.Finding) ([]keeping.Finding, error) {
	n := len(found)
	ids, kinds, keys, versions, audio, dictations := make([]uuid.UUID, n), make([]string, n), make([]string, n), make([]string, n), make([]*uuid.UUID, n), make([]*uuid.UUID, n)
	for i, f := range found {
		id, err := newID(uuid.Nil)
		if err != nil {
			return nil, err
		}
		ids[i], kinds[i], keys[i], versions[i], audio[i], dictations[i] = id, string(f.Kind), f.Key, f.VersionID, orNil(f.AudioID), orNil(f.DictationID)
	}
	return list(ctx, t, "report findings", scanFinding, `
		WITH given AS (
			INSERT INTO keep_findings AS f (id, practice_id, kind, key, version_id, audio_id, dictation_id)
			SELECT i, $1, k, n, v, a, d FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[]) AS x (i, k, n, v, a, d)
			ON CONFLICT (kind, key, version_id) WHERE mended_at IS NULL DO UPDATE SET last_seen = clock_timestamp()
			RETURNING f.*)
		SELECT `+findingColumns+` FROM given f WHERE f.id = ANY ($2)`, orNil(practice), ids, kinds, keys, versions, audio, dictations)
}

func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// Mend implements keeping.Findings.
func (s *Store) Mend(ctx context.Context, kinds []keeping.Kind, keys []string, before time.Time) (int, error) {
	var standing []keeping.Finding
	err := s.across(ctx, "find mended findings", func(t pgx.Tx) (err error) {
		standing, err = list(ctx, t, "find mended findings", scanFinding, `
			SELECT `+findingColumns+` FROM keep_findings f
			WHERE f.mended_at IS NULL AND f.kind = ANY ($1) AND CASE WHEN $2::text[] IS NULL THEN f.last_seen < $3 ELSE f.key = ANY ($2) END`,
			kinds, keys, before)
		return err
	})
	if err != nil {
		return 0, err
	}
	mended := 0
	for _, f := range standing {
		in, err := s.recordIn(ctx, f.PracticeID)
		if err != nil {
			return mended, err
		}
		err = s.inPractice(ctx, "mend finding", in, func(t *tx) error {
			tag, err := t.Exec(ctx, `UPDATE keep_findings SET mended_at = clock_timestamp() WHERE id = $1 AND mended_at IS NULL`, f.ID)
			if err != nil || tag.RowsAffected() == 0 {
				return wrap("mend finding", err)
			}
			mended++
			return t.Audit(ctx, keeping.FindingEvent(f, in, "mended"))
		})
		if err != nil {
			return mended, err
		}
	}
	return mended, nil
}

// Standing implements keeping.Findings.
func (s *Store) Standing(ctx context.Context, kinds []keeping.Kind) (out []keeping.Finding, err error) {
	err = s.across(ctx, "list findings", func(t pgx.Tx) error {
		out, err = list(ctx, t, "list findings", scanFinding,
			`SELECT `+findingColumns+` FROM keep_findings f WHERE f.mended_at IS NULL AND f.kind = ANY ($1) ORDER BY f.first_seen, f.id`, kinds)
		return err
	})
	return out, err
}

// KeepingCounts counts findings ("open", "settled") and waiting purges ("purge") over all practices, by kind or by what they
// wait for. Any login may ask; metrics do.
func (s *Store) KeepingCounts(ctx context.Context) (map[[2]string]int64, error) {
	rows, err := s.pool.Query(ctx, `SELECT what, label, n FROM keeping_counts()`)
	if err != nil {
		return nil, wrap("count findings", err)
	}
	out := map[[2]string]int64{}
	var what, label string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&what, &label, &n}, func() error { out[[2]string{what, label}] = n; return nil })
	return out, wrap("count findings", err)
}

const runColumns = `id, mode, started_by, started_at, saved_at, finished_at, place, objects, bytes, found`

func scanRun(row pgx.CollectableRow) (r keeping.Run, err error) {
	var finished *time.Time
	err = row.Scan(&r.ID, &r.Mode, &r.By, &r.StartedAt, &r.SavedAt, &finished, &r.Place, &r.Objects, &r.Bytes, &r.Found)
	if finished != nil {
		r.FinishedAt = *finished
	}
	return r, err
}

// StartRun implements keeping.Findings.
func (s *Store) StartRun(ctx context.Context, mode keeping.Mode, by string, takeUp bool) (out keeping.Run, err error) {
	id, err := newID(uuid.Nil)
	if err != nil {
		return out, err
	}
	err = s.across(ctx, "start a check", func(t pgx.Tx) error {
		if takeUp {
			old, err := find(ctx, t, "take up a check", scanRun, `
				UPDATE keep_runs SET saved_at = clock_timestamp() WHERE id = (
					SELECT id FROM keep_runs WHERE mode = $1 ORDER BY started_at DESC LIMIT 1)
				AND finished_at IS NULL AND (mode = 'rolling' OR saved_at < now() - make_interval(secs => $2))
				RETURNING `+runColumns, mode, keeping.Silence.Seconds())
			if err != nil {
				return err
			}
			if old != nil {
				out = *old
				return nil
			}
		}
		out, err = get(ctx, t, "start a check", scanRun, `
			INSERT INTO keep_runs (id, mode, started_by, started_at) VALUES ($1, $2, $3, clock_timestamp()) RETURNING `+runColumns, id, mode, by)
		return err
	})
	return out, err
}

// SaveRun implements keeping.Findings.
func (s *Store) SaveRun(ctx context.Context, r keeping.Run) error {
	return s.across(ctx, "save a check", func(t pgx.Tx) error {
		return (&tx{Tx: t}).one(ctx, "save a check", notFound(), `
			UPDATE keep_runs SET saved_at = clock_timestamp(), finished_at = $2, place = $3, objects = $4, bytes = $5, found = $6 WHERE id = $1`,
			r.ID, orNull(r.FinishedAt), r.Place, r.Objects, r.Bytes, r.Found)
	})
}

// LastRun implements keeping.Findings.
func (s *Store) LastRun(ctx context.Context, mode keeping.Mode) (out keeping.Run, err error) {
	err = s.across(ctx, "read the last check", func(t pgx.Tx) error {
		last, err := find(ctx, t, "read the last check", scanRun, `SELECT `+runColumns+` FROM keep_runs WHERE mode = $1 ORDER BY started_at DESC LIMIT 1`, mode)
		if last != nil {
			out = *last
		}
		return err
	})
	return out, err
}
