package pipeline

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/transcribe"
)

// Store is the truth: PostgreSQL. InTx runs fn in one transaction that sees only the given practice (row-level
// security); it commits when fn returns nil and may run fn again after a serialisation failure, so fn MUST NOT have
// effects outside the transaction. Every write and its audit event belong in one InTx.
//
// Errors are faults: NotFound for absent rows, Conflict where a guard did not match, Unavailable when PostgreSQL cannot
// be reached.
type Store interface {
	InTx(ctx context.Context, practice uuid.UUID, fn func(ctx context.Context, tx Tx) error) error
	Accounts
	JobQueue
	ArrivingQueue
	AuditLog
	TombstoneLog
	MessageQueue
}

// Tx is what one transaction can do.
type Tx interface {
	DictationTx
	NoteTx
	PeopleTx
	VocabularyTx
	LanguageTx
	TextBlockTx
	CorrectionTx
	ArrivingTx
	WorkTx
	KeepingTx
	ClockTx
	NoticeTx
	AssignTx
	// AddJob writes the intent to do a stage. The same kind, dictation, input and generation is written once only;
	// the existing job's id is returned then. ID, State and the times are set by the store.
	AddJob(ctx context.Context, j Job) (uuid.UUID, error)
	// FinishJob marks a running job done if the fencing token still holds, else Conflict ("job_fenced"): the caller's
	// transaction must then roll back, because another worker owns the job.
	FinishJob(ctx context.Context, id, token uuid.UUID) error
	// BuryJob marks a running job dead under its fencing token, with the code of the failure.
	BuryJob(ctx context.Context, id, token uuid.UUID, code string) error
	// HoldJob makes sure that a running job is the caller's, and stays so until the transaction ends, else Conflict
	// ("job_fenced").
	HoldJob(ctx context.Context, id, token uuid.UUID) error
	// Jobs lists a dictation's jobs, oldest first.
	Jobs(ctx context.Context, dictation uuid.UUID) ([]Job, error)
	// NextGen returns the generation for ordering a stage again.
	NextGen(ctx context.Context, dictation uuid.UUID, kind JobKind) (int, error)
	// Audit writes an event. ID and At are set by the store when zero.
	Audit(ctx context.Context, e audit.Event) error
	// Events lists the audit events of one object (subject id), oldest first.
	Events(ctx context.Context, subject uuid.UUID) ([]audit.Event, error)
	// PracticeEvents lists the newest events of the practice, at most limit, older than before (zero: now).
	PracticeEvents(ctx context.Context, before time.Time, limit int) ([]audit.Event, error)
}

// DictationTx is the dictation aggregate: dictations, recordings, transcripts.
type DictationTx interface {
	InsertDictation(ctx context.Context, d Dictation) error
	InsertAudio(ctx context.Context, a Audio) error
	SetAudioSeconds(ctx context.Context, id uuid.UUID, seconds float64) error
	// AudioOf returns a dictation's recording in the given rendition, or NotFound.
	AudioOf(ctx context.Context, dictation uuid.UUID, rendition string) (Audio, error)
	Dictation(ctx context.Context, id uuid.UUID) (Dictation, error)
	// DictationForUpdate locks the row until the transaction ends.
	DictationForUpdate(ctx context.Context, id uuid.UUID) (Dictation, error)
	// FindByClientKey and FindBySHA256 answer "did this author already send this?"; nil when not.
	FindByClientKey(ctx context.Context, author uuid.UUID, key string) (*Dictation, error)
	FindBySHA256(ctx context.Context, author uuid.UUID, sha256 string) (*Dictation, error)
	// Move is the guarded UPDATE: it changes the state only from one of the given states, else Conflict
	// ("state_changed"). reason is stored beside it.
	Move(ctx context.Context, id uuid.UUID, from []State, to State, reason string) error
	// Moves lists what became of a dictation and why, oldest first. The store writes it with every change of state or
	// reason; nobody can take a step past it.
	Moves(ctx context.Context, id uuid.UUID) ([]StateChange, error)
	// Bind sets patient, encounter and work type while the dictation is not signed.
	Bind(ctx context.Context, id uuid.UUID, patient, encounter *uuid.UUID, workType string) error
	Cards(ctx context.Context, f Filter) ([]Card, error)
	Card(ctx context.Context, id uuid.UUID) (Card, error)
	// AddendaOf lists the dictations that add to this one, oldest first.
	AddendaOf(ctx context.Context, id uuid.UUID) ([]uuid.UUID, error)
	// Counts is the number of dictations in each state, of one author or all, no state further than CountedTo.
	Counts(ctx context.Context, author *uuid.UUID) (map[State]int, error)

	InsertTranscript(ctx context.Context, st StoredTranscript, t transcribe.Transcript) error
	// TranscriptOf returns the newest transcript of a dictation, or NotFound.
	TranscriptOf(ctx context.Context, dictation uuid.UUID) (StoredTranscript, transcribe.Transcript, error)
	// Transcript returns one transcript by its id, or NotFound.
	Transcript(ctx context.Context, id uuid.UUID) (StoredTranscript, transcribe.Transcript, error)
}

