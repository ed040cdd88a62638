// Package audit keeps the record that cannot be quietly changed. Each event commits in the same transaction as the
// action it records. A sequencer then adds the event's hash to a Merkle tree (RFC 6962 hashes, as in Go's checksum
// database) and signs checkpoints of the tree, which are kept outside the database as well. Verify recomputes all of it.
// The package is pure: an export can be checked without a server.
//
//	action + event ─ one transaction ─▶ audit_events ─ sequencer ─▶ tree leaves, hashes ─▶ signed checkpoint ─▶ object store
package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"
)

// Event is one thing that happened: who did what to which object, when, with what outcome. It holds ids and codes,
// never patient text.
type Event struct {
	ID         uuid.UUID         `json:"id"`
	PracticeID uuid.UUID         `json:"practice_id"`
	At         time.Time         `json:"at"` // UTC, microseconds
	ActorID    uuid.UUID         `json:"actor_id"`
	ActorRole  string            `json:"actor_role"`
	Action     string            `json:"action"`  // "note.sign", see access.Action
	Subject    string            `json:"subject"` // kind of object: "dictation", "note", "session", …
	SubjectID  uuid.UUID         `json:"subject_id"`
	Outcome    string            `json:"outcome"` // "done" or "refused"
	RequestID  string            `json:"request_id,omitempty"`
	Detail     map[string]string `json:"detail,omitempty"` // ids, hashes, versions, states; no patient text
}

// Canonical is the event's RFC 8785 form: the bytes that the tree's leaf commits to.
func (e Event) Canonical() ([]byte, error) {
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if len(e.Detail) == 0 {
		e.Detail = nil
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode audit event: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("canonicalise audit event: %w", err)
	}
	return out, nil
}

// Leaf is the hash of the event in the tree.
func (e Event) Leaf() (tlog.Hash, error) {
	data, err := e.Canonical()
	if err != nil {
		return tlog.Hash{}, err
	}
	return tlog.RecordHash(data), nil
}
