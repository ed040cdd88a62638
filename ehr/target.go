package ehr

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"vesper/internal/fault"
)

// Target is one EHR that signed notes are delivered to.
//
// Deliver files the document. Implementations
//   - MUST be idempotent by Document.Identifier: however often, from however many processes, and after whatever failure
//     Deliver is called, at most one document with that identifier is made;
//   - MUST return a receipt only when the EHR has said that the document stands there;
//   - MUST look an unknown outcome up by identifier before anything is sent again, and MUST NOT report a lost answer as
//     a refusal;
//   - MUST NOT put patient text into errors, logs or URLs;
//   - MUST be safe for use by several goroutines, and MUST return soon after ctx is done.
//
// ReadBack fetches what stands in the EHR now, for Verify. It MUST ask the EHR itself and not answer from memory.
//
// Errors of both are faults. Their kind says what happens next:
//
//	Unavailable  the outcome is unknown or the EHR is away; call again later, with the same document
//	Conflict     the EHR holds something that contradicts the delivery (two documents, other bytes): to a person
//	Invalid      the EHR refused, or the document or the configuration is wrong: to a person
//	NotFound     (ReadBack only) the receipt's document is not there any more: to a person
type Target interface {
	// Name is the target's short name in the configuration, the same for ever: deliveries are recorded under it.
	Name() string
	Deliver(ctx context.Context, doc Document) (Receipt, error)
	ReadBack(ctx context.Context, r Receipt) (Copy, error)
}

// Outcome says how a receipt came about.
type Outcome string

// The outcomes of a delivery that ended well.
const (
	Created Outcome = "created" // this call made the document
	Existed Outcome = "existed" // the EHR said that it had it already
	Found   Outcome = "found"   // the answer was lost or unclear; a look-up found the document
)

// Receipt is the EHR's word that a document stands there.
type Receipt struct {
	Target    string
	ID        string // where it stands, relative to the target: "DocumentReference/7"
	VersionID string // the EHR's own version of it, "" if it has none
	At        time.Time
	Outcome   Outcome
}

// Copy is what stands in the EHR, as read back. References are relative to the target where they point into it. It prints
// as nothing but its id.
type Copy struct {
	ID          string
	VersionID   string
	Identifiers []Identifier
	Status      string // "current" for a document in force
	DocStatus   string // "final", or "amended" for a replacement; "" where the EHR does not keep it
	Subject     string // reference to the patient
	Encounters  []string
	ContentType string
	Body        Text
	BodySHA256  string // computed from Body by the reader, lower-case hex
	RelatesTo   []Relation
}

// Send delivers, reads back and verifies: the whole of a write-back. It returns a receipt also beside an error of
// ReadBack or Verify, because the document then stands in the EHR.
func Send(ctx context.Context, t Target, doc Document) (Receipt, Copy, error) {
	if err := doc.Validate(); err != nil {
		return Receipt{}, Copy{}, err
	}
	r, err := t.Deliver(ctx, doc)
	if err != nil {
		return Receipt{}, Copy{}, err
	}
	c, err := t.ReadBack(ctx, r)
	if err != nil {
		return r, Copy{}, err
	}
	return r, c, Verify(doc, c)
}

// NeedsPerson says whether a delivery's error is one that trying again cannot mend.
func NeedsPerson(err error) bool {
	switch fault.KindOf(err) {
	case fault.Conflict, fault.Invalid, fault.NotFound:
		return true
	default:
		return false
	}
}

// Format keeps everything but the id out of every fmt verb.
func (c Copy) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "copy %s version %s", c.ID, c.VersionID) }

// LogValue keeps everything but the id out of logs.
func (c Copy) LogValue() slog.Value { return slog.StringValue(c.ID) }
