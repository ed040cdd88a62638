package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"vesper/internal/audit"
	"vesper/internal/crashpoint"
	"vesper/internal/fault"
)

// sequenceLock lets one sequencer at a time grow the tree.
const sequenceLock = 5_140_927_318

// sequencer is one run over a locked tree.
type sequencer struct {
	pgx.Tx
	size  int64
	known map[int64]tlog.Hash // hashes read or made in this run
	fresh map[int64]tlog.Hash // those to be written
}

// Sequence implements pipeline.AuditLog. It refuses to grow a tree that differs from its own last checkpoint: signing
// over the damage would hide it.
func (s *Store) Sequence(ctx context.Context, limit int, sign func(audit.Checkpoint) ([]byte, error)) (signed []byte, size int64, err error) {
	err = s.across(ctx, "sequence the audit log", func(t pgx.Tx) error {
		signed, size = nil, 0
		if _, err := t.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(sequenceLock)); err != nil {
			return wrap("lock audit log", err)
		}
		// The order of (at, id) is that of the record; an event that commits late simply comes later in the tree.
		events, err := list(ctx, t, "read waiting events", scanEvent, `
			SELECT `+eventColumns+` FROM audit_pending p JOIN audit_events e ON e.id = p.event_id ORDER BY p.at, p.event_id LIMIT $1`, atMost(limit))
		if err != nil || len(events) == 0 {
			return err
		}
		q := &sequencer{Tx: t, known: map[int64]tlog.Hash{}, fresh: map[int64]tlog.Hash{}}
		if err := q.open(ctx); err != nil {
			return err
		}
		signed, err = q.grow(ctx, events, sign)
		crashpoint.At("sequence.before-commit")
		size = q.size
		return err
	})
	if signed != nil {
		crashpoint.At("sequence.after-commit")
	}
	return signed, size, err
}

// open reads the tree's size and checks it against the last checkpoint.
func (q *sequencer) open(ctx context.Context) error {
	var last int64
	var root []byte
	err := q.QueryRow(ctx, `
		SELECT coalesce((SELECT max(seq) + 1 FROM audit_entries), 0),
		       coalesce((SELECT max(size) FROM audit_checkpoints), 0),
		       (SELECT root FROM audit_checkpoints ORDER BY size DESC LIMIT 1)`).Scan(&q.size, &last, &root)
	if err != nil {
		return wrap("read audit tree", err)
	}
	if q.size != last {
		return damaged(fmt.Errorf("tree has %d entries, last checkpoint covers %d", q.size, last))
	}
	if q.size == 0 {
		return nil
	}
	have, err := tlog.TreeHash(q.size, q.reader(ctx))
	if err != nil {
		return damaged(err)
	}
	if !slices.Equal(have[:], root) {
		return damaged(errors.New("tree differs from its last checkpoint"))
	}
	return nil
}

func damaged(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(err, fault.Internal, "audit_log_damaged", "The audit log does not match its last checkpoint. Run `vesper audit verify` and call your compliance officer.")
}

// grow appends the events as they were read back, so that the leaf is over what the table holds, and signs the new size.
func (q *sequencer) grow(ctx context.Context, events []audit.Event, sign func(audit.Checkpoint) ([]byte, error)) ([]byte, error) {
	seqs, ids, leaves := make([]int64, len(events)), make([]uuid.UUID, len(events)), make([][]byte, len(events))
	for i, e := range events {
		leaf, err := e.Leaf()
		if err != nil {
			return nil, err
		}
		seqs[i], ids[i], leaves[i] = q.size, e.ID, leaf[:]
		if err := q.append(ctx, leaf); err != nil {
			return nil, err
		}
	}
	_, err := q.Exec(ctx, `INSERT INTO audit_entries (seq, event_id, leaf) SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[])`, seqs, ids, leaves)
	if err != nil {
		return nil, wrap("write audit entries", err)
	}
	if err := q.saveHashes(ctx); err != nil {
		return nil, err
	}
	if _, err := q.Exec(ctx, `DELETE FROM audit_pending WHERE event_id = ANY ($1)`, ids); err != nil {
		return nil, wrap("clear waiting events", err)
	}
	return q.checkpoint(ctx, sign)
}

func (q *sequencer) append(ctx context.Context, leaf tlog.Hash) error {
	stored, err := tlog.StoredHashesForRecordHash(q.size, leaf, q.reader(ctx))
	if err != nil {
		return fmt.Errorf("hash audit tree at %d: %w", q.size, err)
	}
	at := tlog.StoredHashIndex(0, q.size)
	for i, h := range stored {
		q.known[at+int64(i)], q.fresh[at+int64(i)] = h, h
	}
	q.size++
	return nil
}

func (q *sequencer) saveHashes(ctx context.Context) error {
	idx, hashes := make([]int64, 0, len(q.fresh)), make([][]byte, 0, len(q.fresh))
	for i, h := range q.fresh {
		idx, hashes = append(idx, i), append(hashes, h[:])
	}
	_, err := q.Exec(ctx, `INSERT INTO audit_hashes (idx, hash) SELECT * FROM unnest($1::bigint[], $2::bytea[])`, idx, hashes)
	return wrap("write audit hashes", err)
}

func (q *sequencer) checkpoint(ctx context.Context, sign func(audit.Checkpoint) ([]byte, error)) ([]byte, error) {
	root, err := tlog.TreeHash(q.size, q.reader(ctx))
	if err != nil {
		return nil, fmt.Errorf("audit tree root: %w", err)
	}
	signed, err := sign(audit.Checkpoint{Size: q.size, Root: root})
	if err != nil {
		return nil, err
	}
	_, err = q.Exec(ctx, `INSERT INTO audit_checkpoints (size, root, note) VALUES ($1, $2, $3)`, q.size, root[:], signed)
	return signed, wrap("write audit checkpoint", err)
}

// reader answers from this run's hashes and fetches the others in one query.
func (q *sequencer) reader(ctx context.Context) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		var missing []int64
		for _, x := range indexes {
			if _, ok := q.known[x]; !ok {
				missing = append(missing, x)
			}
		}
		if err := q.fetch(ctx, missing); err != nil {
			return nil, err
		}
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, ok := q.known[x]
			if !ok {
				return nil, damaged(fmt.Errorf("audit hash %d is missing", x))
			}
			out[i] = h
		}
		return out, nil
	}
}

func (q *sequencer) fetch(ctx context.Context, indexes []int64) error {
	if len(indexes) == 0 {
		return nil
	}
	rows, err := q.Query(ctx, `SELECT idx, hash FROM audit_hashes WHERE idx = ANY ($1)`, indexes)
	if err != nil {
		return wrap("read audit hashes", err)
	}
	var idx int64
	var hash []byte
	_, err = pgx.ForEachRow(rows, []any{&idx, &hash}, func() error { q.known[idx] = tlog.Hash(hash); return nil })
	return wrap("read audit hashes", err)
}
