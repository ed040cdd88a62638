package pipeline

import (
	"io"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/notes"
	"vesper/transcribe"
)

// Submission is a recording on its way in.
type Submission struct {
	ClientKey   string     // chosen by the client so that a repeated upload is recognised; may be ""
	AuthorID    uuid.UUID  // zero: the actor
	AuthorLogin string     // instead of AuthorID: looked up in the practice
	PatientID   *uuid.UUID // known patient
	EncounterID *uuid.UUID
	PatientMRN  string // instead of PatientID: looked up in the practice
	WorkType    string // "" means progress
	Priority    Priority
	Filename    string
	ContentType string
	Upload      uuid.UUID // the resumable upload it came as; zero: none
	Body        io.Reader
}

// Receipt is the promise "received": the bytes stand in the object store, their SHA-256 is checked, the row is
// committed.
type Receipt struct {
	DictationID uuid.UUID
	State       State
	SHA256      string
	Bytes       int64
	ReceivedAt  time.Time
	Duplicate   bool          // the same client key or the same bytes were here before; this is the earlier dictation
	Wait        time.Duration // about how long until the engine hears it
	WaitKnown   bool
}

// Detail is all about one dictation that the actor may see.
type Detail struct {
	Card
	Patient    *Patient
	Encounter  *Encounter
	Note       *Note
	Version    *Version // the newest
	Transcript *transcribe.Transcript
	Claim      *Claim
	Obstacles  []notes.Obstacle
	Signature  *Signature
	Deliveries []Delivery
	Parent     *uuid.UUID             // dictation of the note this one adds to
	Addenda    []uuid.UUID            // dictations that add to this one
	HasAudio   bool                   // there is a recording to listen to
	Purged     []Tombstone            // of recordings that are gone
	Can        map[access.Action]bool // what the actor may do now
}

// SignaturePreview is what the physician sees before signing.
type SignaturePreview struct {
	Detail
	Changes     []notes.Change // from the engine's draft to this version
	Preview     string         // the text that will go to the EHR, with the signature block as it will stand
	ContentHash string         // what the physician has seen, patient, visit and work type included; Sign demands it back
}

// SignRequest is the physician's decision, bound to what was seen.
type SignRequest struct {
	Version     int
	ContentHash string
	Password    string
}

// History is the whole record of one dictation.
type History struct {
	Detail
	Versions []Version // all, oldest first
	Events   []Event
	Jobs     []Job
	Moves    []StateChange // all changes of state with their reasons, oldest first
	Layers   []LayerChange // who put what right: engine to editor, editor to author
}

// LayerChange is the difference between two layers of a note.
type LayerChange struct {
	From, To int // numbers of the versions
	ByName   string
	Errors   notes.Errors
	Changes  []notes.Change
}

// Event is an audit event with the actor's name, for reading.
type Event struct {
	audit.Event
	ActorName string
}
