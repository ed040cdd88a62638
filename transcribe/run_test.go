package transcribe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"vesper/internal/fault"
	"vesper/transcribe/audio"
)

// babbler is an engine that makes up any text, the same for the same samples, so that properties of a run can be tried on
// thousands of recordings. What the real engine does is tested in transcribe/whisper.
type babbler struct {
	seed    uint64
	slots   int
	crashes atomic.Int32 // calls still to fail
	calls   atomic.Int32
}

func (b *babbler) Model() ModelFacts { return ModelFacts{"babble", "0"} }
func (b *babbler) Slots() int        { return b.slots }

func (b *babbler) Speech(ctx context.Context, x []float32) ([]float32, error) {
	var out []float32
	for at := 0; at < len(x); at += FrameSamples {
		out = append(out, min(1, 2*x[at]))
	}
	return out, ctx.Err()
}

var babble = []string{
	" the", " pain", " left", " 120", "/", "80", ",", ".", " met", "formin", " [BLANK_AUDIO]", " thank", " you", ".", " ", "\xc3", " -", "♪",
}

func (b *babbler) Encode(text string) []int { return []int{len(text) % len(babble)} }
func (b *babbler) Bytes(id int) []byte      { return []byte(babble[id]) }

func (b *babbler) Hear(ctx context.Context, x []float32) (Hearing, error) {
	b.calls.Add(1)
	if b.crashes.Add(-1) >= 0 {
		return nil, fault.New(fault.Unavailable, "engine_crashed", "again")
	}
	return &babbling{b, x}, ctx.Err()
}

// babbling is what a babbler heard.
type babbling struct {
	b *babbler
	x []float32
}

func (h *babbling) random(v ...any) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprint(sum, len(h.x), h.x[len(h.x)/2], v)
	return rand.New(rand.NewPCG(h.b.seed, sum.Sum64()))
}

func (h *babbling) NoSpeech() float64 { return h.random("speech").Float64() }
func (h *babbling) Seconds() float64  { return 0.1 }
func (h *babbling) Close()            {}

func (h *babbling) Decode(ctx context.Context, o DecodeOptions) ([]Decoding, error) {
	rng := h.random(o)
	d := Decoding{Ended: rng.IntN(5) > 0, Tokens: []Token{}}
	for range rng.IntN(60) {
		id := rng.IntN(len(babble))
		t := Token{ID: id, Text: []byte(babble[id]), LogP: -2 * rng.Float64(), End: -1}
		for range 1 + rng.IntN(12)/11*9 {
			d.Tokens = append(d.Tokens, t)
		}
	}
	return []Decoding{d}, ctx.Err()
}

func (h *babbling) Score(ctx context.Context, _ Context, base []int, edits []Edit) (Scores, error) {
	rng := h.random(base, edits)
	logps := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = -8 * rng.Float64()
		}
		return out
	}
	out := Scores{Base: logps(len(base))}
	for range base {
		out.Rivals = append(out.Rivals, []Rival{{ID: rng.IntN(len(babble)), LogP: -rng.Float64()}, {ID: rng.IntN(len(babble)), LogP: -2}})
	}
	for _, e := range edits {
		out.Edits = append(out.Edits, logps(len(e.Tokens)))
	}
	return out, ctx.Err()
}

func (h *babbling) Align(ctx context.Context, _ Context, tokens []int) ([]float64, error) {
	rng := h.random("align", tokens)
	at, ends := 0.0, make([]float64, len(tokens))
	for i := range ends {
		if at += rng.Float64() * 2 * seconds(len(h.x)) / float64(len(tokens)); rng.IntN(20) > 0 {
			ends[i] = at
		} else {
			ends[i] = -1
		}
	}
	return ends, ctx.Err()
}

// drawRecording makes stretches of any level up to two minutes.
func drawRecording(t *rapid.T) *audio.PCM {
	var x []float32
	for range rapid.IntRange(0, 12).Draw(t, "stretches") {
		level := rapid.SampledFrom([]float32{0, 0.001, 0.1, 0.4, 0.9}).Draw(t, "level")
		n := rapid.IntRange(1, 12*audio.Rate).Draw(t, "samples")
		for i := range n {
			x = append(x, level+level*float32(i%5)/50)
		}
	}
	return audio.FromSamples(x)
}

