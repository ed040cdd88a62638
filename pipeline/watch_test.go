package pipeline_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/telemetry"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// spectator takes down what it is told.
type spectator struct {
	mu     sync.Mutex
	runs   []pipeline.StageRun
	rounds []string
}

func (s *spectator) Stage(r pipeline.StageRun) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, r)
}

func (s *spectator) Round(what string, _ time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		what += " failed"
	}
	s.rounds = append(s.rounds, what)
}

// told are the outcomes and codes of the runs so far.
func (s *spectator) told() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		out = append(out, string(r.Kind)+" "+r.Outcome+" "+r.Code)
	}
	return out
}

func TestEachRunOfAStageIsToldWithItsOutcome(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seen := &spectator{}
	w.worker.Watch = seen
	w.engine.set(func(context.Context, int) error { return unavailable() })
	w.submit()
	w.drain()
	w.engine.set(nil)
	w.hurry()
	w.drain()
	want := []string{"transcribe failed engine_busy", "transcribe done ok", "draft done ok"}
	if got := seen.told(); !slices.Equal(got, want) {
		t.Errorf("told of %v, want %v", got, want)
	}
	if r := seen.runs[1]; r.Attempt != 2 || r.Priority != pipeline.Routine || r.Took <= 0 || r.Waited < 0 {
		t.Errorf("the second run: %+v", r)
	}

	// One whose worker is told to stop, and one whose lease another worker has taken.
	ctx, stop := context.WithCancel(context.Background())
	w.engine.set(func(ctx context.Context, _ int) error { stop(); <-ctx.Done(); return ctx.Err() })
	w.submit()
	w.must(w.worker.Do(ctx, w.bells()[0]))
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 2 {
			w.expireLeases()
			if _, err := w.work.ClaimJob(context.Background(), w.runningJob(), "another"); err != nil {
				return err
			}
		}
		return nil
	})
	w.hurry()
	w.must(w.worker.Do(context.Background(), w.bells()[0]))
	if got := seen.told()[3:]; len(got) != 2 || got[0] != "transcribe stopped canceled" || got[1] != "transcribe fenced job_fenced" {
		t.Errorf("told of %v", got)
	}
}

func TestEachRoundOfHousekeepingIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seen := &spectator{}
	w.keeper.Watch = seen
	arriving := &pipeline.ArrivingKeeper{Store: w.work, Parts: w.vault, Log: w.keeper.Log, Watch: seen}
	courier := &pipeline.Courier{Store: w.work, Log: w.keeper.Log, Watch: seen}
	recordings := &keeping.Keeper{Checker: w.checker(), Purger: w.purger(), Pace: 1, Log: w.keeper.Log, Watch: seen}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context){w.keeper.Run, arriving.Run, courier.Run, recordings.Run} {
		running.Go(func() { run(ctx) })
	}
	defer func() { cancel(); running.Wait() }()
	for _, name := range telemetry.Rounds { // under which each is counted
		testkit.Until(t, soon, name+" is told", func() bool {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			return slices.ContainsFunc(seen.rounds, func(what string) bool { return strings.HasPrefix(what, name) })
		})
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, what := range seen.rounds {
		name, _, _ := strings.Cut(what, " ")
		if !slices.Contains(telemetry.Rounds, name) || strings.HasSuffix(what, "failed") {
			t.Errorf("of a round is told as %q", what)
		}
	}
}

func TestARoundThatFailsIsToldAsOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seen := &spectator{}
	testkit.Exec(t, w.admin, `REVOKE SELECT ON messages, arriving, keep_runs FROM vesper_app, vesper_worker`)
	arriving := &pipeline.ArrivingKeeper{Store: w.work, Parts: w.vault, Log: w.keeper.Log, Watch: seen}
	courier := &pipeline.Courier{Store: w.work, Log: w.keeper.Log, Watch: seen}
	recordings := &keeping.Keeper{Checker: w.checker(), Purger: w.purger(), Pace: 1, Log: w.keeper.Log, Watch: seen}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context){arriving.Run, courier.Run, recordings.Run} {
		running.Go(func() { run(ctx) })
	}
	defer func() { cancel(); running.Wait() }()
	for _, round := range []string{"clear arriving uploads away failed", "send messages failed", "quick check failed", "rolling check failed"} {
		testkit.Until(t, soon, round, func() bool {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			return slices.Contains(seen.rounds, round)
		})
	}
}

// runningJob is the one job that runs.
func (w *world) runningJob() uuid.UUID {
	w.Helper()
	running, err := w.work.Running(context.Background(), 10)
	w.must(err)
	if len(running) != 1 {
		w.Fatalf("%d jobs run", len(running))
	}
	return running[0].ID
}
