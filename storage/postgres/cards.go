package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// cardSelect completes the dictations chosen by a WITH d: each part is one look-up by index, done only for the rows that
// are shown. Progress is that of the newest transcription; the claim is the one that holds now.
const cardSelect = `
	SELECT ` + dictationColumns + `, p.name, coalesce(pt.name, ''), coalesce(pt.mrn, ''), coalesce(a.seconds, 0),
	       coalesce(j.done, 0), coalesce(j.total, 0), c.person_id, coalesce(c.name, ''),
	       g.person_id, coalesce(g.name, ''), g.until, coalesce(v.obstacles, 0), coalesce(v.number, 0),
	       d.state IN ('failed', 'signed') AND coalesce((SELECT e.error_code = 'quarantined' FROM jobs e
	           WHERE e.dictation_id = d.id ORDER BY e.created_at DESC, e.id DESC LIMIT 1), false)
	FROM d
	JOIN people p ON p.id = d.author_id
	LEFT JOIN patients pt ON pt.id = d.patient_id
	LEFT JOIN LATERAL (SELECT max(o.seconds) AS seconds FROM audio_objects o WHERE o.dictation_id = d.id) a ON true
	LEFT JOIN LATERAL (
		SELECT count(k.*) AS done, max(k.total) AS total
		FROM (SELECT id FROM jobs WHERE dictation_id = d.id AND kind = 'transcribe' ORDER BY created_at DESC, id DESC LIMIT 1) r
		LEFT JOIN job_chunks k ON k.job_id = r.id) j ON true
	LEFT JOIN LATERAL (
		SELECT h.person_id, w.name FROM claims h JOIN people w ON w.id = h.person_id
		WHERE h.dictation_id = d.id AND h.ended_at IS NULL AND h.until > now()) c ON true
	LEFT JOIN LATERAL (
		SELECT g.person_id, e.name, g.until FROM assignments g JOIN people e ON e.id = g.person_id AND NOT e.disabled
		WHERE g.dictation_id = d.id AND ` + assignedNow + `) g ON d.state = 'drafted'
	LEFT JOIN LATERAL (
		SELECT nv.obstacles, nv.number FROM notes n JOIN note_versions nv ON nv.note_id = n.id AND nv.number = n.latest
		WHERE n.dictation_id = d.id) v ON true`

func scanCard(row pgx.CollectableRow) (c pipeline.Card, err error) {
	err = row.Scan(append(dictationFields(&c.Dictation), &c.AuthorName, &c.PatientName, &c.MRN, &c.Seconds,
		&c.Done, &c.Total, &c.ClaimedBy, &c.ClaimedName, &c.AssignedTo, &c.Assignee, &c.KeptUntil, &c.Obstacles, &c.Latest, &c.Quarantined)...)
	inUTC(&c.Dictation)
	if c.KeptUntil != nil {
		*c.KeptUntil = c.KeptUntil.UTC()
	}
	return c, err
}

func (t *tx) Card(ctx context.Context, id uuid.UUID) (pipeline.Card, error) {
	return get(ctx, t, "read card", scanCard, `WITH d AS MATERIALIZED (SELECT * FROM dictations WHERE id = $1)`+cardSelect, id)
}

// Cards implements pipeline.DictationTx. Conditions that are not asked for are left out of the statement: what remains is
// planned for what it is, and finds its index. Each state comes out of its index in order and no further than the list goes;
// several are merged.
func (t *tx) Cards(ctx context.Context, f pipeline.Filter) ([]pipeline.Card, error) {
	where, args := `d.practice_id = $1`, []any{t.practice}
	and := func(condition string, arg any) {
		args = append(args, arg)
		where += ` AND ` + strings.ReplaceAll(condition, "$?", fmt.Sprintf("$%d", len(args)))
	}
	order := `(d.priority <> 'stat'), d.due_at, d.id`
	switch {
	case !f.MovedSince.IsZero():
		order = `d.updated_at DESC, d.id`
		and(`d.updated_at >= $?`, f.MovedSince)
	case f.Newest:
		order = `d.received_at DESC, d.id`
	}
	if f.Author != nil {
		and(`d.author_id = $?`, *f.Author)
	}
	if f.ForEditor != nil {
		and(`NOT EXISTS (SELECT FROM claims h WHERE h.dictation_id = d.id AND h.ended_at IS NULL AND h.until > now() AND h.person_id <> $?)`,
			*f.ForEditor)
	}
	limit, offset := atMost(f.Limit), max(f.Offset, 0)
	found := `SELECT * FROM dictations d WHERE ` + where
	part := func(condition string) string {
		return fmt.Sprintf(`(%s AND %s ORDER BY %s LIMIT %d)`, found, condition, order, limit+offset)
	}
	mine := ``
	if f.ForEditor != nil && !f.Newest && f.MovedSince.IsZero() && isWorkOfEditors(f.States) {
		args = append(args, *f.ForEditor)
		mine = fmt.Sprintf(assignedTo, len(args))
	}
	if len(f.States) > 0 {
		found = `SELECT * FROM (` + strings.Join(parts(f.States, mine, part), ` UNION ALL `) + `) d`
	}
	if mine != `` {
		order = `(d.priority <> 'stat'), (d.id <> ALL (` + mine + `)), d.due_at, d.id`
	}
	return list(ctx, t, "list cards", scanCard, fmt.Sprintf(`
		WITH d AS MATERIALIZED (%s ORDER BY %s LIMIT %d OFFSET %d) %s
		ORDER BY %s`, found, order, limit, offset, cardSelect, order), args...)
}

// parts are the selections of each state. With mine, the dictations that are kept for a person, those are a part of their own,
// so that they can go before the others without another order of all.
func parts(states []pipeline.State, mine string, part func(condition string) string) (out []string) {
	apart := ``
	if mine != `` {
		apart = ` AND d.id <> ALL (` + mine + `)`
	}
	anyOf := make([]string, len(states))
	for i, state := range states {
		anyOf[i] = inState(state)
		out = append(out, part(anyOf[i]+apart))
	}
	if mine != `` {
		out = append(out, part(`d.id = ANY (`+mine+`) AND (`+strings.Join(anyOf, ` OR `)+`)`))
	}
	return out
}

// inState names the state in the statement itself: partial indexes are found by it, and each state is planned for as many as
// there are. What is no state is the state of none.
func inState(state pipeline.State) string {
	if !slices.Contains(pipeline.States(), state) {
		return `false`
	}
	return `d.state = '` + string(state) + `'`
}

// assignedTo are the dictations that are kept for a person: a handful, found by key.
const assignedTo = `ARRAY (SELECT g.dictation_id FROM assignments g WHERE g.practice_id = $1 AND g.person_id = $%d AND ` + assignedNow + `)`

// isWorkOfEditors says whether only what waits for editors is listed.
func isWorkOfEditors(states []pipeline.State) bool {
	return len(states) > 0 && !slices.ContainsFunc(states, func(s pipeline.State) bool { return s != pipeline.Drafted && s != pipeline.InReview })
}
