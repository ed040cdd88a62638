package audit

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Entry is one sequenced event as stored: its place in the tree, the leaf hash written at the time, and the event.
type Entry struct {
	Seq   int64 // 0-based place in the tree
	Leaf  tlog.Hash
	Event Event
}

// Finding is something wrong with the log, with the first place where it shows.
type Finding struct {
	Seq  int64  // -1 where it concerns no single entry
	What string // plain words
}

// Report is the outcome of a verification.
type Report struct {
	Events      int64
	Checkpoints int
	Root        tlog.Hash
	Findings    []Finding
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Verifier recomputes the tree entry by entry and compares it with signed checkpoints. Feed it all entries in order
// with Add, then call Finish. It keeps 32 bytes in memory for each node of the tree.
type Verifier struct {
	want     map[int64][]Checkpoint
	hashes   map[int64]tlog.Hash
	size     int64
	report   Report
	largest  int64 // size of the largest checkpoint given at the start
	covered  int64 // size of the largest checkpoint that lies within what was read
	reported bool
}

// NewVerifier takes the signed checkpoints (from the database and from outside it) and the log's public key.
func NewVerifier(checkpoints [][]byte, vkey string) *Verifier {
	v := &Verifier{want: map[int64][]Checkpoint{}, hashes: map[int64]tlog.Hash{}}
	for _, raw := range checkpoints {
		c, err := OpenCheckpoint(raw, vkey)
		if err != nil {
			v.find(-1, "a checkpoint's signature does not verify: "+err.Error())
			continue
		}
		v.report.Checkpoints++
		v.want[c.Size] = append(v.want[c.Size], c)
		v.largest = max(v.largest, c.Size)
	}
	return v
}

// Add checks the next entry: its number follows, its leaf is the hash of the event, and the tree so far matches every
// checkpoint of this size.
func (v *Verifier) Add(e Entry) error {
	if e.Seq != v.size && !v.reported {
		v.find(v.size, fmt.Sprintf("entry %d is missing: entry %d follows", v.size, e.Seq))
		v.reported = true // everything after a gap differs; the first place is what matters
	}
	leaf, err := e.Event.Leaf()
	if err != nil {
		return fmt.Errorf("hash entry %d: %w", e.Seq, err)
	}
	if leaf != e.Leaf {
		v.find(e.Seq, fmt.Sprintf("entry %d was changed after it was recorded", e.Seq))
	}
	stored, err := tlog.StoredHashesForRecordHash(v.size, leaf, v.reader())
	if err != nil {
		return fmt.Errorf("hash tree at %d: %w", v.size, err)
	}
	at := tlog.StoredHashIndex(0, v.size)
	for i, h := range stored {
		v.hashes[at+int64(i)] = h
	}
	v.size++
	return v.compare()
}

func (v *Verifier) compare() error {
	for _, c := range v.want[v.size] {
		v.covered = v.size
		root, err := tlog.TreeHash(v.size, v.reader())
		if err != nil {
			return fmt.Errorf("tree root at %d: %w", v.size, err)
		}
		if root != c.Root && !v.reported {
			v.find(v.size-1, fmt.Sprintf("the log up to entry %d differs from a signed checkpoint", v.size-1))
			v.reported = true
		}
	}
	return nil
}

// Cover takes checkpoints that were read after the entries: a log that grows while it is read ends with entries that
// only these cover. What they sign beyond the entries read is left to the next verification.
func (v *Verifier) Cover(checkpoints [][]byte, vkey string) error {
	for _, raw := range checkpoints {
		c, err := OpenCheckpoint(raw, vkey)
		if err != nil || c.Size <= v.covered || c.Size > v.size {
			continue // a bad signature was found before, or will be the next time
		}
		root, err := tlog.TreeHash(c.Size, v.reader())
		if err != nil {
			return fmt.Errorf("tree root at %d: %w", c.Size, err)
		}
		if root != c.Root {
			v.find(c.Size-1, fmt.Sprintf("the log up to entry %d differs from a signed checkpoint", c.Size-1))
		}
		v.covered = c.Size
	}
	return nil
}

// Finish compares the end of the log with the largest checkpoint and returns the report. Entries beyond it are a finding:
// the sequencer signs whenever it adds.
func (v *Verifier) Finish(ctx context.Context) (Report, error) {
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	v.report.Events = v.size
	if v.largest > v.size {
		v.find(v.size, fmt.Sprintf("the log ends at %d entries, but a signed checkpoint covers %d: its tail was cut", v.size, v.largest))
	}
	if v.covered < v.size && v.largest <= v.size {
		v.find(v.covered, fmt.Sprintf("entries from %d on are under no signed checkpoint: they were added by another hand, or checkpoints were removed", v.covered))
	}
	if v.size > 0 {
		root, err := tlog.TreeHash(v.size, v.reader())
		if err != nil {
			return Report{}, fmt.Errorf("tree root: %w", err)
		}
		v.report.Root = root
	}
	return v.report, nil
}

func (v *Verifier) reader() tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, ok := v.hashes[x]
			if !ok {
				return nil, fmt.Errorf("hash %d is not at hand", x)
			}
			out[i] = h
		}
		return out, nil
	}
}

func (v *Verifier) find(seq int64, what string) {
	v.report.Findings = append(v.report.Findings, Finding{Seq: seq, What: what})
}
