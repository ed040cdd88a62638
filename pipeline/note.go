package pipeline

import (
	"time"

	"github.com/google/uuid"

	"vesper/notes"
)

// Note is the document made from one dictation: a list of append-only versions.
type Note struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	DictationID uuid.UUID
	ParentID    *uuid.UUID // the signed note this one is an addendum to
	WorkType    string
	Latest      int // number of the newest version
}

// VersionKind says how a version came to be.
type VersionKind string

// The kinds of version.
const (
	EngineDraft VersionKind = "draft"    // made from the transcript
	EditorEdit  VersionKind = "edit"     // saved by a person
	Addendum    VersionKind = "addendum" // typed by the author after signing
)

// Version is one immutable state of a note.
type Version struct {
	ID          uuid.UUID
	NoteID      uuid.UUID
	Number      int // 1, 2, 3 …
	Kind        VersionKind
	Document    notes.Document
	ContentHash string // notes.ContentHash of Document
	By          *uuid.UUID
	ByName      string
	At          time.Time
}

// Claim is a person's exclusive hold on a dictation under review, until it ends or is released.
type Claim struct {
	DictationID uuid.UUID
	PersonID    uuid.UUID
	PersonName  string
	Token       uuid.UUID
	Until       time.Time
	Since       time.Time
}

// ClaimLease is how long a claim lives without a sign of life from the editor's page.
const ClaimLease = 10 * time.Minute

// Signature is a physician's approval of exactly these bytes.
type Signature struct {
	ID              uuid.UUID
	PracticeID      uuid.UUID
	NoteID          uuid.UUID
	Version         int
	SignerID        uuid.UUID
	SignerName      string
	Credential      string
	Meaning         string
	Method          string // how the signer proved to be present: "password"
	SignedAt        time.Time
	Canonical       []byte // RFC 8785 bytes of the signing statement
	CanonicalSHA256 string
	Text            []byte // the exact bytes that go to the EHR
	TextSHA256      string
}

// DeliveryState is where a delivery is. Unknown means the answer was lost: it is looked up, never blindly sent again.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliverySending   DeliveryState = "sending"
	DeliveryUnknown   DeliveryState = "unknown"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryRejected  DeliveryState = "rejected"
)

// Delivery is one signed note on its way into one EHR.
type Delivery struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	NoteID      uuid.UUID
	SignatureID uuid.UUID
	TextSHA256  string // must equal the signature's; the database refuses anything else
	Target      string
	State       DeliveryState
	EHRID       string // where it stands in the EHR: "DocumentReference/7"
	EHRVersion  string
	ReadBackSHA string // SHA-256 of the bytes read back
	ErrorCode   string
	UpdatedAt   time.Time
}

// StoredTranscript is a transcript as kept: immutable, one per engine run.
type StoredTranscript struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	DictationID uuid.UUID
	JobID       uuid.UUID
	SettingsSHA string
	At          time.Time
}
