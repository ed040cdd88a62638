package pipeline

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/google/uuid"

	"vesper/internal/lexicon"
	"vesper/transcribe"
)

// Arriving is an upload that has not come to its end, as far as it is listened to. All of it is a head start: nothing
// depends on it for correctness, and whatever goes wrong with it only ends it.
//
//	open ──▶ received ──▶ taken ──▶ done      its dictation's transcription takes over what was heard
//	  └─────────┴───────────┴─────▶ dropped   withdrawn, silent for long, not to be decoded
type Arriving struct {
	ID          uuid.UUID // of the upload
	PracticeID  uuid.UUID
	AuthorID    uuid.UUID
	PatientID   *uuid.UUID
	EncounterID *uuid.UUID
	Settings    json.RawMessage // frozen when listening became possible; terms are frozen beside it
	State       ArrivingState
	Parts       int   // that are ready, numbered from 0
	Bytes       int64 // in them: a beginning of the upload
	Chunks      int   // heard and saved
	Heard       float64
	DictationID *uuid.UUID
	Attempt     int
	LeaseToken  uuid.UUID // fencing token of the present listener
	Worker      string
	ActiveAt    time.Time // when bytes came last
}

// ArrivingState is where such an upload is.
type ArrivingState string

// The states of an arriving upload.
const (
	ArrivingOpen     ArrivingState = "open"
	ArrivingReceived ArrivingState = "received"
	ArrivingTaken    ArrivingState = "taken"
	ArrivingDone     ArrivingState = "done"
	ArrivingDropped  ArrivingState = "dropped"
)

// ArrivingPart is an encrypted piece of an arriving upload. Sealed is its encrypted form, on the way in only.
type ArrivingPart struct {
	PracticeID uuid.UUID
	Upload     uuid.UUID
	Number     int
	Offset     int64 // in the upload
	Size       int64 // bytes before encryption
	Key        string
	SHA256     string // of the bytes before encryption, hex
	SealedKey  []byte
	Sealed     []byte
}

// Parts keeps pieces of uploads in the object store until they are no longer needed. SealPart encrypts; the caller writes
// down what will be stored, then PutPart stores it, in the place of an earlier try. RemoveParts removes all pieces of an
// upload, also those that nobody wrote down; nothing being there is success.
type Parts interface {
	SealPart(practice, upload uuid.UUID, number int, plain []byte) (ArrivingPart, error)
	PutPart(ctx context.Context, p ArrivingPart) error
	GetPart(ctx context.Context, p ArrivingPart) ([]byte, error)
	RemoveParts(ctx context.Context, upload uuid.UUID) error
}

// Hearer is a Recogniser that can listen while the recording still arrives. Hear returns when body has ended and all is
// heard, or with an error; the same bytes give the same sound, chunks and transcript as Decode and Transcribe.
type Hearer interface {
	Hear(ctx context.Context, body io.Reader, h Hearing) (transcribe.Transcript, error)
}

// Hearing is how one arriving recording is listened to.
type Hearing struct {
	Settings []byte
	Saved    [][]byte // chunks that were heard before
	// Admit is asked before each use of an engine; what it returns is called when the use is over.
	Admit func(context.Context) (release func(), err error)
	// OnChunk gets each further chunk, in order, with the second up to which the recording is heard by then, and with how many
	// chunks there are, 0 while unknown.
	OnChunk func(total int, heard float64, result []byte) error
	// OnWhole gets the sound once all of it is decoded. Whoever got it closes it, after Hear has returned.
	OnWhole func(Sound)
}