// CountedTo is how far the dictations of a state are counted: nobody reads more, and counting millions takes seconds.
const CountedTo = 10_000

// Filter selects cards. Zero fields do not select. Order is the order of work: stat first, then by due time; with
// Newest, by receipt, newest first.
type Filter struct {
	States []State
	Author *uuid.UUID
	// ForEditor shows what waits for this editor: unclaimed, or claimed by this person; after stat what is assigned to them.
	ForEditor *uuid.UUID
	Newest    bool
	// MovedSince shows only what changed since then, the last changed first.
	MovedSince time.Time
	Limit      int // 0 means 100
	Offset     int
}

// NoteTx is the note aggregate: versions, claims, signatures, deliveries.
type NoteTx interface {
	InsertNote(ctx context.Context, n Note) error
	// NoteOf returns the note of a dictation, or NotFound.
	NoteOf(ctx context.Context, dictation uuid.UUID) (Note, error)
	Note(ctx context.Context, id uuid.UUID) (Note, error)
	// InsertVersion appends version v.Number, which must be exactly one more than the newest, else Conflict
	// ("version_conflict"). ID and At are set by the store when zero.
	InsertVersion(ctx context.Context, v Version) (Version, error)
	Version(ctx context.Context, note uuid.UUID, number int) (Version, error)
	Versions(ctx context.Context, note uuid.UUID) ([]Version, error)

	// AcquireClaim gives the person the exclusive hold, renews it if the person has it already, takes over an expired
	// one, and else answers Conflict ("claimed") whose public text names the holder.
	AcquireClaim(ctx context.Context, dictation, person uuid.UUID, until time.Time) (Claim, error)
	// ReleaseClaim ends the claim, if any, and says why ("released", "sent", "expired", "rejected").
	ReleaseClaim(ctx context.Context, dictation uuid.UUID, why string) error
	// ClaimOf returns the live claim or nil.
	ClaimOf(ctx context.Context, dictation uuid.UUID) (*Claim, error)
	// ExpiredClaims lists dictations in review whose claim has run out.
	ExpiredClaims(ctx context.Context) ([]uuid.UUID, error)

	InsertSignature(ctx context.Context, s Signature) error
	// SignatureOf returns the signature of a note, or NotFound.
	SignatureOf(ctx context.Context, note uuid.UUID) (Signature, error)

	// SignedNotes lists the practice's notes that were signed on or after a time (zero: all), oldest first.
	SignedNotes(ctx context.Context, since time.Time) ([]SignedNote, error)

	InsertDelivery(ctx context.Context, d Delivery) error
	// UpdateDelivery writes state, EHR id and version, read-back hash and error code.
	UpdateDelivery(ctx context.Context, d Delivery) error
	DeliveriesOf(ctx context.Context, note uuid.UUID) ([]Delivery, error)
}

