package web_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/pipeline"
)

// anyHook allows every webhook.
type anyHook struct{}

func (anyHook) Check(string) error         { return nil }
func (anyHook) Secret(id uuid.UUID) string { return "whsec_" + id.String() }

func TestASupervisorSetsTheCalendarAndDueTimesMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.drafted()
	c := w.as("supervisor")
	if n := c.get("/api/v1/turnaround/plan").want(200).field("number"); n != 0.0 {
		t.Errorf("number %v", n)
	}
	before := c.get("/api/v1/dictations/" + id.String()).want(200).field("due_at")
	put := c.do("PUT", "/api/v1/turnaround/plan", strings.NewReader(`{"number":0,"plan":`+planBody+`}`), "Content-Type", "application/json")
	if moved := put.want(200).field("moved"); moved != 1.0 {
		t.Errorf("moved %v", moved)
	}
	var got struct {
		Number int
		SetBy  string `json:"set_by"`
		Plan   struct {
			Zone  string
			Hours struct{ Mon, Sun []string }
		}
	}
	c.get("/api/v1/turnaround/plan").want(200).into(&got)
	if got.Number != 1 || got.SetBy != "Theo Brandt" || got.Plan.Zone != "America/New_York" || len(got.Plan.Hours.Mon) != 1 || got.Plan.Hours.Sun == nil {
		t.Errorf("plan %+v", got)
	}
	var after struct {
		DueAt string `json:"due_at"`
		Clock struct {
			Allowed int64 `json:"allowed_seconds"`
			Working bool  `json:"working_hours"`
			Phase   string
		}
	}
	c.get("/api/v1/dictations/" + id.String()).want(200).into(&after)
	if after.DueAt == before || after.Clock.Allowed != 24*3600 || !after.Clock.Working || after.Clock.Phase != "running" {
		t.Errorf("due %v, then %+v", before, after)
	}
	c.do("PUT", "/api/v1/turnaround/plan", strings.NewReader(`{"number":0,"plan":`+planBody+`}`), "Content-Type", "application/json").problem(409, "settings_changed")
	bad := strings.Replace(planBody, "08:00-17:00", "eight to five", 1)
	c.do("PUT", "/api/v1/turnaround/plan", strings.NewReader(`{"number":1,"plan":`+bad+`}`), "Content-Type", "application/json").problem(422, "turnaround_hours")
	var report struct {
		Lines []struct{ Received, Open int }
		All   struct{ Received int }
	}
	c.get("/api/v1/turnaround").want(200).into(&report)
	if report.All.Received != 1 || len(report.Lines) != 1 || report.Lines[0].Open != 1 {
		t.Errorf("report %+v", report)
	}
	c.get("/api/v1/turnaround?from=2020-01-01T00:00:00Z").problem(422, "report_span")
}

func TestRulesAreCheckedAndSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("supervisor")
	var checked struct {
		Rules    int
		Problems []struct {
			Line    int
			Message string
		}
	}
	bad := "rules:\n  - name: a-rule\n    say: Look.\n    when: {state: nowhere}\n    do: [notify: author]\n"
	c.json("POST", "/api/v1/escalations/check", map[string]any{"source": bad}).want(200).into(&checked)
	if len(checked.Problems) != 1 || checked.Problems[0].Line != 4 {
		t.Errorf("checked %+v", checked)
	}
	c.json("PUT", "/api/v1/escalations", map[string]any{"number": 0, "source": bad}).problem(422, "rules_invalid")
	good := strings.Replace(bad, "nowhere", "drafted", 1)
	c.json("PUT", "/api/v1/escalations", map[string]any{"number": 0, "source": good}).want(200)
	if got := c.get("/api/v1/escalations").want(200); got.field("source") != good || got.field("number") != 1.0 {
		t.Errorf("rules %s", got.body)
	}
	a := c.json("POST", "/api/v1/webhooks", map[string]any{"url": "https://hooks.example/in"}).want(201)
	if s, _ := a.field("secret").(string); !strings.HasPrefix(s, "whsec_") {
		t.Errorf("webhook %s", a.body)
	}
	if strings.Contains(c.get("/api/v1/escalations").want(200).body, "whsec_") {
		t.Error("the secret is told again")
	}
	c.do("POST", "/api/v1/webhooks/"+a.field("id").(string)+"/remove", nil).want(204)
	c.do("POST", "/api/v1/messages/"+newID().String()+"/resend", nil).problem(409, "message_not_dead")
}

