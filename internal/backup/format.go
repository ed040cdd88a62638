package backup

import (
	"time"

	"github.com/google/uuid"
)

// Format is the version of the archive's layout.
const Format = 1

// The members of an archive.
const (
	headerName   = "vesper-backup.json"
	finalName    = "manifest.json"
	filesDir     = "files/"
	databaseDir  = "database/"
	objectsDir   = "objects/"
	recordsDir   = "checkpoints/"
	manifestsDir = "manifest/"
)

const (
	pieceSize   = 4 << 20  // of the dump
	perManifest = 1000     // members that one manifest lists, which bounds what is kept in memory
	maxSmall    = 64 << 20 // header, manifests, files: what is read whole
)

// Header is the first member: what the archive is and what its restoration must come to.
type Header struct {
	Format     int              `json:"format"`
	Program    string           `json:"program"`
	At         time.Time        `json:"at"`
	Schema     int              `json:"schema"`
	Postgres   int              `json:"postgres"` // major version of the server that was dumped
	Tables     map[string]int64 `json:"tables"`   // rows
	Checkpoint *Checkpoint      `json:"checkpoint,omitempty"`
}

// Checkpoint is the last signed state of the audit log within the snapshot.
type Checkpoint struct {
	Size   int64  `json:"size"`
	Root   string `json:"root"`   // base64
	Signed string `json:"signed"` // the note as it was signed
}

// Recording is what an object's member carries beside its bytes.
type Recording struct {
	ID       uuid.UUID         `json:"id"`
	Key      string            `json:"key"`
	Metadata map[string]string `json:"metadata"`
}

// Damage is a recording that was missing or damaged when the backup was made. Ids and reasons only.
type Damage struct {
	ID   uuid.UUID `json:"id"`
	What string    `json:"what"`
}

// Manifest is the last member.
type Manifest struct {
	Members     int64    `json:"members"` // before this one, without manifests
	Bytes       int64    `json:"bytes"`   // in them
	Manifests   int      `json:"manifests"`
	Chain       string   `json:"chain"` // hash over all manifests in order
	Recordings  int64    `json:"recordings"`
	Checkpoints int64    `json:"checkpoints"`
	Damaged     []Damage `json:"damaged,omitempty"`
	// Purged are recordings of the snapshot that were purged while the backup was made, so that they are not in it.
	Purged []uuid.UUID `json:"purged,omitempty"`
}

// entry is a line of a manifest.
type entry struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
