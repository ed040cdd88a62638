package tasks_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
)

// A client that has lost Redis looks for it once a second, also for the second after it was closed.
func TestMain(m *testing.M) {
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

var quiet = slog.New(slog.DiscardHandler)

func bell(t *testing.T, url string) *tasks.Bell {
	t.Helper()
	b, err := tasks.NewBell(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func doorbell(p pipeline.Priority) pipeline.Doorbell {
	return pipeline.Doorbell{JobID: uuid.Must(uuid.NewV7()), PracticeID: uuid.New(), DispatchNo: 1, Kind: pipeline.TranscribeJob, Priority: p}
}

// answered collects what workers were rung for.
type answered struct {
	mu  sync.Mutex
	all []pipeline.Doorbell
}

func (a *answered) do(_ context.Context, d pipeline.Doorbell) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, d)
	return nil
}

func (a *answered) list() []pipeline.Doorbell {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]pipeline.Doorbell(nil), a.all...)
}

// serve answers with do until the test or the returned function ends it.
func serve(t *testing.T, url string, concurrency int, do func(context.Context, pipeline.Doorbell) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	s := &tasks.Server{URL: url, Do: do, Concurrency: concurrency, Grace: 50 * time.Millisecond, Log: quiet}
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func ring(t *testing.T, b *tasks.Bell, d pipeline.Doorbell) {
	t.Helper()
	if err := b.Ring(context.Background(), d); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	return c
}

// waiting is the number of tasks in a queue.
func waiting(t *testing.T, url string, p pipeline.Priority) int64 {
	t.Helper()
	n, err := connect(t, url).LLen(t.Context(), "asynq:{"+string(p)+"}:pending").Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOneDispatchRingsOnceAndTheNextRingsAgain(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b, d := bell(t, url), doorbell(pipeline.Routine)
	for range 3 {
		ring(t, b, d)
	}
	if n := waiting(t, url, pipeline.Routine); n != 1 {
		t.Fatalf("%d tasks for one dispatch", n)
	}
	d.DispatchNo++
	ring(t, bell(t, url), d)
	if n := waiting(t, url, pipeline.Routine); n != 2 {
		t.Fatalf("%d tasks for two dispatches", n)
	}
	var got answered
	serve(t, url, 1, got.do)
	testkit.Until(t, 10*time.Second, "both are answered", func() bool { return len(got.list()) == 2 })
	for i, a := range got.list() {
		if a.JobID != d.JobID || a.PracticeID != d.PracticeID || a.Kind != d.Kind || a.DispatchNo != i+1 {
			t.Errorf("answered %+v", a)
		}
	}
}

func TestTwoServersShareTheWork(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b := bell(t, url)
	want := map[uuid.UUID]bool{}
	for range 40 {
		d := doorbell(pipeline.Routine)
		want[d.JobID] = true
		ring(t, b, d)
	}
	var one, two answered
	// Each server waits at its first doorbell until the other one has one too, so that neither can do it all alone.
	var both sync.WaitGroup
	both.Add(2)
	gate := func(a *answered) func(context.Context, pipeline.Doorbell) error {
		var first sync.Once
		return func(ctx context.Context, d pipeline.Doorbell) error {
			first.Do(func() { both.Done(); both.Wait() })
			return a.do(ctx, d)
		}
	}
	serve(t, url, 1, gate(&one))
	serve(t, url, 1, gate(&two))
	testkit.Until(t, 20*time.Second, "all are answered", func() bool { return len(one.list())+len(two.list()) == len(want) })
	for _, d := range append(one.list(), two.list()...) {
		if !want[d.JobID] {
			t.Errorf("%s was answered twice or never rung", d.JobID)
		}
		delete(want, d.JobID)
	}
}

func TestStatIsAnsweredBeforeAllThatHasNotStarted(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b := bell(t, url)
	started, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var got answered
	ring(t, b, doorbell(pipeline.Routine)) // it is being worked on when the others come
	serve(t, url, 1, func(ctx context.Context, d pipeline.Doorbell) error {
		once.Do(func() { close(started); <-proceed })
		return got.do(ctx, d)
	})
	<-started
	for range 5 {
		ring(t, b, doorbell(pipeline.Routine))
	}
	for range 5 {
		ring(t, b, doorbell(pipeline.Stat))
	}
	close(proceed)
	testkit.Until(t, 10*time.Second, "all are answered", func() bool { return len(got.list()) == 11 })
	var order []pipeline.Priority
	for _, d := range got.list() {
		order = append(order, d.Priority)
	}
	if got, want := fmt.Sprint(order), fmt.Sprint(append(append([]pipeline.Priority{pipeline.Routine}, repeat(pipeline.Stat, 5)...), repeat(pipeline.Routine, 5)...)); got != want {
		t.Errorf("answered in the order %s", got)
	}
}

func repeat(p pipeline.Priority, n int) (out []pipeline.Priority) {
	for range n {
		out = append(out, p)
	}
	return out
}

func TestRedisHoldsIdsOnly(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b, d := bell(t, url), doorbell(pipeline.Stat)
	ring(t, b, d)
	c := connect(t, url)
	task, err := c.HGetAll(t.Context(), fmt.Sprintf("asynq:{stat}:t:%s:1", d.JobID)).Result()
	if err != nil || len(task) == 0 {
		t.Fatalf("the task is not under job id and dispatch number: %v %v", task, err)
	}
	msg := task["msg"]
	for _, id := range []string{d.JobID.String(), d.PracticeID.String()} {
		if !strings.Contains(msg, id) {
			t.Errorf("the task lacks %s", id)
		}
	}
	_, payload, _ := strings.Cut(msg, "{")
	payload, _, _ = strings.Cut(payload, "}")
	payload = "{" + payload + "}"
	want := fmt.Sprintf(`{"JobID":"%s","PracticeID":"%s","DispatchNo":1,"Kind":"transcribe","Priority":"stat"}`, d.JobID, d.PracticeID)
	if payload != want {
		t.Errorf("the payload is %s, want %s", payload, want)
	}

	// What a failed answer says stays out of Redis, and nothing of the task remains once it was answered.
	failed := make(chan struct{})
	stop := serve(t, url, 1, func(context.Context, pipeline.Doorbell) error {
		defer close(failed)
		return fmt.Errorf("while working on Quillfeather")
	})
	<-failed
	testkit.Until(t, 10*time.Second, "the task is gone", func() bool {
		return c.Exists(t.Context(), fmt.Sprintf("asynq:{stat}:t:%s:1", d.JobID)).Val() == 0
	})
	stop()
	for it := c.Scan(t.Context(), 0, "*", 100).Iterator(); it.Next(t.Context()); {
		if raw := c.Dump(t.Context(), it.Val()).Val(); strings.Contains(raw, "Quillfeather") {
			t.Errorf("%s holds the error's text", it.Val())
		}
	}
}

func TestWithoutRedisRingingFailsQuicklyAndComesBack(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t, "redis")
	b := bell(t, own.RedisURL())
	ring(t, b, doorbell(pipeline.Routine))
	own.StopRedis()
	began := time.Now()
	err := b.Ring(context.Background(), doorbell(pipeline.Routine))
	if f := fault.As(err); err == nil || f.Kind != fault.Unavailable || f.Code != "queue_unavailable" {
		t.Errorf("without Redis: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s to say so", took)
	}
	var got answered
	serve(t, own.RedisURL(), 1, got.do) // a worker that starts before Redis
	own.StartRedis()
	d := doorbell(pipeline.Stat)
	ring(t, b, d)
	testkit.Until(t, 20*time.Second, "the worker answers", func() bool {
		for _, a := range got.list() {
			if a.JobID == d.JobID {
				return true
			}
		}
		return false
	})

	own.StopRedis() // and one that loses it on the way
	own.StartRedis()
	d = doorbell(pipeline.Stat)
	testkit.Until(t, 10*time.Second, "the bell rings again", func() bool { return b.Ring(context.Background(), d) == nil })
	testkit.Until(t, 20*time.Second, "the worker answers again", func() bool {
		all := got.list()
		return len(all) > 0 && all[len(all)-1].JobID == d.JobID
	})
}

func TestARedisThatDoesNotAnswerIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	b := bell(t, "redis://127.0.0.1:1/0") // nobody listens there
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := b.Ring(ctx, doorbell(pipeline.Routine))
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := tasks.NewBell("mysql://x"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an address of something else: %v", err)
	}
	if err := (&tasks.Server{URL: "nonsense", Log: quiet}).Run(context.Background()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a server for something else: %v", err)
	}
}

