package keeping

import (
	"time"

	"github.com/google/uuid"
)

// Kind is what is wrong.
type Kind string

// The kinds of findings.
const (
	Missing           Kind = "object_missing"     // a row, and nothing in the store
	VersionMissing    Kind = "version_missing"    // a row, and only other versions of its object
	WrongSize         Kind = "wrong_size"         // the object has another size than its row says
	Damaged           Kind = "damaged"            // its bytes fail their seal or their SHA-256
	Undecryptable     Kind = "undecryptable"      // it is locked with a master key that is not configured
	Orphan            Kind = "orphan"             // an object that no row names
	Covered           Kind = "delete_marker"      // somebody deleted it; the version is still there
	PurgedPresent     Kind = "purged_present"     // it has a tombstone and is there all the same
	PlaybackMissing   Kind = "playback_missing"   // the rendition for listening is gone; the original is another row
	CheckpointMissing Kind = "checkpoint_missing" // a signed state of the audit log that stands only in the database
	CheckpointDiffers Kind = "checkpoint_differs" // the two copies of one are not alike
	CheckpointUnknown Kind = "checkpoint_unknown" // one that the database does not have: has it been set back?
)

// Kinds lists all kinds.
func Kinds() []Kind { return append(quickKinds(), Damaged, Undecryptable) }

// quickKinds are those that a quick check finds, and finds mended.
func quickKinds() []Kind {
	return []Kind{
		Missing, VersionMissing, WrongSize, Orphan, Covered, PurgedPresent, PlaybackMissing,
		CheckpointMissing, CheckpointDiffers, CheckpointUnknown,
	}
}

// Mendable are the kinds that `vesper fsck --repair` can mend, because nothing is removed by it but a delete marker.
func Mendable() []Kind { return []Kind{Covered, PlaybackMissing, CheckpointMissing} }

// Words says the kind in plain words, with what to do.
func (k Kind) Words() string {
	switch k {
	case Missing:
		return "A recording is missing in the object store. Bring it back from a backup of the store, under the same name."
	case VersionMissing:
		return "The stored version that was received is gone; another one stands under its name. Bring the version back from a backup."
	case WrongSize:
		return "A stored recording has another size than what was received. Bring it back from a backup of the store."
	case Damaged:
		return "A stored recording is damaged: its bytes are not those that were received. Bring it back from a backup of the store."
	case Undecryptable:
		return "A recording is locked with a master key that is not configured. Add that key to the configuration."
	case Orphan:
		return "An object in the store belongs to no recording. It is left alone. Find out where it comes from: an older database, or another program."
	case Covered:
		return "A recording was deleted in the object store, but its version is still there. `vesper fsck --repair` brings it back."
	case PurgedPresent:
		return "A purged recording stands in the object store again: was a backup restored? Remove it there, or keep it knowingly."
	case PlaybackMissing:
		return "The rendition for listening is missing. The recording itself is not concerned. `vesper fsck --repair` makes it again."
	case CheckpointMissing:
		return "A signed state of the audit log stands only in the database. `vesper fsck --repair` copies it into the object store."
	case CheckpointDiffers:
		return "A signed state of the audit log differs between the database and the object store. Change nothing and call whoever is responsible for compliance."
	case CheckpointUnknown:
		return "The object store has a signed state of the audit log that the database does not know: the database may have been set back. Change nothing and call whoever is responsible for compliance."
	default:
		return string(k)
	}
}

// Finding is something that the check found. Nothing is ever removed because of one.
type Finding struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID // uuid.Nil: it concerns the whole installation
	Kind        Kind
	Key         string // in the object store
	VersionID   string
	AudioID     uuid.UUID // uuid.Nil where it is unknown
	DictationID uuid.UUID
	FirstSeen   time.Time
	LastSeen    time.Time
	SettledBy   *uuid.UUID
	SettledName string
	SettledAt   *time.Time
	SettledNote string
}

// Mode is how a check looks.
type Mode string

// The modes. Quick compares names, versions and sizes; Deep reads every byte as well; Rolling is the keeper's slow deep
// check, which never ends and begins again.
const (
	Quick   Mode = "quick"
	Deep    Mode = "deep"
	Rolling Mode = "rolling"
)

// Silence is how long a run may save nothing before another process takes it for broken off.
const Silence = 2 * time.Minute

// Run is one pass over everything.
type Run struct {
	ID         uuid.UUID
	Mode       Mode
	By         string // "keeper" or "operator"
	StartedAt  time.Time
	SavedAt    time.Time
	FinishedAt time.Time // zero: not yet
	Place      string    // the last name that was dealt with
	Objects    int64
	Bytes      int64 // read and compared
	Found      int64
}