// ArrivingTx is arriving uploads inside one practice.
type ArrivingTx interface {
	// OpenArriving writes the row unless there is one, and returns the one that is there.
	OpenArriving(ctx context.Context, a Arriving) (now Arriving, made bool, err error)
	// AddPart writes down the next part of an open upload, in the place of one that is not ready. Conflict
	// ("arriving_closed") when it is not the next one or the upload is not open.
	AddPart(ctx context.Context, p ArrivingPart) error
	// PartReady says that the part stands in the object store. Conflict as AddPart.
	PartReady(ctx context.Context, p ArrivingPart) error
	// ArrivingParts lists the parts that are ready, from a number on, in order.
	ArrivingParts(ctx context.Context, upload uuid.UUID, from int) ([]ArrivingPart, error)
	// ReceiveArriving notes which dictation an open upload became. No such upload is success.
	ReceiveArriving(ctx context.Context, upload, author, dictation uuid.UUID) error
	// DropArriving ends an upload that did not come to its end; false when there was nothing to end.
	DropArriving(ctx context.Context, upload, author uuid.UUID, code string) (bool, error)
	// DropIdleArriving ends an upload that nothing came of for so long, whatever its state; false when it is closed or has
	// brought something meanwhile.
	DropIdleArriving(ctx context.Context, upload uuid.UUID, idle time.Duration) (bool, error)
	// TakeArriving fences whoever listens to the upload that became this dictation, and returns it; nil when there is none.
	TakeArriving(ctx context.Context, dictation uuid.UUID) (*Arriving, error)
	// DoneArriving says that the dictation is transcribed: nothing of the upload is needed any more.
	DoneArriving(ctx context.Context, dictation uuid.UUID) error
	// FreezeArrivingTerms keeps what the listening expects, under its token; ArrivingTerms reads it back.
	FreezeArrivingTerms(ctx context.Context, upload, token uuid.UUID, terms []lexicon.Term) error
	ArrivingTerms(ctx context.Context, upload uuid.UUID) (terms []lexicon.Term, frozen bool, err error)
	// SaveHeard keeps a chunk's result under the listener's token; Heard returns the saved ones, by number.
	SaveHeard(ctx context.Context, upload, token uuid.UUID, number int, heard float64, result json.RawMessage) error
	Heard(ctx context.Context, upload uuid.UUID) ([]json.RawMessage, error)
	// AdoptHeard makes the heard chunks saved chunks of the job, under its token, unless it has some of its own.
	AdoptHeard(ctx context.Context, upload, job, token uuid.UUID) (int, error)
	// StrikeArriving removes the parts' rows, chunks and terms of a closed upload.
	StrikeArriving(ctx context.Context, upload uuid.UUID) error
}

// ArrivingQueue is the workers' side of arriving uploads, across practices.
type ArrivingQueue interface {
	// ClaimArriving takes an open upload that brings bytes and that nobody listens to, for one listener; nil when none is
	// to be had.
	ClaimArriving(ctx context.Context, worker string) (*Arriving, error)
	// BeatArriving extends the listener's lease, else Conflict ("arriving_fenced").
	BeatArriving(ctx context.Context, id, token uuid.UUID) error
	// ReleaseArriving gives the lease back, so that it may be claimed again after a time; drop ends it for good. A lease
	// that is gone is success.
	ReleaseArriving(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, drop bool) error
	// TranscriptionsWait says whether complete dictations wait for a worker to transcribe them.
	TranscriptionsWait(ctx context.Context) (bool, error)
	// IdleArriving lists uploads that are not closed and that nothing came of for so long, at most a thousand.
	IdleArriving(ctx context.Context, idle time.Duration) ([]Arriving, error)
	// ClosedArriving lists the closed uploads to purge: those never purged, and those purged longer ago than late, which are
	// purged a second time and forgotten.
	ClosedArriving(ctx context.Context, late time.Duration) ([]Arriving, error)
	// PurgedArriving notes that the parts were removed; a row that was purged before is removed.
	PurgedArriving(ctx context.Context, id uuid.UUID) error
}

// Times of listening.
const (
	listenEvery   = time.Second      // how often a worker looks for uploads to listen to, and a listener for new parts
	listenIdle    = 2 * time.Minute  // without new bytes: the listener leaves; it comes back with the bytes
	arrivingIdle  = time.Hour        // without new bytes, or without end to its dictation: what was heard is thrown away
	arrivingLate  = time.Hour        // after which nothing can be on its way to the object store any more
	arrivingTries = 30               // times that listeners take an upload up
	purgeEvery    = 30 * time.Second // how often closed uploads are cleared away
)

// ArrivingIdle is how long an upload may bring nothing before a listener leaves it.
const ArrivingIdle = listenIdle

// ArrivingTries is how often an upload is taken up.
const ArrivingTries = arrivingTries
