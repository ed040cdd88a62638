package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"vesper/pipeline"
)

// dispatchLock keeps two relays from filling the same room; the one that comes second comes again a moment later.
const dispatchLock = 0x7e5be11

// Dispatch implements pipeline.JobQueue. Ringing happens before the commit: if the commit fails, the same dispatch number
// is rung again, and the queue knows it. A relay that is stopped while it rings is cut off, because it holds the others up.
func (s *Store) Dispatch(ctx context.Context, limit int, ring func(context.Context, pipeline.Doorbell) error) (int, error) {
	var rung int
	var ringErr error
	err := s.across(ctx, "dispatch jobs", func(t pgx.Tx) error {
		rung, ringErr = 0, nil
		if _, err := t.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = '5s'`); err != nil {
			return wrap("dispatch jobs", err)
		}
		mine, err := get(ctx, t, "take the relay's turn", pgx.RowTo[bool], `SELECT pg_try_advisory_xact_lock($1)`, dispatchLock)
		if err != nil || !mine {
			return err
		}
		d := dispatch{tx: t, ring: ring, left: atMost(limit)}
		if err := d.measure(ctx); err != nil {
			return err
		}
		for _, kind := range []pipeline.JobKind{pipeline.DeliverJob, pipeline.DraftJob, pipeline.TranscribeJob} {
			for _, p := range []pipeline.Priority{pipeline.Stat, pipeline.Routine} {
				if err := d.fill(ctx, lane{kind, p}); err != nil {
					return err
				}
			}
		}
		rung, ringErr = d.rung, d.failed
		return nil
	})
	if err != nil {
		return 0, err
	}
	return rung, ringErr
}

// lane is work of one kind and priority.
type lane struct {
	kind     pipeline.JobKind
	priority pipeline.Priority
}

// dispatch is one round of a relay.
type dispatch struct {
	tx     pgx.Tx
	ring   func(context.Context, pipeline.Doorbell) error
	left   int                      // doorbells that may still be rung in this round
	room   map[pipeline.JobKind]int // what the live workers take at once; nil: no worker ever said
	out    map[lane]int             // doorbells that were rung and work that runs
	rung   int
	failed error
}

// measure reads what the workers take and what they have in hand.
func (d *dispatch) measure(ctx context.Context) error {
	d.out = map[lane]int{}
	rows, err := d.tx.Query(ctx, `
		SELECT kind, priority, count(*) FROM jobs WHERE state = 'running' AND lease_until >= now() GROUP BY 1, 2
		UNION ALL
		SELECT kind, priority, count(*) FROM jobs
		WHERE state = 'queued' AND dispatched_at >= now() - make_interval(secs => $1) GROUP BY 1, 2`, pipeline.RedispatchAge.Seconds())
	if err != nil {
		return wrap("count work in hand", err)
	}
	var l lane
	var n int
	_, err = pgx.ForEachRow(rows, []any{&l.kind, &l.priority, &n}, func() error { d.out[l] += n; return nil })
	if err != nil {
		return wrap("count work in hand", err)
	}
	var known bool
	var transcriptions, drafts, deliveries int
	err = d.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM workers), coalesce(sum(transcriptions), 0), coalesce(sum(drafts), 0), coalesce(sum(deliveries), 0)
		FROM workers WHERE seen_at > now() - make_interval(secs => $1)`, pipeline.WorkerSilence.Seconds()).
		Scan(&known, &transcriptions, &drafts, &deliveries)
	if known {
		d.room = map[pipeline.JobKind]int{pipeline.TranscribeJob: transcriptions, pipeline.DraftJob: drafts, pipeline.DeliverJob: deliveries}
	}
	return wrap("count workers", err)
}

// space is how many more doorbells of a lane may be out. Stat is held up by stat only.
func (d *dispatch) space(l lane) int {
	if d.room == nil {
		return d.left
	}
	out := d.out[lane{l.kind, pipeline.Stat}]
	if l.priority != pipeline.Stat {
		out += d.out[lane{l.kind, pipeline.Routine}]
	}
	return min(d.left, d.room[l.kind]-out)
}

// head is the first job of an author that may be rung.
type head struct {
	pipeline.Doorbell
	author uuid.UUID
	turn   int64
	fresh  bool // it was not rung before, so it costs its author a turn
}

// heads are the first jobs of the authors in the order of their turns. It walks the index from author to author, so that
// it takes as long as there are authors waiting, however much each of them has.
const heads = `
	WITH RECURSIVE authors AS (
		(SELECT author_id FROM jobs WHERE state = 'queued' AND kind = $1 AND priority = $2 ORDER BY author_id LIMIT 1)
		UNION ALL
		SELECT (SELECT j.author_id FROM jobs j WHERE j.state = 'queued' AND j.kind = $1 AND j.priority = $2 AND j.author_id > a.author_id
		        ORDER BY j.author_id LIMIT 1)
		FROM authors a WHERE a.author_id IS NOT NULL),
	present AS (SELECT coalesce((SELECT turn - 1 FROM author_turns WHERE kind = $1 ORDER BY turn DESC LIMIT 1), 0) AS turn)
	SELECT j.id, j.practice_id, j.dispatch_no + 1, a.author_id, greatest(coalesce(t.turn, 0), p.turn), j.dispatched_at IS NULL
	FROM authors a CROSS JOIN present p
	CROSS JOIN LATERAL (
		SELECT id, practice_id, dispatch_no, due_at, dispatched_at FROM jobs j
		WHERE j.state = 'queued' AND j.kind = $1 AND j.priority = $2 AND j.author_id = a.author_id AND j.run_after <= now()
		  AND (j.dispatched_at IS NULL OR j.dispatched_at < now() - make_interval(secs => $3))
		ORDER BY j.due_at, j.id LIMIT 1) j
	LEFT JOIN author_turns t ON t.kind = $1 AND t.author_id = a.author_id AND t.practice_id = j.practice_id
	WHERE a.author_id IS NOT NULL
	ORDER BY 5, j.due_at, j.id LIMIT $4`

// spareHeads are looked at beside those that there is room for, in case somebody holds a row just now.
const spareHeads = 16

// fill rings for a lane until its room is full, one turn of all its authors after the other.
func (d *dispatch) fill(ctx context.Context, l lane) error {
	for d.failed == nil {
		space := d.space(l)
		if space <= 0 {
			return nil
		}
		first, err := list(ctx, d.tx, "pick due jobs", func(row pgx.CollectableRow) (h head, err error) {
			h.Kind, h.Priority = l.kind, l.priority
			err = row.Scan(&h.JobID, &h.PracticeID, &h.DispatchNo, &h.author, &h.turn, &h.fresh)
			return h, err
		}, heads, l.kind, l.priority, pipeline.RedispatchAge.Seconds(), space+spareHeads)
		if err != nil || len(first) == 0 {
			return err
		}
		first, err = d.hold(ctx, first)
		if err != nil || len(first) == 0 {
			return err
		}
		var round []head // whose turn is the same; everybody else's is later
		for _, h := range first {
			if len(round) < space && h.turn == first[0].turn {
				round = append(round, h)
			}
		}
		if err := d.call(ctx, l, round); err != nil {
			return err
		}
	}
	return nil
}

// hold locks the rows, in the order of heads, and leaves out those that somebody else holds or that have changed.
func (d *dispatch) hold(ctx context.Context, all []head) (out []head, err error) {
	ids := make([]uuid.UUID, len(all))
	for i, h := range all {
		ids[i] = h.JobID
	}
	held, err := list(ctx, d.tx, "hold due jobs", pgx.RowTo[uuid.UUID], `
		SELECT id FROM jobs WHERE id = ANY ($1) AND state = 'queued' FOR UPDATE SKIP LOCKED`, ids)
	free := map[uuid.UUID]bool{}
	for _, id := range held {
		free[id] = true
	}
	for _, h := range all {
		if free[h.JobID] {
			out = append(out, h)
		}
	}
	return out, err
}

// call rings for a round and writes down who was rung and whose turn is over.
func (d *dispatch) call(ctx context.Context, l lane, round []head) error {
	var ids, authors, practices []uuid.UUID
	var turns []int64
	for _, h := range round {
		if d.failed = d.ring(ctx, h.Doorbell); d.failed != nil {
			break // the rest is as undone as this one; the relay comes again
		}
		ids = append(ids, h.JobID)
		if h.fresh {
			authors, practices, turns = append(authors, h.author), append(practices, h.PracticeID), append(turns, h.turn+1)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	d.rung, d.left, d.out[l] = d.rung+len(ids), d.left-len(ids), d.out[l]+len(ids)
	_, err := d.tx.Exec(ctx, `UPDATE jobs SET dispatch_no = dispatch_no + 1, dispatched_at = now() WHERE id = ANY ($1)`, ids)
	if err != nil {
		return wrap("record dispatch", err)
	}
	_, err = d.tx.Exec(ctx, `
		INSERT INTO author_turns (kind, author_id, practice_id, turn)
		SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[])
		ON CONFLICT (kind, author_id, practice_id) DO UPDATE SET turn = EXCLUDED.turn`, l.kind, authors, practices, turns)
	return wrap("record turns", err)
}
