package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/turnaround"
)

// noticeTables are those that noticed fills.
var noticeTables = []string{"turnaround_plans", "escalation_rules", "escalations", "notifications", "notification_settings", "webhooks", "messages", "assignments"}

// noticed makes a row in each table of rules and notifications; it returns the message.
func (w *world) noticed() pipeline.Message {
	w.Helper()
	d, _ := w.draft()
	e, hook, m := id(), pipeline.Webhook{ID: id(), URL: "https://hooks.example/" + id().String(), AddedBy: w.editor.ID}, pipeline.Message{}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.AddTurnaroundPlan(ctx, turnaround.Always(), w.editor.ID)
		w.must(err)
		_, err = tx.AddEscalationRules(ctx, "rules: []\n", w.editor.ID)
		w.must(err)
		fresh, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: e, DictationID: d.ID, Rule: "a-rule", Episode: "1"})
		if err != nil || !fresh {
			t := w.TB
			t.Fatalf("fresh %v, %v", fresh, err)
		}
		w.must(tx.InsertNotice(ctx, pipeline.Notice{PersonID: w.editor.ID, EscalationID: e, DictationID: d.ID, Say: "Look."}))
		w.must(tx.Assign(ctx, pipeline.Assignment{DictationID: d.ID, PersonID: w.editor.ID, EscalationID: e, Until: time.Now().Add(time.Hour)}))
		w.must(tx.SetNoticeSettings(ctx, w.editor.ID, pipeline.NoticeSettings{Address: "a@b.example", ByMail: true}))
		w.must(tx.InsertWebhook(ctx, hook))
		m = pipeline.Message{ID: id(), EscalationID: e, DictationID: d.ID, Channel: pipeline.ByWebhook, WebhookID: &hook.ID, Content: pipeline.Content{Say: "Look."}}
		return tx.InsertMessage(ctx, m)
	})
	return m
}

func TestRulesAndNotificationsAreSeenByTheirPracticeOnly(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	w.noticed()
	other := w.newPractice("Harbor Clinic")
	for _, table := range noticeTables {
		for _, login := range []string{w.logins.Serve, w.logins.Work} {
			if n, err := w.raw(login, w.practice, "SELECT * FROM "+table); err != nil || n == 0 {
				t.Errorf("%s: own practice sees %d rows, %v", table, n, err)
			}
			if n, err := w.raw(login, other, "SELECT * FROM "+table); err != nil || n != 0 {
				t.Errorf("%s: another practice sees %d rows, %v", table, n, err)
			}
		}
	}
}

func TestWhatIsDoneOnceIsKeptOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.noticed()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		fresh, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: id(), DictationID: m.DictationID, Rule: "a-rule", Episode: "1"})
		if err != nil || fresh {
			t.Errorf("the same again: %v, %v", fresh, err)
		}
		fresh, err = tx.AddEscalation(ctx, pipeline.Escalation{ID: id(), DictationID: m.DictationID, Rule: "a-rule", Episode: "2"})
		if err != nil || !fresh {
			t.Errorf("another episode: %v, %v", fresh, err)
		}
		w.must(tx.InsertNotice(ctx, pipeline.Notice{PersonID: w.editor.ID, EscalationID: m.EscalationID, DictationID: m.DictationID, Say: "Look."}))
		again := m
		again.ID = id()
		w.must(tx.InsertMessage(ctx, again))
		mail := pipeline.Message{EscalationID: m.EscalationID, DictationID: m.DictationID, Channel: pipeline.ByMail, Address: "a@b.example"}
		w.must(tx.InsertMessage(ctx, mail))
		mail.Address = "A@B.example"
		return tx.InsertMessage(ctx, mail)
	})
	for table, want := range map[string]int64{"notifications": 1, "messages": 2} {
		if n, err := w.raw(w.logins.Serve, w.practice, "SELECT FROM "+table+" WHERE escalation_id = $1", m.EscalationID); err != nil || n != want {
			t.Errorf("%d %s, %v", n, table, err)
		}
	}
}

func TestAMessageThatEndedStaysAsItIs(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	m := w.noticed()
	got, err := w.work.ClaimMessages(ctx, pipeline.ByWebhook, 10)
	w.must(err)
	if len(got) != 1 || got[0].ID != m.ID || got[0].URL == "" || got[0].Attempt != 1 || got[0].Content.Say != "Look." {
		t.Fatalf("claimed %+v", got)
	}
	if _, err := w.serve.ClaimMessages(ctx, pipeline.ByWebhook, 10); fault.KindOf(err) != fault.Internal {
		t.Errorf("the web server claims messages: %v", err)
	}
	wantFault(t, w.work.EndMessage(ctx, m.ID, uuid.New(), ""), fault.Conflict, "message_fenced")
	w.must(w.work.RetryMessage(ctx, m.ID, got[0].Token, 0, "webhook_refused", false))
	got, err = w.work.ClaimMessages(ctx, pipeline.ByWebhook, 10)
	w.must(err)
	w.must(w.work.EndMessage(ctx, m.ID, got[0].Token, ""))
	for _, change := range []string{"UPDATE messages SET state = 'waiting', ended_at = NULL", "DELETE FROM messages", "UPDATE notifications SET say = 'x'", "DELETE FROM notifications", "DELETE FROM webhooks"} {
		if _, err := w.raw(w.logins.Work, w.practice, change); err == nil {
			t.Errorf("%s was let through", change)
		}
	}
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.ReviveMessage(ctx, m.ID) }), fault.Conflict, "message_not_dead")
}

func TestAloneIsAloneAndTheLockGoesWithItsHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	name := id().String()
	ran, err := w.work.Alone(ctx, name, func(ctx context.Context) error {
		if ran, err := w.serve.Alone(ctx, name, func(context.Context) error { return nil }); ran || err != nil {
			t.Errorf("a second one ran: %v, %v", ran, err)
		}
		if ran, err := w.serve.Alone(ctx, "other "+name, func(context.Context) error { return nil }); !ran || err != nil {
			t.Errorf("something else did not run: %v, %v", ran, err)
		}
		return nil
	})
	if !ran || err != nil {
		t.Fatalf("%v, %v", ran, err)
	}
	canceled, cancel := context.WithCancel(ctx)
	_, _ = w.work.Alone(canceled, name, func(context.Context) error { cancel(); return canceled.Err() })
	if ran, err := w.serve.Alone(ctx, name, func(context.Context) error { return nil }); !ran || err != nil {
		t.Errorf("after the first was stopped: %v, %v", ran, err)
	}
}

func TestRaisingIsNotedWhoeverDoesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.draft()
	read := func() (c pipeline.Clocked) {
		w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
			c, err = tx.ClockedOne(ctx, d.ID)
			return err
		})
		return c
	}
	set := func(p pipeline.Priority) {
		w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.Reprioritise(ctx, d.ID, p, time.Now()) })
	}
	if read().RaisedAt != nil {
		t.Error("raised from the beginning")
	}
	set(pipeline.Stat)
	if at := read().RaisedAt; at == nil || time.Since(*at) > time.Minute {
		t.Errorf("raised at %v", at)
	}
	set(pipeline.Routine)
	if at := read().RaisedAt; at != nil {
		t.Errorf("lowered again, and raised at %v", at)
	}
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.Reprioritise(ctx, id(), pipeline.Stat, time.Now())
	}), fault.NotFound, "not_found")
}