func mustJSON(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func checkTiles(t *rapid.T, tr Transcript) {
	at := 0.0
	for i, s := range tr.Spans {
		if s.Start != at || s.End <= s.Start || (i > 0 && s.Kind == SpanSilence && tr.Spans[i-1].Kind == SpanSilence) {
			t.Fatalf("span %d %+v does not follow %v", i, s, at)
		}
		if (s.Kind == SpanStruck) != (s.Text != "") || (s.Kind == SpanStruck || s.Kind == SpanUnheard) && s.Reason == "" || s.Kind == SpanSilence && s.Reason != "" {
			t.Fatalf("span %+v", s)
		}
		at = s.End
	}
	if at != tr.Audio.Seconds {
		t.Fatalf("spans end at %v of %v", at, tr.Audio.Seconds)
	}
	last := 0.0
	for _, w := range tr.Words {
		if w.Start < last || w.End < w.Start || w.End > tr.Audio.Seconds || w.Confidence < 0 || w.Confidence > 1 || strings.TrimSpace(w.Text) == "" {
			t.Fatalf("word %+v after %v", w, last)
		}
		last = w.Start
	}
}

func TestAnyRunTilesTheRecordingAndCanBeResumedAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pcm := drawRecording(t)
		seed := rapid.Uint64().Draw(t, "seed")
		set := Settings{ChunkSeconds: rapid.Float64Range(4, 28).Draw(t, "chunk")}
		var saved []ChunkResult
		run := func(slots int, resume []ChunkResult) Transcript {
			e := &babbler{seed: seed, slots: slots}
			saved = nil
			tr, err := Transcriber{Engine: e}.Run(context.Background(), pcm, RunOptions{Settings: set, Resume: resume, OnChunk: func(c ChunkResult) error {
				saved = append(saved, c)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			tr.EngineSeconds = 0
			return tr
		}
		tr := run(rapid.IntRange(1, 5).Draw(t, "slots"), nil)
		checkTiles(t, tr)
		all := slices.Clone(saved)
		for i, c := range all {
			if c.Index != i || c.Total != len(all) {
				t.Fatalf("chunk %d of %d was delivered at place %d", c.Index, c.Total, i)
			}
			for _, s := range c.Struck {
				found := false
				for _, sp := range tr.Spans {
					found = found || sp.Kind == SpanStruck && strings.Contains(sp.Text, s.Text)
				}
				if !found {
					t.Fatalf("struck text %q is in no span", s.Text)
				}
			}
		}
		var stored []ChunkResult
		for _, c := range all {
			if rapid.Bool().Draw(t, "stored") {
				stored = append(stored, c)
			}
		}
		var back []ChunkResult
		if err := json.Unmarshal([]byte(mustJSON(t, stored)), &back); err != nil {
			t.Fatal(err)
		}
		again := run(rapid.IntRange(1, 5).Draw(t, "slots again"), back)
		if a, b := mustJSON(t, tr), mustJSON(t, again); a != b {
			t.Fatalf("resumed with %d chunks:\n%s\nat once:\n%s", len(back), b, a)
		}
		if len(saved) != len(all)-len(back) {
			t.Fatalf("%d chunks decoded after resuming with %d of %d", len(saved), len(back), len(all))
		}
	})
}

func tone(n int) *audio.PCM {
	x := make([]float32, n)
	for i := range x {
		x[i] = 0.4 + float32(i%5)/50
	}
	return audio.FromSamples(x)
}

func TestSavedChunksOfOtherSettingsAreNotUsed(t *testing.T) {
	t.Parallel()
	pcm := tone(60 * audio.Rate)
	var saved []ChunkResult
	opts := RunOptions{OnChunk: func(c ChunkResult) error {
		saved = append(saved, c)
		return nil
	}}
	e := &babbler{slots: 2}
	if _, err := (Transcriber{Engine: e}).Run(t.Context(), pcm, opts); err != nil {
		t.Fatal(err)
	}
	first := len(saved)
	opts.Resume, opts.Settings.Prompt = saved, "Glossary: lisinopril."
	if _, err := (Transcriber{Engine: e}).Run(t.Context(), pcm, opts); err != nil {
		t.Fatal(err)
	}
	if first < 3 || len(saved) != 2*first {
		t.Fatalf("%d chunks, then %d more", first, len(saved)-first)
	}
}

func TestACrashOfTheEngineIsTriedAgainButNotForEver(t *testing.T) {
	t.Parallel()
	pcm := tone(5 * audio.Rate)
	want, err := Transcriber{Engine: &babbler{slots: 1}}.Run(t.Context(), pcm, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := &babbler{slots: 1}
	e.crashes.Store(engineTries - 1)
	got, err := Transcriber{Engine: e}.Run(t.Context(), pcm, RunOptions{})
	if err != nil || got.Text != want.Text {
		t.Fatalf("%q, %v", got.Text, err)
	}
	e.crashes.Store(1000)
	e.calls.Store(0)
	_, err = Transcriber{Engine: e}.Run(t.Context(), pcm, RunOptions{})
	if f := fault.As(err); f == nil || f.Code != "engine_crashed" || e.calls.Load() != engineTries {
		t.Fatalf("%v after %d calls", err, e.calls.Load())
	}
}

func TestACancelledRunSaysSoAndNothingElse(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Transcriber{Engine: &babbler{slots: 2}}.Run(ctx, tone(200*audio.Rate), RunOptions{OnChunk: func(ChunkResult) error {
		cancel()
		return nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestARunWithAnotherModelThanFrozenIsRefused(t *testing.T) {
	t.Parallel()
	_, err := Transcriber{Engine: &babbler{slots: 1}}.Run(t.Context(), tone(audio.Rate), RunOptions{Settings: Settings{Model: ModelFacts{"base", "1"}}})
	if f := fault.As(err); f == nil || f.Code != "model_mismatch" {
		t.Fatalf("got %v", err)
	}
}

func TestSpeechThatBecameNoWordsIsUnheard(t *testing.T) {
	t.Parallel()
	speech := []Region{{From: audio.Rate, To: 9 * audio.Rate}, {From: 20 * audio.Rate, To: 20*audio.Rate + 8000}}
	words := []Word{{Text: "He", Start: 1, End: 1.3}, {Text: "is", Start: 1.3, End: 1.6}, {Text: "well.", Start: 8.5, End: 9}}
	got := tile(words, []Span{{Start: 30, End: 31, Kind: SpanStruck, Reason: ReasonPhantom, Text: "Bye."}}, speech, 40)
	want := []Span{
		{0, 1, SpanSilence, "", ""},
		{1, 1.6, SpanWords, "", ""},
		{1.6, 8.5, SpanUnheard, ReasonNoWords, ""},
		{8.5, 9, SpanWords, "", ""},
		{9, 20, SpanSilence, "", ""},
		{20, 20.5, SpanUnheard, ReasonNoWords, ""},
		{20.5, 30, SpanSilence, "", ""},
		{30, 31, SpanStruck, ReasonPhantom, "Bye."},
		{31, 40, SpanSilence, "", ""},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func TestWordsOfTwoChunksJoinAtWhatBothHeard(t *testing.T) {
	t.Parallel()
	w := func(text string, at float64) Word { return Word{Text: text, Start: at, End: at + 0.3} }
	left := []Word{w("take", 8), w("one", 8.5), w("tablet", 9), w("twice", 9.5), w("dai", 9.9)}
	right := []Word{w("let", 9.1), w("twice", 9.55), w("daily", 9.9), w("with", 10.4), w("food", 11.2)}
	l, r := mergeOverlap(left, right, 9.6)
	if got := joinWords(append(slices.Clone(l), r...)); got != "take one tablet twice daily with food" {
		t.Errorf("joined: %q", got)
	}
	l, r = mergeOverlap(left[:4], []Word{w("and", 9.2), w("daily", 9.9)}, 9.6)
	if got := joinWords(append(slices.Clone(l), r...)); got != "take one tablet daily" && got != "take one tablet twice daily" {
		t.Errorf("nothing in common: %q", got)
	}
}
