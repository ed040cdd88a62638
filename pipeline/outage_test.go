package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
)

// alive runs relay, keeper and a worker behind a real queue until the test ends; the returned function stops them early.
func (w *world) alive(redisURL string) (stop func()) {
	w.Helper()
	return w.aliveWith(redisURL, 2)
}

// aliveWith lets the worker do so many transcriptions at once.
func (w *world) aliveWith(redisURL string, concurrency int) (stop func()) {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	bell, err := tasks.NewBell(redisURL)
	w.must(err)
	relay := pipeline.NewRelay(w.work, bell, w.worker.Log)
	w.svc.Kick, w.worker.Kick = relay.Kick, relay.Kick
	server := &tasks.Server{URL: redisURL, Do: w.worker.Do, Concurrency: concurrency, Grace: 5 * time.Second, Log: w.worker.Log}
	var wg sync.WaitGroup
	wg.Go(func() { relay.Run(ctx) })
	wg.Go(func() { w.keeper.Run(ctx) })
	wg.Go(func() {
		if err := server.Run(ctx); err != nil {
			w.Error(err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		w.must(bell.Close())
	})
	w.Cleanup(stop)
	return stop
}

// reaches waits until a dictation is in a state.
func (w *world) reaches(id uuid.UUID, state pipeline.State) {
	w.Helper()
	testkit.Until(w, soon, "the dictation is "+string(state), func() bool {
		var d pipeline.Dictation
		err := w.serve.InTx(context.Background(), w.practice, func(ctx context.Context, tx pipeline.Tx) (err error) {
			d, err = tx.Dictation(ctx, id)
			return err
		})
		return err == nil && d.State == state
	})
}

func TestWithRedisDownRecordingsAreTakenAndDraftedLater(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	w := setup(t, on(own))
	own.StopRedis()
	w.alive(own.RedisURL())
	start := time.Now()
	id := w.submit()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the receipt took %s", took)
	}
	w.wantState(id, pipeline.Queued)
	testkit.Until(t, soon, "the relay says that it cannot ring", func() bool { return strings.Contains(w.logs.String(), "relay cannot reach the queue") })
	own.StartRedis()
	w.reaches(id, pipeline.Drafted)
	w.reaches(w.submit(), pipeline.Drafted)
}

func TestFlushingRedisLosesNothing(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	w := setup(t, on(own))
	// Rung before any worker is there: all that Redis holds of these is lost.
	bell, err := tasks.NewBell(own.RedisURL())
	w.must(err)
	defer bell.Close()
	var ids []uuid.UUID
	for range 4 {
		ids = append(ids, w.submit())
	}
	n, err := w.work.Dispatch(context.Background(), 100, bell.Ring)
	w.must(err)
	if n != 4 {
		t.Fatalf("%d rung", n)
	}
	own.FlushRedis()
	// And one whose stage is under way while Redis forgets it.
	busy, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.engine.set(func(context.Context, int) error {
		once.Do(func() { close(busy); <-proceed })
		return nil
	})
	w.alive(own.RedisURL())
	active := w.submit()
	<-busy
	own.FlushRedis()
	close(proceed)
	w.reaches(active, pipeline.Drafted)
	for _, id := range ids {
		w.wantState(id, pipeline.Queued)
	}
	// A quarter of a minute later the relay rings again for what nobody answered.
	testkit.Exec(t, w.admin, `UPDATE jobs SET dispatched_at = dispatched_at - interval '16 seconds' WHERE state = 'queued'`)
	for _, id := range ids {
		w.reaches(id, pipeline.Drafted)
	}
	if runs, _ := w.engine.history(); runs != 5 {
		t.Errorf("the engine ran %d times for 5 dictations", runs)
	}
}

func TestPostgreSQLRestartedInTheMiddleLosesNothing(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	w := setup(t, on(own))
	ctx := context.Background()
	busy, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 3 {
			once.Do(func() { close(busy); <-proceed })
		}
		return nil
	})
	w.alive(own.RedisURL())
	id := w.submit()
	<-busy
	own.StopPostgres(true)
	if _, err := w.svc.Detail(ctx, w.as("physician"), id); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without a database: %v", err)
	}
	if _, err := w.svc.Submit(ctx, w.as("physician"), w.submission()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without a database a recording is answered with %v", err)
	}
	close(proceed) // the stage goes on and finds nobody to give its chunk to
	testkit.Until(t, soon, "the stage noticed", func() bool { return strings.Contains(w.logs.String(), "settle failed stage") })
	own.StartPostgres()
	w.wantState(id, pipeline.Queued)
	w.expireLeases() // what the lease's twenty seconds would do
	w.reaches(id, pipeline.Drafted)
	if _, resumed := w.engine.history(); resumed[len(resumed)-1] < 2 {
		t.Errorf("the runs were given %v saved chunks", resumed)
	}
	w.reaches(w.submit(), pipeline.Drafted)
}

func TestTheObjectStoreDownDelaysTheWorkOnly(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	w := setup(t, on(own))
	id := w.submit()
	own.StopS3()
	w.drain()
	w.wantState(id, pipeline.Queued)
	if j := w.jobs(id)[0]; j.State != pipeline.JobQueued || j.Attempt != 1 {
		t.Errorf("job %+v", j)
	}
	own.StartS3()
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Drafted)
	own.StopS3()
	_, _, err := w.svc.OpenAudio(context.Background(), w.as("editor"), id, pipeline.Playback)
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a recording without its store: %v", err)
	}
}

// everythingIn reads all keys and values of a Redis database.
func everythingIn(t *testing.T, url string) string {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	var all strings.Builder
	for it := c.Scan(t.Context(), 0, "*", 100).Iterator(); it.Next(t.Context()); {
		raw, err := c.Dump(t.Context(), it.Val()).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		all.WriteString(it.Val() + " " + raw + "\n")
	}
	return all.String()
}
