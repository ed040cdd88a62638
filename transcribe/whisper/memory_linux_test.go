package whisper

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

func TestTwoModelsShareTheMemoryThatThereIs(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	base, large := uint64(82<<20), uint64(3*gib)
	for name, c := range map[string]struct {
		processors int
		free       uint64
		weights    []uint64
		want       int
	}{
		"one model, plenty":             {8, 32 * gib, []uint64{base}, 8},
		"two models, plenty":            {8, 32 * gib, []uint64{base, large}, 8},
		"one model on a small machine":  {8, 2 * gib, []uint64{base}, 6},
		"two models on a small machine": {8, 2 * gib, []uint64{base, base}, 2},
		"too large for the machine":     {8, 2 * gib, []uint64{large}, 1},
		"nobody knows":                  {4, 0, []uint64{base}, 4},
	} {
		got := fit(c.processors, c.free, c.weights)
		if got != c.want {
			t.Errorf("%s: %d children, want %d", name, got, c.want)
		}
		var used uint64
		for _, w := range c.weights {
			used += w + uint64(got)*each(w)
		}
		if got > 1 && c.free > 0 && used > c.free/4*3 {
			t.Errorf("%s: %d MiB of %d are used", name, used>>20, c.free>>20)
		}
	}
}

// of reads a file of the child's under /proc.
func of(t *testing.T, c *process, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.cmd.Process.Pid, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAChildIsBoundedAndTheFirstToGoWhenMemoryRunsOut(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	child := p.idle[0]
	if limits := of(t, child, "limits"); !strings.Contains(limits, fmt.Sprint(memoryLimit(p.cfg))) {
		t.Errorf("limits of the child:\n%s", limits)
	}
	if adj := strings.TrimSpace(of(t, child, "oom_score_adj")); adj != "600" {
		t.Errorf("oom_score_adj is %s", adj)
	}
	if own, err := os.ReadFile("/proc/self/oom_score_adj"); err != nil || strings.TrimSpace(string(own)) == "600" {
		t.Errorf("the worker itself stands at %s (%v)", own, err)
	}
}

func TestAChildThatWantsTooMuchMemoryEndsAndNothingElse(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := speech(t)
	// From now on every allocation of this child fails, as it would at its bound.
	none := unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	first := p.idle[0].cmd.Process.Pid
	if err := unix.Prlimit(first, unix.RLIMIT_DATA, &none, nil); err != nil {
		t.Fatal(err)
	}
	_, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en})
	if f := fault.As(err); f == nil || f.Code != "engine_crashed" || !fault.Retryable(err) {
		t.Fatalf("got %v", err)
	}
	// The whole recording survives another child's end in the middle.
	wait := whenBusy(t.Context(), p, func(c *process) { _ = unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_DATA, &none, nil) })
	tr, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), audio.FromSamples(x), transcribe.RunOptions{})
	wait()
	if err != nil || plain(tr.Text) != said {
		t.Fatalf("heard %q, %v", tr.Text, err)
	}
}

func TestABoundThatNoModelFitsIntoIsAnOutageNotACrash(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children, c.Memory = 1, 8<<20 })
	_, err := p.Speech(t.Context(), speech(t))
	if f := fault.As(err); f == nil || f.Code != "engine_unavailable" {
		t.Fatalf("got %v", err)
	}
	if memoryLimit(p.cfg) != 8<<20 || memoryLimit(Config{}) < math.MaxInt16 {
		t.Error("the bound is not the one that was asked for")
	}
}
