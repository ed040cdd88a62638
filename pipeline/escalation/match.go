package escalation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vesper/pipeline/turnaround"
)

// Facts are what a rule may ask of one dictation.
type Facts struct {
	State    string
	WorkType string
	Priority string
	Due      time.Time
	Clock    turnaround.Reading
	Calendar turnaround.Clock // of the practice's opening hours
	Way      []Entered        // every state it came into, oldest first; the last is State
	// The newest job and delivery; empty where there is none.
	Job, JobID           string
	Delivery, DeliveryID string
	// The claim that holds now.
	ClaimID  string
	LastSign time.Time // when its holder took the note or saved it last
}

// Entered is a state and when it began.
type Entered struct {
	At    time.Time
	State string
}

// Holds reports whether the condition is true. The episode names this time of its being true: it stays the same while it
// lasts, and is another one when the condition comes true again later. So what is done once is done once for each.
func (w When) Holds(f Facts, now time.Time) (episode string, holds bool) {
	var parts []string
	if len(w.State) > 0 {
		n, since := f.since(w.State)
		if n < 0 || w.InStateFor.Given() && w.counted(f).Between(since, now) < w.InStateFor.D() {
			return "", false
		}
		parts = append(parts, fmt.Sprintf("state %d", n))
	}
	if len(w.WorkType) > 0 && !slices.Contains(w.WorkType, f.WorkType) || w.Priority != "" && w.Priority != f.Priority {
		return "", false
	}
	if w.Used.share > 0 && (f.Clock.Phase == turnaround.Over || f.Clock.Share() < w.Used.share) {
		return "", false
	}
	if w.OverdueBy.Given() && !w.overdue(f, now) {
		return "", false
	}
	if w.ClaimIdleFor.Given() {
		if f.ClaimID == "" || now.Sub(f.LastSign) < w.ClaimIdleFor.D() {
			return "", false
		}
		parts = append(parts, "claim "+f.ClaimID, "at "+f.LastSign.UTC().Format(time.RFC3339))
	}
	if w.Job != "" {
		if f.Job != w.Job && (w.Job != "dead" || f.Job != "quarantined") {
			return "", false
		}
		parts = append(parts, "job "+f.JobID)
	}
	if w.Delivery != "" {
		if f.Delivery != w.Delivery {
			return "", false
		}
		parts = append(parts, "delivery "+f.DeliveryID)
	}
	return strings.Join(parts, ", "), true
}

func (w When) overdue(f Facts, now time.Time) bool {
	switch {
	case f.Clock.Phase == turnaround.Over, now.Sub(f.Due) < w.OverdueBy.D():
		return false
	default:
		return f.Clock.Phase == turnaround.Running || slices.Contains(w.State, f.State)
	}
}

func (w When) counted(f Facts) turnaround.Clock {
	if w.Count == "working" && f.Calendar != nil {
		return f.Calendar
	}
	return turnaround.Wall{}
}

// since finds when the dictation came into the states it is in now, and the number of that step; -1 when it is in none.
func (f Facts) since(in List) (int, time.Time) {
	n := -1
	for i, e := range f.Way {
		switch {
		case !slices.Contains(in, e.State):
			n = -1
		case n < 0:
			n = i
		}
	}
	if n < 0 {
		return -1, time.Time{}
	}
	return n, f.Way[n].At
}
