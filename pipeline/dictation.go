// Package pipeline is the life of a dictation: its states, the work that moves it along, and everything people do to it,
// from the upload to the signed note in the EHR. PostgreSQL is the truth and a queue task is only a doorbell; the
// package declares the small interfaces it consumes and knows neither.
//
//	received ─▶ queued ─▶ transcribed ─▶ drafted ─▶ in_review ─▶ awaiting_signature ─▶ signed ─▶ delivered
//	                                        ▲ ▲          │             │
//	                                        │ └ released ┘             │
//	                                        └──────── returned ────────┘
//	rejected: unusable, back to the author.  failed: waits for a person, with the reason in plain words.
package pipeline

import (
	"time"

	"github.com/google/uuid"

	"vesper/pipeline/turnaround"
)

// State is where a dictation is in its life.
type State string

// The states of a dictation, in the order of a smooth life.
const (
	Received          State = "received"
	Queued            State = "queued"
	Transcribed       State = "transcribed"
	Drafted           State = "drafted"
	InReview          State = "in_review"
	AwaitingSignature State = "awaiting_signature"
	Signed            State = "signed"
	Delivered         State = "delivered"
	Rejected          State = "rejected"
	Failed            State = "failed"
)

// Priority orders work: stat before all that has not started, then by due time.
type Priority string

// The priorities.
const (
	Stat    Priority = "stat"
	Routine Priority = "routine"
)

// Dictation is one recording with its context, or a typed addendum (then AudioID is nil and ParentID is set).
type Dictation struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	AuthorID    uuid.UUID
	PatientID   *uuid.UUID
	EncounterID *uuid.UUID
	AudioID     *uuid.UUID
	ParentID    *uuid.UUID // the dictation whose signed note this one adds to
	WorkType    string
	Priority    Priority
	State       State
	Reason      string // why it is failed, rejected or returned, in plain words without patient text
	ClientKey   string // idempotency key chosen by the client, "" if none
	ReceivedAt  time.Time
	DueAt       time.Time
	UpdatedAt   time.Time
}

// StateChange is one step in a dictation's life, with the reason that was given for it. A step that only changes the
// reason has the same state on both sides.
type StateChange struct {
	At       time.Time
	From, To State
	Reason   string
}

// Audio is a recording in the object store. Rendition "original" is what was received, byte for byte; "playback" is the
// same sound as 16 kHz mono WAV, whose times are those of the transcript.
type Audio struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	DictationID uuid.UUID
	Rendition   string
	Key         string // in the object store
	SHA256      string // of the bytes before encryption, hex
	Size        int64  // bytes before encryption
	SealedKey   []byte // the object's key, wrapped by the master key
	VersionID   string
	ContentType string
	Filename    string  // as the client named it; shown to people, never used as a path
	Seconds     float64 // 0 until decoded
}

// The renditions of a recording.
const (
	Original = "original"
	Playback = "playback"
)

// Person is an account of the practice.
type Person struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	Role       string
	Login      string
	Name       string
	Credential string
	EHRRef     string // "Practitioner/p1"; "" where the EHR does not know this person
	Disabled   bool
}

// Patient is a reference to a patient of the EHR.
type Patient struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	MRN        string
	Name       string
	BirthDate  string // 2006-01-02
	Sex        string
	EHRRef     string // "Patient/p1"
}

// Encounter is a reference to a visit in the EHR.
type Encounter struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	PatientID  uuid.UUID
	AuthorID   uuid.UUID
	Starts     time.Time
	Title      string
	EHRRef     string

	PatientName, MRN string // of the patient, for lists; read only
}

// Card is a dictation as lists show it: enough to choose, no note text.
type Card struct {
	Dictation
	AuthorName  string
	PatientName string // "" where the actor may not see it or none is bound
	MRN         string
	Seconds     float64
	Done, Total int        // chunks transcribed so far
	ClaimedBy   *uuid.UUID // who holds the claim now
	ClaimedName string
	AssignedTo  *uuid.UUID // the editor it is offered to first, while that holds
	Assignee    string     // the name
	KeptUntil   *time.Time // from then on anybody may take it
	Obstacles   int        // open blanks and flags of the newest version
	Latest      int        // number of the note's newest version, 0 while there is none
	Quarantined bool       // its last work was set aside because it broke down each time
	Clock       turnaround.Reading
}