func TestAnAssignedNoteIsKeptForItsEditorInTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, mine := w.drafted(), w.drafted()
	e, until := newID(), time.Now().Add(20*time.Minute).UTC().Truncate(time.Second)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if _, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: e, DictationID: mine, Rule: "give", Episode: "x"}); err != nil {
			return err
		}
		return tx.Assign(ctx, pipeline.Assignment{DictationID: mine, PersonID: w.people["editor"].ID, EscalationID: e, Until: until})
	})
	var list struct {
		Items []struct {
			ID         string
			AssignedTo *struct {
				ID, Name string
				Until    time.Time
			} `json:"assigned_to"`
		}
	}
	w.as("editor").get("/api/v1/dictations?queue=editor").want(200).into(&list)
	if len(list.Items) != 2 || list.Items[0].ID != mine.String() || list.Items[1].ID != first.String() || list.Items[1].AssignedTo != nil {
		t.Fatalf("queue %+v", list)
	}
	if a := list.Items[0].AssignedTo; a == nil || a.ID != w.people["editor"].ID.String() || a.Name != w.people["editor"].Name || !a.Until.Equal(until) {
		t.Errorf("assigned to %+v", a)
	}
	if body := w.as("editor").get("/queue").want(200).body; !strings.Contains(body, "Assigned to you") {
		t.Error("the page does not say that it is assigned")
	}
	if body := w.as("supervisor").get("/queue").want(200).body; !strings.Contains(body, "for "+w.people["editor"].Name) {
		t.Error("the supervisor's page does not say whom it is for")
	}
	rules := "rules: [{name: give, say: Look., when: {state: drafted}, do: [{reassign: editor, to: nobody}]}]"
	w.as("supervisor").json("PUT", "/api/v1/escalations", map[string]any{"number": 0, "source": rules}).problem(422, "rules_invalid")
}

func TestPeopleReadWhatTheyAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.drafted()
	e := newID()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if _, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: e, DictationID: id, Rule: "overdue", Episode: "x"}); err != nil {
			return err
		}
		return tx.InsertNotice(ctx, pipeline.Notice{PersonID: w.people["editor"].ID, EscalationID: e, DictationID: id, Say: "A note is overdue."})
	})
	c, other := w.as("editor"), w.as("physician")
	if n := c.get("/api/v1/notifications/unread").want(200).field("unread"); n != 1.0 {
		t.Errorf("unread %v", n)
	}
	var list struct {
		Items []struct {
			ID, Say string
			Read    bool
		}
	}
	c.get("/api/v1/notifications").want(200).into(&list)
	if len(list.Items) != 1 || list.Items[0].Say != "A note is overdue." || list.Items[0].Read {
		t.Fatalf("list %+v", list)
	}
	other.do("POST", "/api/v1/notifications/"+list.Items[0].ID+"/read", nil).problem(404, "not_found")
	c.do("POST", "/api/v1/notifications/"+list.Items[0].ID+"/read", nil).want(204)
	if n := c.get("/api/v1/notifications/unread").want(200).field("unread"); n != 0.0 {
		t.Errorf("unread %v", n)
	}
	c.do("POST", "/api/v1/notifications/read", nil).want(204)
	c.json("PUT", "/api/v1/notifications/settings", map[string]any{"address": "not an address", "by_mail": true}).problem(422, "address_invalid")
	c.json("PUT", "/api/v1/notifications/settings", map[string]any{"address": "mina@practice.example", "by_mail": true}).want(204)
	if got := c.get("/api/v1/notifications/settings").want(200); got.field("by_mail") != true {
		t.Errorf("settings %s", got.body)
	}
}