// PeopleTx is the practice's reference data.
type PeopleTx interface {
	InsertPerson(ctx context.Context, p Person, passwordHash string) error
	Person(ctx context.Context, id uuid.UUID) (Person, error)
	People(ctx context.Context, role string) ([]Person, error) // role "" means all
	SetPersonDisabled(ctx context.Context, id uuid.UUID, disabled bool) error
	PasswordHash(ctx context.Context, person uuid.UUID) (string, error)
	InsertPatient(ctx context.Context, p Patient) error
	Patient(ctx context.Context, id uuid.UUID) (Patient, error)
	FindPatientByMRN(ctx context.Context, mrn string) (*Patient, error)
	Patients(ctx context.Context, search string, limit int) ([]Patient, error)
	InsertEncounter(ctx context.Context, e Encounter) error
	Encounter(ctx context.Context, id uuid.UUID) (Encounter, error)
	// Encounters lists an author's visits that start on or after a time, soonest first.
	Encounters(ctx context.Context, author uuid.UUID, from time.Time, limit int) ([]Encounter, error)
	InsertWorkType(ctx context.Context, key, name, loinc string, turnaroundHours float64) error
}

// Accounts is what happens before a practice is known.
type Accounts interface {
	CreatePractice(ctx context.Context, name string) (uuid.UUID, error)
	// Practices lists all practices: id by name.
	Practices(ctx context.Context) (map[string]uuid.UUID, error)
	// FindLogin returns the account and its password hash, or NotFound. Logins are unique across practices.
	FindLogin(ctx context.Context, login string) (Person, string, error)
}

// JobQueue is the workers' side of the job table; it works across practices and sees ids only.
type JobQueue interface {
	Workforce
	// Dispatch picks due jobs whose doorbell was never rung or not answered for RedispatchAge, raises their dispatch
	// number and calls ring for each inside the transaction. It rings for no more than the reported workers take (at
	// most limit; where no worker ever reported, limit alone counts): stat first, then the authors in turn, each author's
	// work by due time. An error of ring undoes that job's dispatch and is returned. It returns how many were rung; 0 too
	// while another relay is at it.
	Dispatch(ctx context.Context, limit int, ring func(context.Context, Doorbell) error) (int, error)
	// Claim takes a queued job, or a running one whose lease ran out, for one run: a new fencing token, attempt+1 (the
	// vanished worker's attempt counts as a crash instead), lease until now+Lease. Conflict ("job_taken") when it is not
	// to be had; the caller then drops the doorbell.
	ClaimJob(ctx context.Context, id uuid.UUID, worker string) (Job, error)
	// Heartbeat extends the lease under the token, else Conflict ("job_fenced").
	Heartbeat(ctx context.Context, id, token uuid.UUID) error
	// Retry puts a running job back, to run after the given time, under its token. refund gives the attempt back
	// (shut-down is nobody's fault). A code for which Crashed holds raises the row of crashes; another one ends it.
	RetryJob(ctx context.Context, id, token uuid.UUID, after time.Duration, code string, refund bool) error
	// Reap puts running jobs with an expired lease back to queued, counting a crash and no attempt, and returns those
	// with CrashLimit crashes in a row, which the caller buries with a reason.
	Reap(ctx context.Context) (requeued int, exhausted []Job, err error)
	// SaveChunk keeps one chunk's result under the token and ends the row of crashes; Chunks returns what is saved, by
	// number. total is the number of chunks of the whole.
	SaveChunk(ctx context.Context, job, token uuid.UUID, number, total int, result json.RawMessage) error
	Chunks(ctx context.Context, job uuid.UUID) ([]json.RawMessage, error)
	// QueueDepth counts jobs by state.
	QueueDepth(ctx context.Context) (map[JobState]int, error)
	// Unattended lists dictations that are neither terminal nor waiting for a person nor have a live job: there must
	// be none; the reconciler gives them one.
	Unattended(ctx context.Context) ([]Dictation, error)
}

// AuditLog is the sequencer's and verifier's side of the record.
type AuditLog interface {
	// Sequence adds committed events that are not yet in the tree, oldest first, and signs a checkpoint of the new
	// size with sign; it returns the signed checkpoint and its size, or nil when there was nothing to add. One
	// sequencer runs at a time (advisory lock).
	Sequence(ctx context.Context, limit int, sign func(audit.Checkpoint) ([]byte, error)) ([]byte, int64, error)
	// Entries calls fn for each sequenced event in order.
	Entries(ctx context.Context, fn func(audit.Entry) error) error
	// Checkpoints returns the signed checkpoints kept in the database.
	Checkpoints(ctx context.Context) ([][]byte, error)
	// Unsequenced counts events not yet in the tree that are older than a minute.
	Unsequenced(ctx context.Context) (int, error)
}