func TestAServerThatStopsWaitsForItsWork(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	ring(t, bell(t, url), doorbell(pipeline.Routine))
	started, finished := make(chan struct{}), make(chan struct{})
	stop := serve(t, url, 1, func(ctx context.Context, _ pipeline.Doorbell) error {
		close(started)
		<-ctx.Done() // the stop reaches the work, which puts its things in order
		close(finished)
		return ctx.Err()
	})
	<-started
	stop()
	select {
	case <-finished:
	default:
		t.Error("the server ended before its work")
	}
}

func TestDraftsAndDeliveriesDoNotWaitBehindTranscriptions(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b := bell(t, url)
	engine := make(chan struct{})
	var got answered
	for range 3 {
		ring(t, b, doorbell(pipeline.Routine))
	}
	serve(t, url, 1, func(ctx context.Context, d pipeline.Doorbell) error {
		if d.Kind == pipeline.TranscribeJob {
			<-engine // every hand of the engine is busy
		}
		return got.do(ctx, d)
	})
	for _, kind := range []pipeline.JobKind{pipeline.DraftJob, pipeline.DeliverJob} {
		for _, p := range []pipeline.Priority{pipeline.Stat, pipeline.Routine} {
			d := doorbell(p)
			d.Kind = kind
			ring(t, b, d)
		}
	}
	testkit.Until(t, 10*time.Second, "drafts and deliveries are done", func() bool { return len(got.list()) == 4 })
	close(engine)
	testkit.Until(t, 10*time.Second, "the transcriptions follow", func() bool { return len(got.list()) == 7 })
}

func TestAServerThatStopsLetsItsWorkComeToAPointAndTakesNothingNew(t *testing.T) {
	t.Parallel()
	url := testkit.Redis(t)
	b := bell(t, url)
	ring(t, b, doorbell(pipeline.Routine))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started, finish := make(chan struct{}), make(chan struct{})
	var cut error
	var got answered
	s := &tasks.Server{URL: url, Concurrency: 1, Grace: time.Minute, Log: quiet, Do: func(ctx context.Context, d pipeline.Doorbell) error {
		close(started)
		<-finish
		cut = ctx.Err()
		return got.do(ctx, d)
	}}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-started
	cancel()
	ring(t, b, doorbell(pipeline.Stat)) // it comes too late for this server
	close(finish)
	if err := <-done; err != nil || cut != nil {
		t.Errorf("ended with %v, the work's context with %v", err, cut)
	}
	if n := waiting(t, url, pipeline.Stat); len(got.list()) != 1 || n != 1 {
		t.Errorf("%d answered, %d waiting", len(got.list()), n)
	}
}

func TestAServerStopsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	stop := serve(t, "redis://127.0.0.1:1/0", 1, func(context.Context, pipeline.Doorbell) error { return nil })
	done := make(chan struct{})
	go func() { stop(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the server does not stop")
	}
}
