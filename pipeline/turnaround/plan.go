package turnaround

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vesper/internal/fault"
)

// Plan is what a practice promises, as its supervisor writes it.
type Plan struct {
	Zone     string    `json:"zone" doc:"IANA name of the time zone, such as America/New_York"`
	Hours    Week      `json:"hours"`
	Holidays []Holiday `json:"holidays"`
	// Clocks by priority: "working" counts opening hours, "wall" all hours.
	Routine string `json:"routine_clock" enum:"working,wall" doc:"What counts for routine work: opening hours, or all hours"`
	Stat    string `json:"stat_clock" enum:"working,wall" doc:"What counts for STAT work"`
	// Targets that differ from those of the work types.
	Targets []Target `json:"targets"`
}

// Week is when the practice is open: for each day spans such as "08:00-12:00". A span that ends before it begins goes on
// past midnight. None: closed.
type Week struct {
	Mon []string `json:"mon"`
	Tue []string `json:"tue"`
	Wed []string `json:"wed"`
	Thu []string `json:"thu"`
	Fri []string `json:"fri"`
	Sat []string `json:"sat"`
	Sun []string `json:"sun"`
}

// Days are the spans by time.Weekday.
func (w Week) Days() [7][]string {
	return [7][]string{w.Sun, w.Mon, w.Tue, w.Wed, w.Thu, w.Fri, w.Sat}
}

// Holiday is a date on which the hours of the week do not hold.
type Holiday struct {
	Date  string   `json:"date" doc:"2026-12-25, or 12-25 for each year"`
	Name  string   `json:"name,omitempty" maxLength:"60"`
	Hours []string `json:"hours,omitempty" doc:"Open all the same: [\"08:00-12:00\"] is half a day"`
}

// Target is the time that a kind of document may take.
type Target struct {
	WorkType string  `json:"work_type" doc:"Key of the work type; empty: all that have no line of their own"`
	Priority string  `json:"priority" enum:"stat,routine"`
	Hours    float64 `json:"hours" doc:"From receipt to signature; the time that waits for the physician is not counted"`
}

// The clocks of a plan.
const (
	OnWall    = "wall"
	OnWorking = "working"
)

// Bounds of a plan: beyond them it is a mistake.
const (
	maxHolidays = 400
	maxYearly   = 60
	maxTargets  = 200
	maxHours    = 24 * 90
)

// Always is the plan of a practice that has set none: all hours count, with the targets of the work types.
func Always() Plan {
	all := []string{"00:00-24:00"}
	return Plan{
		Zone: "UTC", Hours: Week{all, all, all, all, all, all, all}, Holidays: []Holiday{},
		Routine: OnWorking, Stat: OnWall, Targets: []Target{},
	}
}

// Rules is a plan made ready for counting.
type Rules struct {
	Plan     Plan
	Calendar *Calendar
	targets  map[[2]string]time.Duration
}

// Allowed is the time that a document of this kind and priority may take, and the clock it is counted on. usual is what
// holds where the plan says nothing.
func (r *Rules) Allowed(workType, priority string, usual time.Duration) (time.Duration, Clock) {
	d := usual
	for _, key := range []string{"", workType} {
		if own, ok := r.targets[[2]string{key, priority}]; ok {
			d = own
		}
	}
	return d, r.Clock(priority)
}

// Clock is the clock of a priority. Opening hours of a practice that never closes are all hours.
func (r *Rules) Clock(priority string) Clock {
	on := r.Plan.Routine
	if priority == "stat" {
		on = r.Plan.Stat
	}
	if on == OnWorking && !r.Calendar.neverCloses() {
		return r.Calendar
	}
	return Wall{}
}

// Compile checks a plan. The fault says what is wrong in words for the person who wrote it.
func (p Plan) Compile() (*Rules, error) {
	if p.Zone == "" || p.Zone == "Local" {
		return nil, wrong("zone", "Choose the time zone of the practice, such as America/New_York.")
	}
	loc, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, wrong("zone", fmt.Sprintf("There is no time zone %q. Write it as in America/New_York.", p.Zone))
	}
	c := &Calendar{loc: loc, dated: map[date][]span{}, yearly: map[monthDay][]span{}}
	if err := c.setWeek(p.Hours); err != nil {
		return nil, err
	}
	if err := c.setHolidays(p.Holidays); err != nil {
		return nil, err
	}
	for _, on := range []string{p.Routine, p.Stat} {
		if on != OnWall && on != OnWorking {
			return nil, wrong("clock", "Say whether opening hours (working) or all hours (wall) count.")
		}
	}
	targets, err := readTargets(p.Targets)
	return &Rules{Plan: p, Calendar: c, targets: targets}, err
}

func wrong(what, text string) error {
	return fault.New(fault.Invalid, "turnaround_"+what, text)
}

