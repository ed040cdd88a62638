package turnaround_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/pipeline/turnaround"
)

var start = time.Date(2026, 11, 24, 14, 0, 0, 0, time.UTC) // a Tuesday, 09:00 in New York

func step(hours float64, p turnaround.Phase) turnaround.Step {
	return turnaround.Step{At: start.Add(time.Duration(hours * float64(time.Hour))), Phase: p}
}

func TestWaitingForThePhysicianIsCountedApart(t *testing.T) {
	t.Parallel()
	steps := []turnaround.Step{step(0, turnaround.Running), step(3, turnaround.Waiting), step(10, turnaround.Running), step(12, turnaround.Waiting), step(20, turnaround.Over)}
	r := turnaround.Read(steps, start.Add(90*time.Hour), 24*time.Hour, turnaround.Wall{})
	if r.Used != 5*time.Hour || r.Paused != 15*time.Hour || r.Phase != turnaround.Over || r.Working {
		t.Errorf("reading %+v", r)
	}
	open := turnaround.Read(steps[:3], start.Add(11*time.Hour), 8*time.Hour, turnaround.Wall{})
	if open.Used != 4*time.Hour || open.Paused != 7*time.Hour || open.Share() != 0.5 || open.Phase != turnaround.Running {
		t.Errorf("reading %+v", open)
	}
	if due := turnaround.Due(steps[:3], 8*time.Hour, turnaround.Wall{}); !due.Equal(start.Add(15 * time.Hour)) {
		t.Errorf("due %s", due)
	}
}

func TestWorkingHoursAndPausesGoTogether(t *testing.T) {
	t.Parallel()
	c := compile(t, office("America/New_York")).Calendar
	// 09:00 received, 11:00 sent, back the next morning at 09:00.
	steps := []turnaround.Step{step(0, turnaround.Running), step(2, turnaround.Waiting), step(24, turnaround.Running)}
	r := turnaround.Read(steps, start.Add(25*time.Hour), 4*time.Hour, c)
	if r.Used != 3*time.Hour || r.Paused != 6*time.Hour || !r.Working {
		t.Errorf("reading %+v", r)
	}
	if due := turnaround.Due(steps, 4*time.Hour, c); !due.Equal(start.Add(26 * time.Hour)) {
		t.Errorf("due %s", due)
	}
}

func TestAPracticeThatNeverClosesHasNoWorkingHoursApart(t *testing.T) {
	t.Parallel()
	always := turnaround.Always()
	never := compile(t, always)
	if r := turnaround.Read([]turnaround.Step{step(0, turnaround.Running)}, start.Add(time.Hour), 24*time.Hour, never.Clock("routine")); r.Working || r.Used != time.Hour {
		t.Errorf("all hours are read as %+v", r)
	}
	always.Holidays = []turnaround.Holiday{{Date: "12-25"}}
	for what, p := range map[string]turnaround.Plan{"a holiday": always, "office hours": office("America/New_York")} {
		if r := turnaround.Read(nil, start, time.Hour, compile(t, p).Clock("routine")); !r.Working {
			t.Errorf("with %s all hours count", what)
		}
	}
}

func TestTheDueTimeIsWhereTheAllowedTimeIsUsed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cal, from := drawn(t)
		steps := []turnaround.Step{{At: from, Phase: turnaround.Running}}
		for range rapid.IntRange(0, 5).Draw(t, "steps") {
			from = from.Add(time.Duration(rapid.Int64Range(0, 40*3600).Draw(t, "pause")) * time.Second)
			steps = append(steps, turnaround.Step{At: from, Phase: rapid.SampledFrom([]turnaround.Phase{turnaround.Running, turnaround.Waiting}).Draw(t, "phase")})
		}
		steps = append(steps, turnaround.Step{At: from, Phase: turnaround.Running}) // it is the practice's turn
		allowed := time.Duration(rapid.Int64Range(1, 100*3600).Draw(t, "allowed")) * time.Second
		due := turnaround.Due(steps, allowed, cal)
		if r := turnaround.Read(before(steps, due), due, allowed, cal); r.Used != allowed {
			t.Fatalf("at the due time %s are used, want %s", r.Used, allowed)
		}
		r := turnaround.Read(steps, from.Add(200*time.Hour), allowed, cal)
		if r.Used+r.Paused != cal.Between(steps[0].At, from.Add(200*time.Hour)) {
			t.Fatal("used and paused are not the whole")
		}
	})
}

// before are the steps that have begun by then.
func before(steps []turnaround.Step, by time.Time) []turnaround.Step {
	for i, s := range steps {
		if s.At.After(by) {
			return steps[:i]
		}
	}
	return steps
}

func TestClocksThatDisagreeDoNotCountBackwards(t *testing.T) {
	t.Parallel()
	steps := []turnaround.Step{step(1, turnaround.Running), step(0.5, turnaround.Waiting), step(2, turnaround.Running)}
	r := turnaround.Read(steps, start.Add(3*time.Hour), time.Hour, turnaround.Wall{})
	if r.Used != time.Hour || r.Paused != time.Hour {
		t.Errorf("reading %+v", r)
	}
}

func TestQuantilesAreValuesThatOccurred(t *testing.T) {
	t.Parallel()
	v := []time.Duration{4, 1, 3, 2, 10, 5, 6, 7, 8, 9}
	for q, want := range map[float64]time.Duration{0.5: 5, 0.9: 9, 1: 10, 0: 1} {
		if got := turnaround.Quantile(v, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if turnaround.Quantile(nil, 0.5) != 0 {
		t.Error("nothing has a median")
	}
}

func TestADueTimeSaysWhatItAllows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cal, from := drawn(t)
		var steps []turnaround.Step
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			steps = append(steps, turnaround.Step{At: from, Phase: rapid.SampledFrom([]turnaround.Phase{turnaround.Running, turnaround.Waiting}).Draw(t, "phase")})
			from = from.Add(time.Duration(rapid.Int64Range(0, 40*3600).Draw(t, "pause")) * time.Second)
		}
		if rapid.Bool().Draw(t, "signed") {
			steps = append(steps, turnaround.Step{At: from, Phase: turnaround.Over})
		}
		allowed := time.Duration(rapid.Int64Range(1, 100*3600).Draw(t, "allowed")) * time.Second
		if got := turnaround.AllowedBy(steps, turnaround.Due(steps, allowed, cal), cal); got != allowed {
			t.Fatalf("the due time allows %s, it was made for %s", got, allowed)
		}
	})
}
