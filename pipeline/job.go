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
	CreatedAt   time.Time
	TraceParent string // W3C traceparent of what ordered the job; "" where nobody traces
}

// Doorbell is what travels through the queue: ids only.
type Doorbell struct {
	JobID      uuid.UUID
	PracticeID uuid.UUID
	DispatchNo int
	Kind       JobKind
	Priority   Priority
}

// Lease times. A live worker renews well within Lease; the reaper takes up what is silent for longer.
const (
	Lease         = 20 * time.Second
	LeaseRenewal  = 5 * time.Second
	ReapEvery     = 5 * time.Second
	RedispatchAge = 60 * time.Second // a queued job whose doorbell was not answered for this long is rung again
	RelayEvery    = 250 * time.Millisecond
)
