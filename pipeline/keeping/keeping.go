// Package keeping watches over recordings after they were received: it compares the object store with the database in both
// directions, decides when a recording may go, and lets it go so that a record stays. It moves no dictation along.
//
//	check    rows ─┐
//	               ├─ merged by name ─▶ findings: what is missing, damaged, hidden or nobody's. Nothing is removed.
//	      objects ─┘
//
//	purge    rule and holds ─▶ intent ─▶ started ─▶ delete the object ─▶ signed tombstone
//
// Everything is done again after a crash: a check goes on from where it was, a purge from its row. The package declares what
// it needs of the database (Store) and of the object store (Objects) and knows neither.
package keeping

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"vesper/internal/audit"
)

// Recording is a recording's row with what a check and a purge need to know of it.
type Recording struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	DictationID uuid.UUID
	Rendition   string // "original" or "playback"
	Key         string
	VersionID   string // "" where the store has no versions
	SHA256      string // before encryption, hex
	Size        int64  // before encryption
	Seconds     float64
	SealedKey   []byte
	Purge       string // state of its purge, "" without one

	// Only for the rules:
	State     string // of the dictation
	WorkType  string
	Signed    bool
	Held      bool
	FinalAt   time.Time // when it was delivered or rejected; zero in other states
	LockUntil time.Time // what was asked of the object store; zero: nothing
	LockHeld  bool
}

// original is the rendition that was received.
const original = "original"

// Entry is one version of an object, or a delete marker, as the store lists it.
type Entry struct {
	Key          string
	VersionID    string
	Size         int64 // as stored
	StoredAt     time.Time
	Latest       bool
	DeleteMarker bool
}

// Objects is the store of recordings and checkpoints. Errors are faults: NotFound when something is not there, Internal
// ("audio_corrupt", "master_key_missing") when it is not what it should be, Conflict ("object_locked") when the store does
// not let it go, Unavailable when the store cannot be reached.
type Objects interface {
	// List yields every version and delete marker below a prefix after a name, in byte order of names.
	List(ctx context.Context, prefix, after string) iter.Seq2[Entry, error]
	// Folders lists the names below a prefix up to the next slash: folders end in one.
	Folders(ctx context.Context, prefix string) ([]string, error)
	// StoredSize is how many bytes a recording of this size takes in the store.
	StoredSize(size int64) int64
	// Look asks whether a recording is there in its size; Read reads it through and compares every byte's seal and the
	// SHA-256.
	Look(ctx context.Context, r Recording) error
	Read(ctx context.Context, r Recording) error
	// Uncover removes one delete marker.
	Uncover(ctx context.Context, key, marker string) error
	// Purge deletes the recording with all versions of its name. It MUST begin with the version that the row names, so
	// that a refusal leaves everything as it was. Purging what is gone already is no error.
	Purge(ctx context.Context, r Recording) error
	LockObjects
	Checkpoints
}

// LockObjects is what a store with object lock does. Both MUST succeed when it is so already.
type LockObjects interface {
	// CanLock says whether the store has object lock.
	CanLock() bool
	// LockUntil forbids deleting until a time, which is never moved back.
	LockUntil(ctx context.Context, r Recording, mode string, until time.Time) error
	// Hold sets or lifts the store's own legal hold.
	Hold(ctx context.Context, r Recording, on bool) error
}

// Checkpoints are the signed states of the audit log outside the database.
type Checkpoints interface {
	// CheckpointPrefix is where they stand; a name is the prefix and the size in twenty digits.
	CheckpointPrefix() string
	PutCheckpoint(ctx context.Context, size int64, signed []byte) error
	ReadCheckpoint(ctx context.Context, size int64) ([]byte, error)
}

// Checkpoint is one as the database holds it.
type Checkpoint struct {
	Size   int64
	Signed []byte
	At     time.Time
}

// Store is the truth.
type Store interface {
	Rows
	Findings
	Purges
	// Exclusive runs fn while no other process runs under the same name, and reports whether it did.
	Exclusive(ctx context.Context, name string, fn func(context.Context) error) (bool, error)
}

// Rows is what the check reads, one practice at a time.
type Rows interface {
	Practices(ctx context.Context) (map[string]uuid.UUID, error)
	// Recordings lists a practice's recordings after a name, in byte order of names.
	Recordings(ctx context.Context, practice uuid.UUID, after string, limit int) ([]Recording, error)
	// RecordingsNamed returns those with one of these names.
	RecordingsNamed(ctx context.Context, practice uuid.UUID, keys []string) ([]Recording, error)
	// CountRecordings counts the recordings of all practices, for a progress line.
	CountRecordings(ctx context.Context) (int64, error)
	// CheckpointRows lists checkpoints of a size greater than after, in order.
	CheckpointRows(ctx context.Context, after int64, limit int) ([]Checkpoint, error)
}

// Findings is where findings and runs are kept.
type Findings interface {
	// Report keeps findings of one practice, or of none (uuid.Nil), with an event for each new one; one that stands
	// already is seen again. It returns how many are new.
	Report(ctx context.Context, practice uuid.UUID, found []Finding) (int, error)
	// Mend marks standing findings of these kinds as mended: those with one of these names, or (keys nil) all that were
	// last seen before a time.
	Mend(ctx context.Context, kinds []Kind, keys []string, before time.Time) (int, error)
	// Standing lists findings of these kinds that are not mended, of all practices.
	Standing(ctx context.Context, kinds []Kind) ([]Finding, error)
	// StartRun begins a run, or takes up the newest unfinished one of the mode that has saved nothing for Silence (a
	// rolling one at once); SaveRun writes how far it has come.
	StartRun(ctx context.Context, mode Mode, by string, takeUp bool) (Run, error)
	SaveRun(ctx context.Context, r Run) error
	// LastRun returns the newest run of a mode, finished or not; the zero Run when there is none.
	LastRun(ctx context.Context, mode Mode) (Run, error)
}

// Purges is the way of a recording out.
type Purges interface {
	// Rules lists a practice's standing rules.
	Rules(ctx context.Context, practice uuid.UUID) ([]Rule, error)
	// Settled lists a practice's recordings received before a time, by id after one, with the fields for the rules.
	// Purged ones are left out.
	Settled(ctx context.Context, practice uuid.UUID, before time.Time, after uuid.UUID, limit int) ([]Recording, error)
	// IntendPurge writes the intent; Conflict ("recording_kept") when the database does not agree that it may go.
	IntendPurge(ctx context.Context, r Recording, rule uuid.UUID) error
	// DuePurges lists intents whose time has come.
	DuePurges(ctx context.Context, practice uuid.UUID, limit int) ([]Purge, error)
	// StartPurge asks the database once more and marks the purge as started; Conflict ("recording_kept") as above.
	StartPurge(ctx context.Context, p Purge) error
	// PutOffPurge gives a started purge back for later; DropPurge ends one whose recording stays.
	PutOffPurge(ctx context.Context, p Purge, code string, after time.Time) error
	DropPurge(ctx context.Context, p Purge, code string) error
	// FinishPurge writes the tombstone, the end of the purge and the event together.
	FinishPurge(ctx context.Context, p Purge, t audit.Tombstone, signed []byte) error
	// LockWork lists recordings whose hold in the object store differs from the practice's holds.
	LockWork(ctx context.Context, practice uuid.UUID, limit int) ([]Recording, error)
	// SaveLock keeps what was asked of the object store.
	SaveLock(ctx context.Context, r Recording, until time.Time, held bool) error
}

// Purge is an intent with its recording and the rule it follows.
type Purge struct {
	Recording
	Rule  Rule
	State string // "intended" or "started"
}
