package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"
)

// tombstoneHead is the first line of a signed tombstone: nothing else that the key signs begins like this.
const tombstoneHead = "vesper-tombstone/1"

// Tombstone is what is left of a recording that was purged: what it was, under which rule it went, and when. It holds ids
// and hashes, never patient text.
type Tombstone struct {
	AudioID     uuid.UUID `json:"audio_id"`
	PracticeID  uuid.UUID `json:"practice_id"`
	DictationID uuid.UUID `json:"dictation_id"`
	Rendition   string    `json:"rendition"`
	SHA256      string    `json:"sha256"` // of the recording before encryption, hex
	Size        int64     `json:"size"`
	Seconds     float64   `json:"seconds"`
	RuleID      uuid.UUID `json:"rule_id"`
	WorkType    string    `json:"work_type"` // of the rule; "" is the rule for all
	RuleVersion int       `json:"rule_version"`
	Days        int       `json:"days"`
	FinalAt     time.Time `json:"final_at"` // delivered or rejected; the days ran from here
	State       string    `json:"state"`    // delivered or rejected
	PurgedAt    time.Time `json:"purged_at"`
}

// Sign writes the tombstone as a signed note: head, the statement in RFC 8785 form, signature by the audit log's key.
func (t Tombstone) Sign(skey string) ([]byte, error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, fmt.Errorf("read audit key: %w", err)
	}
	t.FinalAt, t.PurgedAt = t.FinalAt.UTC().Truncate(time.Microsecond), t.PurgedAt.UTC().Truncate(time.Microsecond)
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encode tombstone: %w", err)
	}
	statement, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("canonicalise tombstone: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: tombstoneHead + "\n" + string(statement) + "\n"}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign tombstone: %w", err)
	}
	return signed, nil
}

// OpenTombstone checks the signature and returns the statement.
func OpenTombstone(signed []byte, vkey string) (Tombstone, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Tombstone{}, fmt.Errorf("read audit public key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Tombstone{}, fmt.Errorf("open tombstone: %w", err)
	}
	head, statement, _ := strings.Cut(n.Text, "\n")
	if head != tombstoneHead {
		return Tombstone{}, fmt.Errorf("tombstone has another form")
	}
	var t Tombstone
	if err := json.Unmarshal([]byte(statement), &t); err != nil {
		return Tombstone{}, fmt.Errorf("read tombstone: %w", err)
	}
	return t, nil
}
