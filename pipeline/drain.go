package pipeline

import (
	"vesper/internal/fault"
)

// errDraining ends a run at a point where everything done so far is saved.
var errDraining = fault.New(fault.Unavailable, "stopped", "The worker is being stopped; the work goes on elsewhere.")

// draining reports whether the worker was told to stop: what runs goes on to its next saved chunk, or to its end, and
// nothing new is begun.
func (w *Worker) draining() bool {
	select {
	case <-w.Stopping: // never, when it is nil
		return true
	default:
		return false
	}
}
