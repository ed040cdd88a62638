package pipeline

import (
	"fmt"
	"sync/atomic"
	"time"

	"vesper/internal/fault"
)

// quarantined is why a job is set aside that breaks down each time. Others go on: a breakdown costs the run that it happens
// in, and the engine works in processes of its own.
func quarantined(kind JobKind) *fault.Error {
	what := "This recording broke the speech engine down"
	switch kind {
	case DraftJob:
		what = "Drafting this note broke down"
	case DeliverJob:
		what = "The delivery of this note broke down"
	}
	return fault.New(fault.Internal, CodeQuarantined, fmt.Sprintf(
		"%s %d times in a row, so it was set aside. Nothing is lost. An operator should find out why, then order it again or give it back to its author.",
		what, CrashLimit))
}

// progress says whether a run has saved anything.
type progress struct{ saved atomic.Bool }

// poisonous reports whether the failure of this run fills the row of crashes. A run that saved a chunk began a new row.
func poisonous(job Job, code string) bool {
	before := job.Crashes
	if job.progress != nil && job.progress.saved.Load() {
		before = 0
	}
	return Crashed(code) && before+1 >= CrashLimit
}

// mostPatience bounds what a service may ask for when it says when to come back.
const mostPatience = 15 * time.Minute

// pauseAfter is how long a job rests after a failure that can pass: its own back-off, or longer if the service asked for it.
func pauseAfter(attempt int, err error) time.Duration {
	return max(backoff(attempt), min(fault.As(err).RetryAfter, mostPatience))
}
