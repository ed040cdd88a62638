package pipeline

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// JobKind is one automatic stage.
type JobKind string

// The stages that workers do.
const (
	TranscribeJob JobKind = "transcribe"
	DraftJob      JobKind = "draft"
	DeliverJob    JobKind = "deliver"
)

// known says whether this version can do the stage. What a newer version ordered waits for a newer worker, so that old and
// new workers can run side by side.
func (k JobKind) known() bool { return k == TranscribeJob || k == DraftJob || k == DeliverJob }

// JobState is where a job is. Dead jobs wait for a person; they are never deleted.
type JobState string

// The states of a job.
const (
	JobQueued  JobState = "queued"
	JobRunning JobState = "running"
	JobDone    JobState = "done"
	JobDead    JobState = "dead"
)

// Job is the intent to do one stage for one dictation. Its row is the truth; a queue task with the id JobID:DispatchNo
// is only a doorbell. Settings are frozen when the job is queued; a retry never changes them.
type Job struct {
	ID          uuid.UUID
	PracticeID  uuid.UUID
	DictationID uuid.UUID
	Kind        JobKind
	Priority    Priority
	InputSHA256 string // what the stage works on; with Kind, DictationID and Gen it is unique
	Gen         int    // raised when a person orders the stage again
	Settings    json.RawMessage
	State       JobState
	Attempt     int
	MaxAttempts int
	RunAfter    time.Time
	DueAt       time.Time
	DispatchNo  int
	LeaseToken  uuid.UUID // fencing token of the present run
	LeaseUntil  time.Time
	ErrorCode   string // code of the last failure; never patient text
	Crashes     int    // runs in a row that broke down, or took their worker with them, without one more chunk saved
	CreatedAt   time.Time
	TraceParent string // W3C traceparent of what ordered the job; "" where nobody traces

	progress *progress // of the present run; nil before it
}

// Doorbell is what travels through the queue: ids only.
type Doorbell struct {
	JobID      uuid.UUID
	PracticeID uuid.UUID
	DispatchNo int
	Kind       JobKind
	Priority   Priority
}

// Lease times. A live worker renews well within Lease; the reaper takes up what is silent for longer: 23 s after a worker
// vanished at the latest.
const (
	Lease         = 20 * time.Second
	LeaseRenewal  = 3 * time.Second // also how soon a worker notices that its work was cancelled
	ReapEvery     = 3 * time.Second
	RedispatchAge = 15 * time.Second // a queued job whose doorbell was not answered for this long is rung again
	RelayEvery    = 250 * time.Millisecond
)

// CrashLimit is how many crashes in a row put a job into quarantine.
const CrashLimit = 3

// Codes of jobs that ended without an error of their own.
const (
	CodeQuarantined = "quarantined" // it broke down CrashLimit times in a row
	CodeCancelled   = "cancelled"   // by a person
	CodeSuperseded  = "superseded"  // a person ordered the same or an earlier stage anew
)

// Crashed says whether a code is that of a breakdown: of the engine, of the stage, or of the whole worker.
func Crashed(code string) bool {
	switch code {
	case "engine_crashed", "engine_timeout", "stage_panicked", "lease_expired":
		return true
	default:
		return false
	}
}
