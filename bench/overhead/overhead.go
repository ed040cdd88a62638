// Package overhead measures what Vesper adds to the engine's time: for short dictations, one after another, the time from
// "received" to "drafted" less the time spent in the engine. Speech comes from bench/corpus; the running stack comes from
// the caller.
package overhead

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// Limit is the overhead that 95 of 100 dictations may not exceed.
const Limit = 300 * time.Millisecond

// Sample is one dictation on its way.
type Sample struct {
	Name     string
	Received time.Time     // when the server said so
	Drafted  time.Time     // when the draft was committed
	Engine   time.Duration // wall time spent in the engine
}

// Overhead is what the way took besides the engine.
func (s Sample) Overhead() time.Duration { return s.Drafted.Sub(s.Received) - s.Engine }

// Summary describes the overheads of a run; percentiles are nearest-rank, so that each is a dictation that happened.
type Summary struct {
	Count         int
	P50, P95, Max time.Duration
	Slowest       string // the dictation with the greatest overhead
}

// Submit sends one recording to the running stack, waits for its draft and reports the times.
type Submit func(ctx context.Context, path string) (Sample, error)

// Run submits the recordings one after another and stops at the first error.
func Run(ctx context.Context, paths []string, submit Submit) ([]Sample, error) {
	samples := make([]Sample, 0, len(paths))
	for _, path := range paths {
		s, err := submit(ctx, path)
		if err != nil {
			return samples, fmt.Errorf("measure overhead: %s: %w", filepath.Base(path), err)
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// Summarize reduces samples to their percentiles; the summary of none is zero.
func Summarize(samples []Sample) Summary {
	if len(samples) == 0 {
		return Summary{}
	}
	sorted := slices.Clone(samples)
	slices.SortFunc(sorted, func(a, b Sample) int { return cmp.Compare(a.Overhead(), b.Overhead()) })
	rank := func(percent int) time.Duration { return sorted[(percent*len(sorted)+99)/100-1].Overhead() }
	last := sorted[len(sorted)-1]
	return Summary{Count: len(sorted), P50: rank(50), P95: rank(95), Max: last.Overhead(), Slowest: last.Name}
}

// Pass says whether the run keeps the Limit.
func (s Summary) Pass() bool { return s.Count > 0 && s.P95 <= Limit }

// Print writes one line per dictation and the summary, in milliseconds.
func Print(w io.Writer, samples []Sample) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "dictation\treceived to drafted ms\tengine ms\toverhead ms\t")
	for _, s := range samples {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", s.Name, ms(s.Drafted.Sub(s.Received)), ms(s.Engine), ms(s.Overhead()))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print overhead: %w", err)
	}
	sum := Summarize(samples)
	_, err := fmt.Fprintf(w, "overhead of %d dictations: p50 %s ms, p95 %s ms (limit %s), max %s ms (%s)\n",
		sum.Count, ms(sum.P50), ms(sum.P95), ms(Limit), ms(sum.Max), sum.Slowest)
	if err != nil {
		return fmt.Errorf("print overhead: %w", err)
	}
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Millisecond)) }
