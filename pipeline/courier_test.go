package pipeline_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/notify"
)

// box is a receiver of webhooks: it counts what it takes by id, and answers as the test wants.
type box struct {
	*httptest.Server
	status atomic.Int64
	mu     sync.Mutex
	got    map[string]int
	bodies []string
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{got: map[string]int{}}
	b.status.Store(http.StatusNoContent)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.got[r.Header.Get("webhook-id")]++
		b.bodies = append(b.bodies, string(body))
		b.mu.Unlock()
		w.WriteHeader(int(b.status.Load()))
	}))
	t.Cleanup(b.Close)
	return b
}

// courier sends to real receivers; mail goes nowhere unless a sender is given.
func (w *world) courier(b *box, mail pipeline.Sender) *pipeline.Courier {
	w.Helper()
	h, err := notify.NewHooks(notify.HookConfig{Key: []byte("0123456789abcdef0123456789abcdef"), Allow: []string{b.Listener.Addr().String()}, Base: "https://vesper.example"})
	w.must(err)
	c := &pipeline.Courier{Store: w.work, Senders: map[pipeline.Channel]pipeline.Sender{pipeline.ByWebhook: h}, Log: w.keeper.Log}
	if mail != nil {
		c.Senders[pipeline.ByMail] = mail
	}
	return c
}

// sender is a mail sender that the test decides about.
type sender func(pipeline.Message) error

func (s sender) Send(_ context.Context, m pipeline.Message) error { return s(m) }

// brokenStep makes something that mail and webhooks tell about.
func (w *world) brokenStep(b *box) uuid.UUID {
	w.Helper()
	ctx := context.Background()
	_, _, err := w.svc.AddWebhook(ctx, w.as("supervisor"), b.URL+"/in")
	w.must(err)
	w.must(w.svc.SetNoticeSettings(ctx, w.as("supervisor"), pipeline.NoticeSettings{Address: "theo@practice.example", ByMail: true}))
	id := w.failed()
	w.look(0)
	return id
}

func (w *world) deliver(c *pipeline.Courier, ch pipeline.Channel) int {
	w.Helper()
	testkit.Exec(w, w.admin, `UPDATE messages SET run_after = now() WHERE state = 'waiting'`)
	n, err := c.Deliver(context.Background(), ch)
	w.must(err)
	return n
}

func TestMessagesGoOutOnceAndHoldNothingOfThePatient(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	var letters []pipeline.Message
	c := w.courier(b, sender(func(m pipeline.Message) error { letters = append(letters, m); return nil }))
	id := w.brokenStep(b)
	for range 2 {
		w.deliver(c, pipeline.ByWebhook)
		w.deliver(c, pipeline.ByMail)
	}
	if len(letters) != 1 || letters[0].Address != "theo@practice.example" || letters[0].DictationID != id || len(b.got) != 1 || len(b.bodies) != 1 {
		t.Fatalf("%d letters, webhooks %v", len(letters), b.got)
	}
	if body := b.bodies[0]; strings.Contains(body, canary) || strings.Contains(body, "T-1001") || !strings.Contains(body, id.String()) {
		t.Errorf("the webhook says %s", body)
	}
	if depth, err := w.serve.MessageDepth(context.Background()); err != nil || len(depth) != 0 {
		t.Errorf("left are %v, %v", depth, err)
	}
	if logs := w.logs.String(); strings.Contains(logs, canary) || strings.Contains(logs, "theo@practice.example") {
		t.Error("the log names people")
	}
}

func TestAMessageIsTriedAgainUntilItIsTakenOrGivenUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	c := w.courier(b, nil)
	w.brokenStep(b)
	b.status.Store(http.StatusInternalServerError)
	for range 3 {
		if n := w.deliver(c, pipeline.ByWebhook); n != 1 {
			t.Fatalf("%d messages", n)
		}
	}
	if n, err := c.Deliver(context.Background(), pipeline.ByWebhook); n != 0 || err != nil {
		t.Errorf("tried without a pause: %d, %v", n, err)
	}
	for range 20 {
		w.deliver(c, pipeline.ByWebhook)
	}
	w.deliver(c, pipeline.ByMail) // nothing sends mail here
	ctx := context.Background()
	e, err := w.svc.Escalations(ctx, w.as("supervisor"))
	w.must(err)
	codes := map[string]pipeline.Message{}
	for _, m := range e.Dead {
		codes[m.ErrorCode] = m
	}
	hook := codes["webhook_refused"]
	if len(codes) != 2 || hook.Attempt != 12 || hook.URL != b.URL+"/in" || codes["mail_not_configured"].ID == uuid.Nil {
		t.Fatalf("given up: %+v", e.Dead)
	}
	if len(b.got) != 1 || b.got["msg_"+hook.ID.String()] != 12 {
		t.Errorf("the receiver saw %v", b.got)
	}
	b.status.Store(http.StatusOK)
	w.must(w.svc.ResendMessage(ctx, w.as("supervisor"), hook.ID))
	if n := w.deliver(c, pipeline.ByWebhook); n != 1 {
		t.Error("it is not sent again")
	}
	wantFault(t, w.svc.ResendMessage(ctx, w.as("supervisor"), hook.ID), fault.Conflict, "message_not_dead")
}