func (c *Calendar) setWeek(w Week) error {
	open := 0
	for day, texts := range w.Days() {
		for _, text := range texts {
			s, err := readSpan(text)
			if err != nil {
				return err
			}
			open += s.close - s.open
			if s.close > dayMinutes { // past midnight: the rest belongs to the next date
				next := (day + 1) % 7
				c.week[next] = append(c.week[next], span{0, s.close - dayMinutes})
				s.close = dayMinutes
			}
			c.week[day] = append(c.week[day], s)
		}
	}
	if open < 60 {
		return wrong("hours", "The practice must be open for at least an hour in a week.")
	}
	for day := range c.week {
		c.week[day] = merge(c.week[day])
	}
	return nil
}

func (c *Calendar) setHolidays(holidays []Holiday) error {
	if len(holidays) > maxHolidays {
		return wrong("holidays", fmt.Sprintf("At most %d holidays can be listed. Remove those that are over.", maxHolidays))
	}
	for _, h := range holidays {
		var spans []span
		for _, text := range h.Hours {
			s, err := readSpan(text)
			if err != nil {
				return err
			}
			if s.close > dayMinutes {
				return wrong("holidays", fmt.Sprintf("The hours %s on %s go past midnight. A holiday ends at 24:00.", text, h.Date))
			}
			spans = append(spans, s)
		}
		if err := c.setHoliday(h.Date, merge(spans)); err != nil {
			return err
		}
	}
	if len(c.yearly) > maxYearly {
		return wrong("holidays", fmt.Sprintf("At most %d holidays can come back each year.", maxYearly))
	}
	return nil
}

func (c *Calendar) setHoliday(text string, spans []span) error {
	twice := wrong("holidays", fmt.Sprintf("The date %s is listed twice.", text))
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		d := date{t.Year(), t.Month(), t.Day()}
		if _, there := c.dated[d]; there {
			return twice
		}
		c.dated[d] = spans
		return nil
	}
	t, err := time.Parse(time.DateOnly, "2024-"+text) // a leap year, so that 02-29 can be said
	if err != nil {
		return wrong("holidays", fmt.Sprintf("%q is no date. Write 2026-12-25, or 12-25 for each year.", text))
	}
	d := monthDay{t.Month(), t.Day()}
	if _, there := c.yearly[d]; there {
		return twice
	}
	c.yearly[d] = spans
	return nil
}

var spanForm = regexp.MustCompile(`^(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})$`)

// readSpan reads "08:00-12:30". The end may be 24:00; an end before the beginning is on the next day.
func readSpan(text string) (span, error) {
	m := spanForm.FindStringSubmatch(strings.TrimSpace(text))
	bad := wrong("hours", fmt.Sprintf("%q is no span of hours. Write it as 08:00-17:30.", text))
	if m == nil {
		return span{}, bad
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+1]) // digits only
	}
	s := span{n[0]*60 + n[1], n[2]*60 + n[3]}
	if n[1] > 59 || n[3] > 59 || s.open >= dayMinutes || s.close > dayMinutes {
		return span{}, bad
	}
	if s.open == s.close {
		return span{}, wrong("hours", fmt.Sprintf("%q begins and ends at the same time. For the whole day write 00:00-24:00.", text))
	}
	if s.close < s.open {
		s.close += dayMinutes
	}
	return s, nil
}

// merge puts spans in order and joins those that touch or overlap.
func merge(in []span) []span {
	slices.SortFunc(in, func(a, b span) int { return cmp.Compare(a.open, b.open) })
	var out []span
	for _, s := range in {
		if n := len(out); n > 0 && s.open <= out[n-1].close {
			out[n-1].close = max(out[n-1].close, s.close)
			continue
		}
		out = append(out, s)
	}
	return out
}

func readTargets(list []Target) (map[[2]string]time.Duration, error) {
	if len(list) > maxTargets {
		return nil, wrong("targets", fmt.Sprintf("At most %d turn-arounds can be set.", maxTargets))
	}
	out := map[[2]string]time.Duration{}
	for _, t := range list {
		key := [2]string{t.WorkType, t.Priority}
		name := cmp.Or(t.WorkType, "all work types") + ", " + t.Priority
		_, twice := out[key]
		switch {
		case t.Priority != "stat" && t.Priority != "routine":
			return nil, wrong("targets", "A turn-around is for the priority stat or routine.")
		case !(t.Hours >= 0.25 && t.Hours <= maxHours): // also refuses what is no number
			return nil, wrong("targets", fmt.Sprintf("The turn-around of %s must be between a quarter of an hour and %d hours.", name, maxHours))
		case twice:
			return nil, wrong("targets", fmt.Sprintf("The turn-around of %s is set twice.", name))
		}
		out[key] = time.Duration(t.Hours * float64(time.Hour)).Round(time.Second)
	}
	return out, nil
}
