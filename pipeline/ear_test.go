package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"sync"

	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// ear is a recogniser that decodes, chunks and resumes for real and makes up the words: the same for the same samples.
type ear struct {
	*reciter
	voice *voice
}

func newEar(w *world) *ear {
	e := &ear{w.engine, &voice{}}
	w.worker.Recogniser, w.svc.MaxBytes = e, 16<<20
	w.svc.Settings = func() (json.RawMessage, error) { return json.RawMessage(`{"language":"en","chunk_seconds":10}`), nil }
	return e
}

func (e *ear) options(settings []byte, saved [][]byte) (o transcribe.RunOptions, err error) {
	if err := json.Unmarshal(settings, &o.Settings); err != nil {
		return o, err
	}
	for _, raw := range saved {
		var c transcribe.ChunkResult
		if err := json.Unmarshal(raw, &c); err != nil {
			return o, err
		}
		o.Resume = append(o.Resume, c)
	}
	return o, nil
}

// Transcribe implements pipeline.Recogniser.
func (e *ear) Transcribe(ctx context.Context, s pipeline.Sound, sha256 string, settings []byte, saved [][]byte,
	onChunk func(number, total int, result []byte) error,
) (transcribe.Transcript, error) {
	o, err := e.options(settings, saved)
	if err != nil {
		return transcribe.Transcript{}, err
	}
	var number, total int
	o.OnPlan = func(done, all int) { number, total = done, all }
	o.OnChunk = func(c transcribe.ChunkResult) error {
		raw, _ := json.Marshal(c)
		number++
		return onChunk(number, total, raw)
	}
	t, err := transcribe.Transcriber{Engine: e.voice}.Run(ctx, s.(sound).PCM, o)
	t.Audio.SHA256 = sha256
	return t, err
}

// Hear implements pipeline.Hearer.
func (e *ear) Hear(ctx context.Context, body io.Reader, h pipeline.Hearing) (transcribe.Transcript, error) {
	o, err := e.options(h.Settings, h.Saved)
	if err != nil {
		return transcribe.Transcript{}, err
	}
	var total int
	o.OnPlan = func(_, all int) { total = all }
	o.OnChunk = func(c transcribe.ChunkResult) error {
		raw, _ := json.Marshal(c)
		return h.OnChunk(total, c.End, raw)
	}
	pcm, err := audio.Stream(ctx, body, audio.Options{})
	if err != nil {
		return transcribe.Transcript{}, err
	}
	t, err := transcribe.Transcriber{Engine: asking{e.voice, h.Admit}}.Run(ctx, pcm, o)
	if err != nil {
		_ = pcm.Close()
		return t, err
	}
	h.OnWhole(sound{pcm})
	return t, nil
}

// asking is a voice that asks before each hearing.
type asking struct {
	*voice
	admit func(context.Context) (func(), error)
}

func (a asking) Hear(ctx context.Context, x []float32) (transcribe.Hearing, error) {
	release, err := a.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return a.voice.Hear(ctx, x)
}

// voice is an engine that makes up words.
type voice struct {
	mu     sync.Mutex
	heard  int
	before func(ctx context.Context, n int) error // called before the nth hearing, 1 …
}

func (v *voice) set(before func(ctx context.Context, n int) error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.before = before
}

func (v *voice) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.heard
}

var madeUp = []string{" the", " pain", " left", " knee", ",", ".", " walks", " rests", " denies", " fever"}

func (v *voice) Model() transcribe.ModelFacts {
	return transcribe.ModelFacts{Name: "voice", SHA256: "0"}
}
func (v *voice) Slots() int               { return 2 }
func (v *voice) Encode(text string) []int { return []int{len(text) % len(madeUp)} }
func (v *voice) Bytes(id int) []byte      { return []byte(madeUp[id]) }

func (v *voice) Speech(ctx context.Context, x []float32) ([]float32, error) {
	var out []float32
	for at := 0; at < len(x); at += transcribe.FrameSamples {
		out = append(out, min(1, 2*x[at]))
	}
	return out, ctx.Err()
}

func (v *voice) Hear(ctx context.Context, x []float32) (transcribe.Hearing, error) {
	v.mu.Lock()
	v.heard++
	n, before := v.heard, v.before
	v.mu.Unlock()
	if before != nil {
		if err := before(ctx, n); err != nil {
			return nil, err
		}
	}
	return &said{x}, ctx.Err()
}

// said is what was heard in some samples.
type said struct{ x []float32 }

func (s *said) random(v ...any) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprint(sum, len(s.x), s.x[len(s.x)/2], s.x[len(s.x)/3], v)
	return rand.New(rand.NewPCG(1, sum.Sum64()))
}

func (s *said) NoSpeech() float64 { return 0 }
func (s *said) Seconds() float64  { return 0.1 }
func (s *said) Close()            {}

func (s *said) Decode(ctx context.Context, o transcribe.DecodeOptions) ([]transcribe.Decoding, error) {
	rng := s.random(o)
	d := transcribe.Decoding{Ended: true, Tokens: []transcribe.Token{}}
	for range 10 + rng.IntN(30) {
		id := rng.IntN(len(madeUp))
		d.Tokens = append(d.Tokens, transcribe.Token{ID: id, Text: []byte(madeUp[id]), LogP: -0.2 * rng.Float64(), End: -1})
	}
	return []transcribe.Decoding{d}, ctx.Err()
}

func (s *said) Score(ctx context.Context, _ transcribe.Context, base []int, edits []transcribe.Edit) (transcribe.Scores, error) {
	out := transcribe.Scores{Base: make([]float64, len(base)), Rivals: make([][]transcribe.Rival, len(base))}
	for _, e := range edits {
		out.Edits = append(out.Edits, make([]float64, len(e.Tokens)))
	}
	return out, ctx.Err()
}

func (s *said) Align(ctx context.Context, _ transcribe.Context, tokens []int) ([]float64, error) {
	ends := make([]float64, len(tokens))
	for i := range ends {
		ends[i] = float64(i+1) * float64(len(s.x)) / audio.Rate / float64(len(tokens)+1)
	}
	return ends, ctx.Err()
}

// speech is a WAV file of so many seconds, in which a voice speaks with pauses; no other call returns the same.
func speech(seconds int) []byte {
	n := seconds * audio.Rate
	own := rand.Uint32()
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	_ = binary.Write(&b, binary.LittleEndian, struct {
		Size                   uint32
		Format, Channels       uint16
		Rate, Bytes            uint32
		BlockAlign, SampleBits uint16
	}{16, 1, 1, 16000, 32000, 2, 16})
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n))
	samples := make([]int16, n)
	for i := range samples {
		if at := float64(i) / audio.Rate; math.Mod(at, 7.3) < 6.2 {
			level := 0.4 + 0.1*math.Sin(at/3+float64(own%1000))
			samples[i] = int16(32767 * (level + level*float64(i%5)/50))
		}
	}
	_ = binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}