func TestASenderThatVanishedIsReplacedAndSaysItAgainUnderTheSameID(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	c := w.courier(b, nil)
	w.brokenStep(b)
	ctx := context.Background()
	lost, err := w.work.ClaimMessages(ctx, pipeline.ByWebhook, 10) // and killed after it was sent
	w.must(err)
	w.must(c.Senders[pipeline.ByWebhook].Send(ctx, lost[0]))
	if n := w.deliver(c, pipeline.ByWebhook); n != 0 {
		t.Fatal("two send the same at a time")
	}
	testkit.Exec(t, w.admin, `UPDATE messages SET lease_until = now() - interval '1 second' WHERE state = 'sending'`)
	if n := w.deliver(c, pipeline.ByWebhook); n != 1 {
		t.Fatal("nobody takes it up")
	}
	if b.got["msg_"+lost[0].ID.String()] != 2 || len(b.got) != 1 {
		t.Errorf("the receiver saw %v", b.got)
	}
	if err := w.work.EndMessage(ctx, lost[0].ID, lost[0].Token, ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the late sender settles it: %v", err)
	}
}

func TestStoppingGivesTheAttemptBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	ctx, stop := context.WithCancel(context.Background())
	c := w.courier(b, sender(func(pipeline.Message) error { stop(); return errors.New("cut") }))
	w.brokenStep(b)
	if _, err := c.Deliver(ctx, pipeline.ByMail); err != nil {
		t.Fatal(err)
	}
	if n := testkit.Exec(t, w.admin, `SELECT FROM messages WHERE channel = 'mail' AND state = 'waiting' AND attempt = 0 AND run_after <= now()`); n != 1 {
		t.Error("the message does not wait for the next worker")
	}
}

func TestASenderThatPanicsTakesDownNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	c := w.courier(b, sender(func(pipeline.Message) error { panic("broken") }))
	w.brokenStep(b)
	if n := w.deliver(c, pipeline.ByMail); n != 1 {
		t.Error("nothing was tried")
	}
}

func TestTheCourierRunsAndStops(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	c := w.courier(b, sender(func(pipeline.Message) error { return nil }))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	w.brokenStep(b)
	testkit.Until(t, 10*time.Second, "all messages are out", func() bool {
		depth, err := w.serve.MessageDepth(context.Background())
		b.mu.Lock()
		defer b.mu.Unlock()
		return err == nil && len(depth) == 0 && len(b.got) == 1
	})
}

func TestPausesBetweenAttemptsGrow(t *testing.T) {
	t.Parallel()
	var all time.Duration
	for attempt := 1; attempt < 12; attempt++ {
		d := pipeline.MessagePause(attempt)
		if d <= 0 || d > time.Hour {
			t.Errorf("pause %d is %s", attempt, d)
		}
		all += d
	}
	if all < 2*time.Hour || all > 8*time.Hour {
		t.Errorf("all pauses are %s", all)
	}
}

func TestARemovedWebhookIsNotTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := newBox(t)
	ctx := context.Background()
	h, secret, err := w.svc.AddWebhook(ctx, w.as("supervisor"), b.URL)
	w.must(err)
	if secret == "" {
		t.Error("no secret")
	}
	_, _, err = w.svc.AddWebhook(ctx, w.as("supervisor"), b.URL)
	wantFault(t, err, fault.Conflict, "webhook_exists")
	_, _, err = w.svc.AddWebhook(ctx, w.as("supervisor"), "http://hooks.example")
	wantFault(t, err, fault.Invalid, "webhook_url")
	w.must(w.svc.RemoveWebhook(ctx, w.as("supervisor"), h.ID))
	wantFault(t, w.svc.RemoveWebhook(ctx, w.as("supervisor"), h.ID), fault.NotFound, "not_found")
	w.failed()
	w.look(0)
	if n := w.deliver(w.courier(b, nil), pipeline.ByWebhook); n != 0 {
		t.Errorf("%d messages", n)
	}
}
