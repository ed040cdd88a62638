package pages

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/escalation"
	"vesper/pipeline/turnaround"
)

type noticesData struct {
	Notices  []pipeline.Notice
	Settings pipeline.NoticeSettings
	Unread   int
}

// notices is what the person is told.
func (s *site) notices(r *http.Request, actor access.Actor) (any, string, error) {
	const title = "Notifications"
	list, err := s.Service.Notices(r.Context(), actor)
	if err != nil {
		return nil, title, err
	}
	d := noticesData{Notices: list}
	for _, n := range list {
		if n.ReadAt == nil {
			d.Unread++
		}
	}
	d.Settings, err = s.Service.NoticeSettings(r.Context(), actor)
	return d, title, err
}

type turnaroundData struct {
	pipeline.TurnaroundReport
	Days int
}

// spans are the times a report can be about, in days.
var spans = []int{7, 30, 90, 365}

func (s *site) turnaround(r *http.Request, actor access.Actor) (any, string, error) {
	const title = "Turn-around"
	days, err := strconv.Atoi(r.URL.Query().Get("days"))
	if err != nil {
		days = 30
	}
	if !slices.Contains(spans, days) {
		return nil, title, fault.New(fault.Invalid, "report_span", "Choose one of the times on the page.")
	}
	report, err := s.Service.TurnaroundReport(r.Context(), actor, s.Now().AddDate(0, 0, -days), s.Now())
	return turnaroundData{report, days}, title, err
}

type calendarData struct {
	pipeline.StoredPlan
	Days     []calendarDay
	Holidays string
	Types    []calendarType
	Default  calendarType
}

type calendarDay struct{ Key, Name, Hours string }

// calendarType is one line of the table of turn-around: what the practice set, and what holds else.
type calendarType struct {
	Key, Name               string
	Routine, Stat           string
	UsualRoutine, UsualStat string
}

func (s *site) calendar(r *http.Request, actor access.Actor) (any, string, error) {
	const title = "Calendar"
	p, err := s.Service.TurnaroundPlan(r.Context(), actor)
	if err != nil {
		return nil, title, err
	}
	d := calendarData{StoredPlan: p}
	for i, key := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		hours := p.Plan.Hours.Days()[(i+1)%7]
		d.Days = append(d.Days, calendarDay{key, time.Weekday((i + 1) % 7).String(), strings.Join(hours, ", ")})
	}
	for _, h := range p.Plan.Holidays {
		parts := slices.DeleteFunc([]string{h.Date, strings.Join(h.Hours, ", "), h.Name}, func(s string) bool { return s == "" })
		d.Holidays += strings.Join(parts, " ") + "\n"
	}
	set := map[[2]string]string{}
	for _, t := range p.Plan.Targets {
		set[[2]string{t.WorkType, t.Priority}] = hoursText(t.Hours)
	}
	d.Default = calendarType{Name: "All others", Routine: set[[2]string{"", "routine"}], Stat: set[[2]string{"", "stat"}]}
	for _, t := range s.Service.WorkTypes() {
		d.Types = append(d.Types, calendarType{
			t.Key, t.Name, set[[2]string{t.Key, "routine"}], set[[2]string{t.Key, "stat"}], usual(d.Default.Routine, t, false), usual(d.Default.Stat, t, true),
		})
	}
	return d, title, nil
}

// usual is the turn-around that holds where a work type has none of its own.
func usual(all string, t templates.Template, stat bool) string {
	if all != "" {
		return all
	}
	if stat {
		return hoursText(t.TurnAround.Stat.Hours())
	}
	return hoursText(t.TurnAround.Routine.Hours())
}

func hoursText(h float64) string { return strconv.FormatFloat(h, 'f', -1, 64) }

type rulesData struct {
	pipeline.Escalating
	Own bool
}

func (s *site) rules(r *http.Request, actor access.Actor) (any, string, error) {
	e, err := s.Service.Escalations(r.Context(), actor)
	return rulesData{e, e.Rules.Source != escalation.Default()}, "Rules", err
}

// took writes a duration of turn-around shortly: 40 min, 3 h 20 min, 2 d 4 h.
func took(d time.Duration) string {
	switch d = d.Round(time.Minute); {
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		h, m := int(d.Hours()), int(d.Minutes())%60
		if m == 0 {
			return strconv.Itoa(h) + " h"
		}
		return strconv.Itoa(h) + " h " + strconv.Itoa(m) + " min"
	default:
		days, h := int(d.Hours())/24, int(d.Hours())%24
		if h == 0 {
			return strconv.Itoa(days) + " d"
		}
		return strconv.Itoa(days) + " d " + strconv.Itoa(h) + " h"
	}
}

// clockWords says what the clock of a dictation shows.
func clockWords(c turnaround.Reading) string {
	if c.Allowed <= 0 {
		return ""
	}
	out := took(c.Used) + " of " + took(c.Allowed)
	if c.Working {
		out += " working time"
	}
	out += " used"
	if c.Paused >= time.Minute {
		out += ", " + took(c.Paused) + " with the physician"
	}
	return out
}

// percent of a whole, "–" where there is none.
func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return strconv.Itoa((100*part+whole/2)/whole) + " %"
}

// whenWords says a rule's condition in words.
func whenWords(r escalation.Rule) []string { return r.When.Words() }

// doWords says what a rule does.
func doWords(r escalation.Rule) []string { return r.Words() }

// unsentWords says why a message could not be sent.
func unsentWords(code string) string {
	text, ok := map[string]string{
		"mail_not_configured": "no mail server is set up", "webhook_not_configured": "webhooks are not set up",
		"mail_refused": "the mail server refused it", "mail_unavailable": "the mail server could not be reached",
		"mail_address": "the address is wrong", "webhook_unreachable": "it could not be reached", "webhook_refused": "it did not take it",
		"webhook_redirected": "it sends on to another address", "webhook_gone": "it is gone", "webhook_url": "its address is not allowed any more",
	}[code]
	if !ok {
		return code
	}
	return text
}

func tryWords(n int) string {
	if n == 1 {
		return "tried once"
	}
	return "tried " + strconv.Itoa(n) + " times"
}
