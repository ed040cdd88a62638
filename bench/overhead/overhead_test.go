package overhead_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/bench/overhead"
)

// took is a dictation whose overhead has this many milliseconds.
func took(ms int) overhead.Sample {
	at := time.Date(2026, 10, 3, 9, 0, 0, 0, time.UTC)
	engine := 700 * time.Millisecond
	return overhead.Sample{
		Name: fmt.Sprintf("took-%d", ms), Received: at, Engine: engine,
		Drafted: at.Add(engine + time.Duration(ms)*time.Millisecond),
	}
}

func TestPercentilesAreDictationsThatHappened(t *testing.T) {
	t.Parallel()
	var samples []overhead.Sample
	for ms := 100; ms >= 1; ms-- {
		samples = append(samples, took(ms))
	}
	got := overhead.Summarize(samples)
	want := overhead.Summary{
		Count: 100, P50: 50 * time.Millisecond, P95: 95 * time.Millisecond,
		Max: 100 * time.Millisecond, Slowest: "took-100",
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if samples[0].Name != "took-100" {
		t.Error("summarizing has sorted the caller's samples")
	}
}

func TestPercentilesNeverFallWithRank(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(-5, 2000), 1, 80).Draw(t, "overheads")
		var samples []overhead.Sample
		for _, v := range values {
			samples = append(samples, took(v))
		}
		s := overhead.Summarize(samples)
		if s.Count != len(values) || s.P50 > s.P95 || s.P95 > s.Max {
			t.Fatalf("%+v", s)
		}
	})
}

func TestARunPassesOnlyWithinTheLimitAndNeverEmpty(t *testing.T) {
	t.Parallel()
	if overhead.Summarize(nil).Pass() {
		t.Error("a run of nothing passes")
	}
	if !overhead.Summarize([]overhead.Sample{took(300)}).Pass() || overhead.Summarize([]overhead.Sample{took(301)}).Pass() {
		t.Error("the limit is not at 300 ms")
	}
}

func TestARunStopsAtTheFirstErrorAndNamesTheRecording(t *testing.T) {
	t.Parallel()
	down := errors.New("the server is down")
	var seen []string
	samples, err := overhead.Run(t.Context(), []string{"/x/a.ogg", "/x/b.ogg", "/x/c.ogg"},
		func(_ context.Context, path string) (overhead.Sample, error) {
			seen = append(seen, path)
			if len(seen) == 2 {
				return overhead.Sample{}, down
			}
			return took(10), nil
		})
	if !errors.Is(err, down) || !strings.Contains(err.Error(), "b.ogg") || len(samples) != 1 || len(seen) != 2 {
		t.Errorf("%d samples of %v: %v", len(samples), seen, err)
	}
}

func TestTheTableEndsWithTheSummary(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := overhead.Print(&out, []overhead.Sample{took(120), took(80)}); err != nil {
		t.Fatal(err)
	}
	want := "overhead of 2 dictations: p50 80 ms, p95 120 ms (limit 300), max 120 ms (took-120)\n"
	if !strings.HasSuffix(out.String(), want) || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("got\n%s", out.String())
	}
}
