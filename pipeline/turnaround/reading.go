package turnaround

import (
	"math"
	"slices"
	"time"
)

// Phase is in whose hands something is, as far as the clock is concerned.
type Phase string

// The phases. Waiting for the physician is counted apart; Over stops the clock for good.
const (
	Running Phase = "running"
	Waiting Phase = "waiting"
	Over    Phase = "over"
)

// Step is the beginning of a phase.
type Step struct {
	At    time.Time
	Phase Phase
}

// Reading is what the clock of one dictation shows.
type Reading struct {
	Used    time.Duration // in the practice's hands
	Paused  time.Duration // waiting for the physician
	Allowed time.Duration
	Phase   Phase
	Working bool // only opening hours are counted
}

// Share is how much of the allowed time is used, 1 for all of it.
func (r Reading) Share() float64 {
	if r.Allowed <= 0 {
		return 0
	}
	return float64(r.Used) / float64(r.Allowed)
}

// Read counts the phases from the first step until now. Steps are in order of time; one that seems to go back, because two
// clocks differ, begins where the one before it began.
func Read(steps []Step, now time.Time, allowed time.Duration, c Clock) Reading {
	r := Reading{Allowed: allowed, Phase: Running}
	_, r.Working = c.(*Calendar)
	steps = forward(steps)
	for i, s := range steps {
		if r.Phase = s.Phase; s.Phase == Over {
			break
		}
		until := now
		if i+1 < len(steps) {
			until = steps[i+1].At
		}
		passed := c.Between(s.At, until)
		if s.Phase == Running {
			r.Used += passed
		} else {
			r.Paused += passed
		}
	}
	return r
}

// Due is the instant at which the allowed time is used up: what waits for the physician moves it on. While it waits, it is
// the instant that would hold had the clock not stopped.
func Due(steps []Step, allowed time.Duration, c Clock) time.Time {
	left := allowed
	steps = forward(steps)
	for i, s := range steps {
		last := i+1 == len(steps) || steps[i+1].Phase == Over
		switch {
		case last:
			return c.Add(s.At, left)
		case s.Phase != Running:
			continue
		}
		passed := c.Between(s.At, steps[i+1].At)
		if passed >= left {
			return c.Add(s.At, left)
		}
		left -= passed
	}
	return time.Time{}
}

func forward(steps []Step) []Step {
	out := slices.Clone(steps)
	for i := 1; i < len(out); i++ {
		out[i].At = later(out[i].At, out[i-1].At)
	}
	return out
}

// Quantile is the value that the share q of the values does not exceed (nearest rank); zero for none. It sorts the values.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	rank := int(math.Ceil(q * float64(len(values))))
	return values[min(max(rank, 1), len(values))-1]
}

// AllowedBy is the time of the practice's own that a due time allows: the reverse of Due.
func AllowedBy(steps []Step, due time.Time, c Clock) time.Duration {
	var own time.Duration
	steps = forward(steps)
	for i, s := range steps {
		if s.At.After(due) || s.Phase == Over {
			break
		}
		until := due
		last := i+1 == len(steps) || steps[i+1].Phase == Over
		if !last && steps[i+1].At.Before(due) {
			until = steps[i+1].At
		}
		if last || s.Phase == Running {
			own += c.Between(s.At, until)
		}
	}
	return own
}
