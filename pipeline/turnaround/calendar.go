// Package turnaround is the clock of the practice: its calendar (time zone, opening hours, holidays), the time that each
// kind of document may take, and what a dictation has used of it. Pure Go; it knows neither a database nor the hour.
//
// Working time is counted on instants, so a day on which the clocks change has an hour more or less, as it has for the
// people who work on it. A wall-clock time that a change of the clocks skips is the moment of the change; one that
// happens twice is its first occurrence. A holiday closes its whole date, from midnight to midnight.
package turnaround

import (
	"slices"
	"time"
	_ "time/tzdata" // zones are part of the binary: a machine without them must not change a due time
)

// Clock counts time that passes for the practice.
type Clock interface {
	// Add is the earliest instant at which d has passed since t. d below zero counts as zero.
	Add(t time.Time, d time.Duration) time.Time
	// Between is how much passes from a to b, never below zero.
	Between(a, b time.Time) time.Duration
}

// Wall is the clock on the wall: all time counts.
type Wall struct{}

// Add implements Clock.
func (Wall) Add(t time.Time, d time.Duration) time.Time { return t.Add(max(0, d)) }

// Between implements Clock.
func (Wall) Between(a, b time.Time) time.Duration { return max(0, b.Sub(a)) }

// Calendar says when the practice is open. It is made by Plan.Compile and never changes.
type Calendar struct {
	loc    *time.Location
	week   [7][]span // by time.Weekday, in order, apart from each other
	dated  map[date][]span
	yearly map[monthDay][]span
}

// span is a stretch of a day in minutes since its midnight; close may be 24:00.
type span struct{ open, close int }

type date struct {
	year  int
	month time.Month
	day   int
}

type monthDay struct {
	month time.Month
	day   int
}

const dayMinutes = 24 * 60

// of returns the spans of a date: those of a holiday before those of the week.
func (c *Calendar) of(d date) []span {
	if s, ok := c.dated[d]; ok {
		return s
	}
	if s, ok := c.yearly[monthDay{d.month, d.day}]; ok {
		return s
	}
	return c.week[time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Weekday()]
}

// neverCloses reports whether every hour of every day is an opening hour.
func (c *Calendar) neverCloses() bool {
	closes := func(day []span) bool { return len(day) != 1 || day[0] != span{0, dayMinutes} }
	return !slices.ContainsFunc(c.week[:], closes) && len(c.dated)+len(c.yearly) == 0
}

func (d date) next() date {
	y, m, day := time.Date(d.year, d.month, d.day+1, 0, 0, 0, 0, time.UTC).Date()
	return date{y, m, day}
}

func (c *Calendar) dateOf(t time.Time) date {
	y, m, d := t.In(c.loc).Date()
	return date{y, m, d}
}

// Add implements Clock.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t
	}
	// The date before is looked at too: where clocks go back over midnight, it happens again.
	for at := c.before(t); ; at = at.next() {
		for _, s := range c.of(at) {
			open, shut := later(c.instant(at, s.open), t), c.instant(at, s.close)
			if have := shut.Sub(open); have > 0 {
				if d <= have {
					return open.Add(d)
				}
				d -= have
			}
		}
	}
}

// Between implements Clock.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	var total time.Duration
	for at := c.before(a); ; at = at.next() {
		if c.instant(at, 0).After(b) {
			return total
		}
		for _, s := range c.of(at) {
			open, shut := later(c.instant(at, s.open), a), c.instant(at, s.close)
			if shut.After(b) {
				shut = b
			}
			total += max(0, shut.Sub(open))
		}
	}
}

// Open reports whether the practice is open at t.
func (c *Calendar) Open(t time.Time) bool {
	return c.Between(t, t.Add(time.Nanosecond)) > 0
}

func (c *Calendar) before(t time.Time) date { return c.dateOf(t.Add(-24 * time.Hour)) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// instant is the moment at which the clocks of the practice show the time for the first time on that date. It never goes
// back when the time goes on, so spans that touch in the plan touch in fact.
func (c *Calendar) instant(d date, minutes int) time.Time {
	shown := time.Date(d.year, d.month, d.day, 0, minutes, 0, 0, time.UTC) // what the clocks show, as if in UTC
	near := time.Date(d.year, d.month, d.day, 0, minutes, 0, 0, c.loc)
	from, to := near.ZoneBounds()
	offsets := []int{offset(near)}
	if !from.IsZero() {
		offsets = append(offsets, offset(from.Add(-time.Second)))
	}
	if !to.IsZero() {
		offsets = append(offsets, offset(to.In(c.loc)))
	}
	var first time.Time
	for _, o := range offsets {
		t := shown.Add(-time.Duration(o) * time.Second)
		if offset(t.In(c.loc)) == o && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if !first.IsZero() {
		return first
	}
	// The clocks never showed it: it is the moment at which they jumped over it.
	if !from.IsZero() && skips(from, c.loc, shown) {
		return from.UTC()
	}
	return to.UTC()
}

// skips reports whether the change at t jumps over what is shown.
func skips(t time.Time, loc *time.Location, shown time.Time) bool {
	before, after := offset(t.Add(-time.Second).In(loc)), offset(t.In(loc))
	at := t.UTC()
	return !shown.Before(at.Add(time.Duration(before)*time.Second)) && shown.Before(at.Add(time.Duration(after)*time.Second))
}

func offset(t time.Time) int {
	_, o := t.Zone()
	return o
}
