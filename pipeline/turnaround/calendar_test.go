package turnaround_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/internal/fault"
	"vesper/pipeline/turnaround"
)

// office is a plan with office hours, two holidays and half a day.
func office(zone string) turnaround.Plan {
	day := []string{"08:00-12:00", "13:00-17:00"}
	p := turnaround.Always()
	p.Zone, p.Hours = zone, turnaround.Week{Mon: day, Tue: day, Wed: day, Thu: day, Fri: day}
	p.Holidays = []turnaround.Holiday{{Date: "12-25", Name: "Christmas Day"}, {Date: "2026-12-24", Hours: []string{"08:00-12:00"}}, {Date: "2026-11-26"}}
	return p
}

func compile(t interface{ Fatal(...any) }, p turnaround.Plan) *turnaround.Rules {
	r, err := p.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func at(t *testing.T, zone, local string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	out, err := time.ParseInLocation("2006-01-02 15:04", local, loc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWorkingTimeRunsOnTheHoursOfThePractice(t *testing.T) {
	t.Parallel()
	const ny = "America/New_York"
	night := turnaround.Always()
	night.Zone, night.Hours = ny, turnaround.Week{Fri: []string{"22:00-06:00"}, Mon: []string{"08:00-10:00"}}
	always := turnaround.Always()
	always.Zone = ny
	for name, c := range map[string]struct {
		plan turnaround.Plan
		zone string
		from string
		add  time.Duration
		to   string
	}{
		"within a morning":               {office(ny), ny, "2026-11-24 09:00", 2 * time.Hour, "2026-11-24 11:00"},
		"over lunch":                     {office(ny), ny, "2026-11-24 11:00", 2 * time.Hour, "2026-11-24 14:00"},
		"to the minute of closing":       {office(ny), ny, "2026-11-24 09:00", 7 * time.Hour, "2026-11-24 17:00"},
		"received at night":              {office(ny), ny, "2026-11-24 22:00", time.Hour, "2026-11-25 09:00"},
		"over a holiday":                 {office(ny), ny, "2026-11-25 16:00", 2 * time.Hour, "2026-11-27 09:00"},
		"over a weekend":                 {office(ny), ny, "2026-11-27 16:00", 2 * time.Hour, "2026-11-30 09:00"},
		"half a day, a holiday":          {office(ny), ny, "2026-12-24 11:00", 2 * time.Hour, "2026-12-28 09:00"},
		"the holiday of another year":    {office(ny), ny, "2030-12-24 16:00", 2 * time.Hour, "2030-12-26 09:00"},
		"a leap day":                     {office(ny), ny, "2028-02-28 16:00", 9 * time.Hour, "2028-02-29 17:00"},
		"past midnight":                  {night, ny, "2026-11-27 23:00", 6 * time.Hour, "2026-11-28 05:00"},
		"past midnight, then Monday":     {night, ny, "2026-11-27 23:00", 8 * time.Hour, "2026-11-30 09:00"},
		"spring: an hour is missing":     {always, ny, "2026-03-07 12:00", 24 * time.Hour, "2026-03-08 13:00"},
		"autumn: an hour comes twice":    {always, ny, "2026-10-31 12:00", 24 * time.Hour, "2026-11-01 11:00"},
		"office hours over a change":     {office(ny), ny, "2026-03-06 16:00", 2 * time.Hour, "2026-03-09 09:00"},
		"clocks that change at midnight": {always, "Africa/Cairo", "2026-04-23 12:00", 24 * time.Hour, "2026-04-24 13:00"},
	} {
		r := compile(t, c.plan)
		from, want := at(t, c.zone, c.from), at(t, c.zone, c.to)
		if got := r.Calendar.Add(from, c.add); !got.Equal(want) {
			t.Errorf("%s: %s and %s is %s, want %s", name, c.from, c.add, got.In(want.Location()), want)
		}
		if got := r.Calendar.Between(from, want); got != c.add {
			t.Errorf("%s: between are %s, want %s", name, got, c.add)
		}
	}
}

func TestANightShiftHasAnHourMoreOrLessWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	p := turnaround.Always()
	night := []string{"22:00-06:00"}
	p.Zone, p.Hours = "America/New_York", turnaround.Week{Sat: night, Mon: []string{"08:00-09:00"}}
	cal := compile(t, p).Calendar
	for from, want := range map[string]time.Duration{"2026-03-07 12:00": 7 * time.Hour, "2026-10-31 12:00": 9 * time.Hour, "2026-11-07 12:00": 8 * time.Hour} {
		start := at(t, p.Zone, from)
		if got := cal.Between(start, start.Add(24*time.Hour)); got != want {
			t.Errorf("the night after %s has %s, want %s", from, got, want)
		}
	}
}

func TestADateThatNeverWasHasNoHours(t *testing.T) {
	t.Parallel()
	p := turnaround.Always()
	p.Zone = "Pacific/Apia" // which went from 29 to 31 December 2011
	cal := compile(t, p).Calendar
	from := at(t, p.Zone, "2011-12-29 12:00")
	if got, want := cal.Add(from, 24*time.Hour), at(t, p.Zone, "2011-12-31 12:00"); !got.Equal(want) {
		t.Errorf("a day later is %s, want %s", got, want)
	}
}

// drawn is any calendar, and an instant.
func drawn(t *rapid.T) (*turnaround.Calendar, time.Time) {
	spans := rapid.Custom(func(t *rapid.T) []string {
		var out []string
		for range rapid.IntRange(0, 2).Draw(t, "spans") {
			open, shut := rapid.IntRange(0, 95).Draw(t, "open"), rapid.IntRange(0, 96).Draw(t, "shut")
			if open != shut {
				out = append(out, fmt.Sprintf("%02d:%02d-%02d:%02d", open/4, open%4*15, shut/4, shut%4*15))
			}
		}
		return out
	})
	p := turnaround.Always()
	p.Zone = rapid.SampledFrom([]string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "UTC", "Africa/Casablanca"}).Draw(t, "zone")
	p.Hours = turnaround.Week{
		Mon: []string{"09:00-11:00"}, Tue: spans.Draw(t, "tue"), Wed: spans.Draw(t, "wed"), Thu: spans.Draw(t, "thu"), Fri: spans.Draw(t, "fri"),
		Sat: spans.Draw(t, "sat"), Sun: spans.Draw(t, "sun"),
	}
	base := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rapid.IntRange(0, 3).Draw(t, "holidays") {
		p.Holidays = append(p.Holidays, turnaround.Holiday{Date: base.AddDate(0, 0, i+7*rapid.IntRange(0, 50).Draw(t, "week")).Format(time.DateOnly)})
	}
	return compile(t, p).Calendar, base.Add(time.Duration(rapid.Int64Range(0, 365*86400).Draw(t, "at")) * time.Second)
}

func TestAddAndBetweenAgreeOnEveryCalendar(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cal, from := drawn(t)
		a := time.Duration(rapid.Int64Range(0, 200*3600).Draw(t, "a")) * time.Second
		b := time.Duration(rapid.Int64Range(1, 200*3600).Draw(t, "b")) * time.Second
		to := cal.Add(from, a)
		if got := cal.Between(from, to); got != a {
			t.Fatalf("between %s and %s are %s, want %s", from, to, got, a)
		}
		further := cal.Add(from, a+b)
		if !further.After(to) {
			t.Fatalf("%s more leads from %s to %s", b, to, further)
		}
		if step := cal.Add(to, b); !step.Equal(further) {
			t.Fatalf("in two steps %s, in one %s", step, further)
		}
		if all := cal.Between(from, to) + cal.Between(to, further); all != cal.Between(from, further) {
			t.Fatalf("the parts are %s, the whole is %s", all, cal.Between(from, further))
		}
		if wall := further.Sub(from); cal.Between(from, further) > wall {
			t.Fatalf("more working time than time")
		}
		if later := cal.Add(from.Add(time.Hour), a); later.Before(to) {
			t.Fatalf("received later, due earlier: %s and %s", to, later)
		}
		if got := cal.Between(further, from); got != 0 {
			t.Fatalf("backwards are %s", got)
		}
	})
}

func TestAnOpenEndedCalendarIsTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := turnaround.Always()
		p.Zone = rapid.SampledFrom([]string{"America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"}).Draw(t, "zone")
		cal := compile(t, p).Calendar
		from := time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 20*365*86400).Draw(t, "at")) * time.Second)
		d := time.Duration(rapid.Int64Range(0, 1000*3600).Draw(t, "d")) * time.Second
		if got, want := cal.Add(from, d), (turnaround.Wall{}).Add(from, d); !got.Equal(want) {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestAPlanThatCannotBeMeantIsRefused(t *testing.T) {
	t.Parallel()
	for code, change := range map[string][]func(*turnaround.Plan){
		"turnaround_zone": {func(p *turnaround.Plan) { p.Zone = "" }, func(p *turnaround.Plan) { p.Zone = "Moon/Base" }, func(p *turnaround.Plan) { p.Zone = "Local" }},
		"turnaround_hours": {
			func(p *turnaround.Plan) { p.Hours = turnaround.Week{} }, func(p *turnaround.Plan) { p.Hours.Mon = []string{"8-17"} },
			func(p *turnaround.Plan) { p.Hours.Mon = []string{"08:00-08:00"} }, func(p *turnaround.Plan) { p.Hours.Mon = []string{"08:00-25:00"} },
			func(p *turnaround.Plan) { p.Hours.Mon = []string{"08:61-09:00"} }, func(p *turnaround.Plan) { p.Hours.Mon = []string{"24:00-09:00"} },
		},
		"turnaround_holidays": {
			func(p *turnaround.Plan) { p.Holidays = append(p.Holidays, turnaround.Holiday{Date: "2026-02-30"}) },
			func(p *turnaround.Plan) { p.Holidays = append(p.Holidays, turnaround.Holiday{Date: "Christmas"}) },
			func(p *turnaround.Plan) { p.Holidays = append(p.Holidays, turnaround.Holiday{Date: "12-25"}) },
			func(p *turnaround.Plan) {
				p.Holidays = append(p.Holidays, turnaround.Holiday{Date: "2027-01-01", Hours: []string{"20:00-02:00"}})
			},
		},
		"turnaround_clock": {func(p *turnaround.Plan) { p.Stat = "" }},
		"turnaround_targets": {
			func(p *turnaround.Plan) { p.Targets = []turnaround.Target{{Priority: "stat"}} },
			func(p *turnaround.Plan) { p.Targets = []turnaround.Target{{Priority: "soon", Hours: 1}} },
			func(p *turnaround.Plan) {
				p.Targets = []turnaround.Target{{Priority: "stat", Hours: 1}, {Priority: "stat", Hours: 2}}
			},
		},
	} {
		for i, c := range change {
			p := office("America/New_York")
			c(&p)
			if _, err := p.Compile(); fault.KindOf(err) != fault.Invalid || fault.As(err).Code != code {
				t.Errorf("%s %d: %v", code, i, err)
			}
		}
	}
}
