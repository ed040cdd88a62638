package whisper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// resident is the memory of a child in pages: what it holds, without the weights that all share.
func resident(t testing.TB, c *process) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, held, shared int
	if _, err := fmt.Sscan(string(b), &size, &held, &shared); err != nil {
		t.Fatal(err)
	}
	return held - shared
}

// work gives the engine one chunk with all that is ever asked about one.
func chunkOfWork(ctx context.Context, p *Pool, x []float32) error {
	if _, err := p.Speech(ctx, x); err != nil {
		return err
	}
	h, err := p.Hear(ctx, x)
	if err != nil {
		return err
	}
	defer h.Close()
	found, err := h.Decode(ctx, transcribe.DecodeOptions{Context: en, Beams: 5})
	if err != nil {
		return err
	}
	ids := found[0].IDs()
	if _, err := h.Align(ctx, en, ids); err != nil {
		return err
	}
	_, err = h.Score(ctx, en, ids, []transcribe.Edit{{At: 0, Tokens: ids[:min(len(ids), 8)]}})
	return err
}

// piece is 3 s of speech that begins anywhere.
func piece(x []float32, rng *rand.Rand) []float32 {
	at := rng.IntN(len(x) - 3*audio.Rate)
	return x[at : at+3*audio.Rate]
}

func TestChunkAfterChunkTheMemoryOfAChildStaysFlat(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	x, rng := speech(t), rand.New(rand.NewPCG(3, 4))
	soak := func(n int) int {
		for range n {
			if err := chunkOfWork(t.Context(), p, piece(x, rng)); err != nil {
				t.Fatal(err)
			}
		}
		return resident(t, p.idle[0])
	}
	before := soak(4)
	pid := p.idle[0].cmd.Process.Pid
	if after := soak(8); float64(after) > 1.05*float64(before) {
		t.Errorf("memory grew from %d to %d pages", before, after)
	}
	if p.idle[0].cmd.Process.Pid != pid {
		t.Error("the child was replaced meanwhile")
	}
}

// BenchmarkSoak is what `make soak` runs a thousand times: one chunk, and one cancelled at a random moment. It reports the
// growth of the child's memory and how long after a cancel the call returned.
func BenchmarkSoak(b *testing.B) {
	cfg, err := testConfig()
	if err != nil {
		b.Fatal(err)
	}
	cfg.Children = 1
	p, err := New(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	x, rng := speech(b), rand.New(rand.NewPCG(5, 6))
	var late []time.Duration
	var encode time.Duration
	before := 0
	for i := range max(b.N, 10) {
		began := time.Now()
		if err := chunkOfWork(b.Context(), p, piece(x, rng)); err != nil {
			b.Fatal(err)
		}
		whole := time.Since(began)
		if i == 9 {
			before = resident(b, p.idle[0])
		}
		ctx, cancel := context.WithCancel(b.Context())
		at := make(chan time.Time, 1)
		time.AfterFunc(time.Duration(rng.Int64N(int64(whole))), func() {
			at <- time.Now()
			cancel()
		})
		err := chunkOfWork(ctx, p, piece(x, rng))
		switch {
		case errors.Is(err, context.Canceled):
			late = append(late, time.Since(<-at))
		case err != nil:
			b.Fatalf("cancelled: %v", err)
		}
		cancel()
		began = time.Now()
		h, err := p.Hear(b.Context(), piece(x, rng))
		if err != nil {
			b.Fatal(err)
		}
		encode += time.Since(began)
		h.Close()
	}
	slices.Sort(late)
	if len(late) == 0 {
		b.Fatal("no call was cancelled in time")
	}
	b.ReportMetric(float64(resident(b, p.idle[0]))/float64(before), "memory-after/before")
	b.ReportMetric(float64(late[len(late)/2].Milliseconds()), "cancel-p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Milliseconds()), "cancel-p99-ms")
	b.ReportMetric(float64(encode.Milliseconds())/float64(max(b.N, 10)), "encode-ms")
}
