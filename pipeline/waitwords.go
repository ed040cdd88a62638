package pipeline

import (
	"fmt"
	"math"
	"time"
)

// Words is what people are told of the queue, "" when there is nothing to tell.
func (q QueueState) Words() string {
	switch {
	case !q.Accepting:
		return "More recordings wait than can be worked off soon. New ones stay on your device for a few minutes; STAT is taken at once."
	case q.Slots == 0:
		return "No speech engine is running. Recordings are taken and wait."
	case !q.WaitKnown:
		return ""
	default:
		return "A recording sent now waits " + waitWords(q.Wait) + " for the speech engine."
	}
}

// waitWords says a wait as exactly as it is known.
func waitWords(d time.Duration) string {
	switch minutes := int(math.Ceil(d.Minutes())); {
	case d < 45*time.Second:
		return "less than a minute"
	case minutes < 90:
		return fmt.Sprintf("about %d min", minutes)
	default:
		return fmt.Sprintf("about %d h", int(math.Round(d.Hours())))
	}
}
