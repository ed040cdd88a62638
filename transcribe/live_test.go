package transcribe

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vesper/transcribe/audio"
)

// arriving is a recording of which only a part is there; more comes whenever somebody waits for it.
type arriving struct {
	*audio.PCM
	steps func() int

	mu   sync.Mutex
	have int
}

func (a *arriving) Wait(ctx context.Context, n int) (have int, done bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.Samples()
	for a.have < n && a.have < all {
		a.have = min(all, a.have+a.steps())
	}
	return a.have, a.have == all && n > 0, ctx.Err()
}

func (a *arriving) Read(dst []float32, at int) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at+len(dst) > a.have {
		return 0, io.ErrUnexpectedEOF
	}
	return a.PCM.Read(dst, at)
}

func TestARecordingThatArrivesWhileItIsHeardGivesTheSameTranscript(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pcm := drawRecording(t)
		seed := rapid.Uint64().Draw(t, "seed")
		set := Settings{ChunkSeconds: rapid.Float64Range(4, 28).Draw(t, "chunk")}
		run := func(r recording, slots int) (string, []ChunkResult) {
			var got []ChunkResult
			o := RunOptions{Settings: set, OnChunk: func(c ChunkResult) error {
				c.Total = 0
				got = append(got, c)
				return nil
			}}
			tr, err := Transcriber{Engine: &babbler{seed: seed, slots: slots}}.run(context.Background(), r, o)
			if err != nil {
				t.Fatal(err)
			}
			tr.EngineSeconds = 0
			return mustJSON(t, tr), got
		}
		whole, chunks := run(pcm, 2)
		step := rapid.IntRange(1, 60*audio.Rate).Draw(t, "step")
		live, arrived := run(&arriving{PCM: pcm, steps: func() int { return step }}, rapid.IntRange(1, 4).Draw(t, "slots"))
		if whole != live || mustJSON(t, chunks) != mustJSON(t, arrived) {
			t.Fatalf("as it came:\n%s\nat once:\n%s", live, whole)
		}
	})
}

func TestAChunkIsHandedOutAsSoonAsItIsCertain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		probs, loudness := drawFrames(t)
		limit := rapid.Float64Range(minChunkSeconds, maxChunkSeconds).Draw(t, "limit")
		bar := rapid.Float32Range(-90, 0).Draw(t, "bar")
		once := NewSplitter(limit)
		want := append(once.Add(probs, loudness, bar), once.End(len(probs)*FrameSamples)...)
		step := rapid.IntRange(1, 500).Draw(t, "step")
		k := NewSplitter(limit)
		var got []Chunk
		for at := 0; at < len(probs); at += step {
			to := min(len(probs), at+step)
			got = append(got, k.Add(probs[at:to], loudness[at:to], bar)...)
			// Whatever lies further back than a chunk, the search for its cut and a pause has been handed out.
			late := to*FrameSamples - 2*int(limit*audio.Rate) - (softReach+minPause)*FrameSamples - 2*padSamples
			for _, c := range want[len(got):] {
				if _, end := c.Span(); end < late && c.Index+1 < len(want) && want[c.Index+1].Pieces[0].From < late {
					t.Fatalf("chunk %d ends at %d and is still held back at %d", c.Index, end, to*FrameSamples)
				}
			}
		}
		got = append(got, k.End(len(probs)*FrameSamples)...)
		if !slices.EqualFunc(got, want, func(a, b Chunk) bool {
			return a.Overlap == b.Overlap && slices.Equal(a.Pieces, b.Pieces) && slices.Equal(a.Speech, b.Speech)
		}) {
			t.Fatalf("in steps of %d: %+v\nat once: %+v", step, got, want)
		}
	})
}
