package pipeline

import "time"

// handover is how long a job of a kind that this worker does not know waits before it is offered again. While a cluster is
// upgraded, old and new workers answer the same doorbells; with this pause a newer one has it within seconds.
const handover = 2 * time.Second

// known says whether this version does the work. What it does not know is left to newer workers: their jobs are neither
// failed nor buried here.
func (k JobKind) known() bool {
	switch k {
	case TranscribeJob, DraftJob, DeliverJob:
		return true
	default:
		return false
	}
}
