package pages_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
	"vesper/pipeline/escalation"
	"vesper/pipeline/turnaround"
)

func (s *stage) TurnaroundPlan(context.Context, access.Actor) (pipeline.StoredPlan, error) {
	p := turnaround.Always()
	p.Zone, p.Hours.Sun = "America/New_York", nil
	p.Holidays = []turnaround.Holiday{{Date: "2026-12-24", Name: s.name, Hours: []string{"08:00-12:00"}}}
	p.Targets = []turnaround.Target{{WorkType: "progress", Priority: "routine", Hours: 7.5}, {Priority: "stat", Hours: 3}}
	return pipeline.StoredPlan{Plan: p, Number: 2, SetBy: s.name, SetAt: now}, s.fail
}

func (s *stage) TurnaroundReport(_ context.Context, _ access.Actor, from, to time.Time) (pipeline.TurnaroundReport, error) {
	if s.empty {
		return pipeline.TurnaroundReport{From: from, To: to}, s.fail
	}
	l := pipeline.TurnaroundLine{WorkType: "progress", Priority: pipeline.Stat, Received: 9, Signed: 7, Open: 2, Overdue: 1, Median: 95 * time.Minute, P90: 50 * time.Hour, ReadyOnTime: 6}
	return pipeline.TurnaroundReport{From: from, To: to, Lines: []pipeline.TurnaroundLine{l}, All: l, Partly: true}, s.fail
}

func (s *stage) Escalations(context.Context, access.Actor) (pipeline.Escalating, error) {
	e := pipeline.Escalating{Rules: pipeline.StoredRules{Source: escalation.Default()}}
	e.Set, _ = escalation.Parse(e.Rules.Source)
	if s.empty {
		return e, s.fail
	}
	e.Rules = pipeline.StoredRules{Source: "# " + s.name + "\n" + e.Rules.Source, Number: 3, SetBy: s.name, SetAt: now}
	e.Recent = []pipeline.Escalation{{ID: uuid.New(), DictationID: dictated, Rule: "overdue", At: now.Add(-time.Hour)}}
	e.Webhooks = []pipeline.Webhook{{ID: uuid.New(), URL: "https://hooks.example/" + s.name}}
	e.Dead = []pipeline.Message{{ID: uuid.New(), Channel: pipeline.ByMail, Address: s.name, ErrorCode: "mail_refused", Attempt: 12, At: now, Content: pipeline.Content{Say: s.name}}}
	return e, s.fail
}

func (s *stage) Notices(context.Context, access.Actor) ([]pipeline.Notice, error) {
	if s.empty {
		return nil, s.fail
	}
	return []pipeline.Notice{
		{ID: uuid.New(), DictationID: dictated, Say: s.name, At: now.Add(-time.Hour), WorkType: "progress", Priority: pipeline.Stat, State: s.state},
		{ID: uuid.New(), DictationID: dictated, Say: "A note was overdue.", At: now, ReadAt: &now, WorkType: "progress", Priority: pipeline.Routine, State: s.state},
	}, s.fail
}

func (s *stage) UnreadNotices(context.Context, access.Actor) (int, error) {
	if s.empty {
		return 0, s.fail
	}
	return 12, s.fail
}

func (s *stage) NoticeSettings(context.Context, access.Actor) (pipeline.NoticeSettings, error) {
	return pipeline.NoticeSettings{Address: "a@practice.example", ByMail: true}, s.fail
}

// has fails the test unless the page has each text.
func has(t *testing.T, s *stage, role access.Role, path string, wants ...string) string {
	t.Helper()
	status, body, _ := get(t, s, role, path)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d", path, status)
	}
	for _, want := range wants {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
	return body
}

func TestEveryPageHasTheBellAndItsCount(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Drafted)
	has(t, s, access.Editor, "/queue", `href="/notifications"`, `<b id="bell-count">12</b>`)
	s.empty = true
	has(t, s, access.Editor, "/queue", `<b id="bell-count" hidden>0</b>`)
	has(t, s, access.Editor, "/notifications", "Nothing to tell.")
}

func TestTheReportAndTheCalendarSayWhatIsSet(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Drafted)
	has(t, s, access.Supervisor, "/turnaround", "1 h 35 min", "2 d 2 h", "86 %", "The newest 50,000 are", `aria-current="page">30 days`)
	body := has(t, s, access.Supervisor, "/turnaround/calendar", `value="America/New_York"`, "2026-12-24 08:00-12:00 Testa Fictional", `data-number="2"`,
		`data-type="progress" data-priority="routine" inputmode="decimal" value="7.5"`, `data-type="progress" data-priority="stat" inputmode="decimal" value="" placeholder="3"`)
	if !strings.Contains(body, `data-day="sun" value=""`) || !strings.Contains(body, `data-day="mon" value="00:00-24:00"`) {
		t.Error("the days are not those of the plan")
	}
	if status, _, _ := get(t, s, access.Supervisor, "/turnaround?days=8"); status != http.StatusBadRequest {
		t.Errorf("any span: %d", status)
	}
}

func TestRulesAreShownInWords(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Drafted)
	has(t, s, access.Supervisor, "/turnaround/rules", "transcribed, drafted or in review, STAT, 50% of the time used", "tell supervisors, editors",
		"give it back to the queue; tell who holds it, supervisors", "in review, held for 45m without being saved", "the mail server refused it", "tried 12 times", "Go back to Vesper’s rules")
	s.empty = true
	if body := has(t, s, access.Supervisor, "/turnaround/rules", "These come with Vesper"); strings.Contains(body, "Go back to Vesper’s rules") {
		t.Error("offers to go back to where it is")
	}
}

func TestTheQueueMarksWhatIsAssigned(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Drafted)
	until := now.Add(20 * time.Minute)
	s.change = func(c *pipeline.Card) { c.AssignedTo, c.Assignee, c.KeptUntil = &doctor, "Mina Hart", &until }
	has(t, s, access.Editor, "/queue", `href="/dictations/`+dictated.String()+`"`, "data-taken", "for Mina Hart")
	s.change = func(c *pipeline.Card) { c.AssignedTo, c.Assignee, c.KeptUntil = &editor, "Mina Hart", &until }
	if body := has(t, s, access.Editor, "/queue", `href="/edit/`+dictated.String()+`"`, "Assigned to you"); strings.Contains(body, "data-taken") {
		t.Error("who it is assigned to cannot take it")
	}
}

func TestListsSayWhatTheClockShows(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Drafted)
	has(t, s, access.Editor, "/queue", "50 min of 2 h working time used, 1 h 5 min with the physician")
	has(t, s, access.Supervisor, "/dictations/"+dictated.String(), "50 min of 2 h working time used")
	s.change = func(c *pipeline.Card) { c.Clock.Working = false }
	has(t, s, access.Editor, "/queue", "50 min of 2 h used")
}
