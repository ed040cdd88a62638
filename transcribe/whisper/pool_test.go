package whisper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

const said = "and so my fellow americans ask not what your country can do for you ask what you can do for your country"

var en = transcribe.Context{Language: "en"}

// decode hears samples and returns the best text.
func decode(ctx context.Context, p *Pool, x []float32, o transcribe.DecodeOptions) (transcribe.Decoding, error) {
	h, err := p.Hear(ctx, x)
	if err != nil {
		return transcribe.Decoding{}, err
	}
	defer h.Close()
	found, err := h.Decode(ctx, o)
	if err != nil {
		return transcribe.Decoding{}, err
	}
	return found[0], nil
}

func plain(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if strings.ContainsRune(".,;:!?", r) {
			return -1
		}
		return r
	}, strings.ToLower(text))), " ")
}

func TestASpeechIsHeardWordForWordWithTimes(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	path, err := speechFile()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := transcribe.Transcriber{Engine: p}.File(t.Context(), path, transcribe.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := plain(tr.Text); got != said {
		t.Errorf("heard %q", got)
	}
	if len(tr.Audio.SHA256) != 64 || tr.Audio.Seconds != 11 || tr.Model.Name != "base-q8_0" || tr.EngineSeconds <= 0 {
		t.Errorf("facts are %+v %+v %v", tr.Audio, tr.Model, tr.EngineSeconds)
	}
	// Read off the waveform: the pauses before "ask not", "what your" and the second "ask".
	for i, want := range map[int]float64{5: 3.3, 7: 5.4, 14: 8.2} {
		if w := tr.Words[i]; math.Abs(w.Start-want) > 0.25 {
			t.Errorf("%q starts at %.2f, want %.1f", w.Text, w.Start, want)
		}
	}
	for _, w := range tr.Words {
		if w.End <= w.Start || w.Confidence <= 0 || w.Confidence > 1 {
			t.Errorf("word %+v", w)
		}
	}
	for _, s := range tr.Spans {
		if s.Kind != transcribe.SpanWords && s.Kind != transcribe.SpanSilence {
			t.Errorf("clean speech has a span %+v", s)
		}
	}
}

// short makes several chunks out of one speech.
var short = transcribe.Settings{ChunkSeconds: 5}

func TestAResumedRunGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	pcm := audio.FromSamples(speech(t))
	var saved []transcribe.ChunkResult
	full := func(resume []transcribe.ChunkResult) []byte {
		t.Helper()
		tr, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), pcm, transcribe.RunOptions{
			Settings: short, Resume: resume,
			OnChunk: func(c transcribe.ChunkResult) error {
				saved = append(saved, c)
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		tr.EngineSeconds = 0
		b, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	want := full(nil)
	if len(saved) < 3 || !strings.Contains(plain(textOf(t, want)), "your country can do for you ask what you can do for your country") {
		t.Fatalf("%d chunks: %s", len(saved), want)
	}
	for i, c := range saved {
		if c.Index != i || c.Total != len(saved) {
			t.Fatalf("chunk %d of %d came at place %d", c.Index, c.Total, i)
		}
	}
	b, err := json.Marshal(saved[:2]) // as the caller would have stored them
	if err != nil {
		t.Fatal(err)
	}
	var stored []transcribe.ChunkResult
	if err := json.Unmarshal(b, &stored); err != nil {
		t.Fatal(err)
	}
	done := len(saved)
	if got := full(stored); !bytes.Equal(got, want) {
		t.Errorf("resumed:\n%s\nat once:\n%s", got, want)
	}
	if fresh := len(saved) - done; fresh != done-2 {
		t.Errorf("%d chunks decoded after resuming, want %d", fresh, done-2)
	}
}

func textOf(t *testing.T, transcript []byte) string {
	t.Helper()
	var tr transcribe.Transcript
	if err := json.Unmarshal(transcript, &tr); err != nil {
		t.Fatal(err)
	}
	return tr.Text
}

func TestAnErrorWhileSavingAChunkStopsTheRun(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	full := errors.New("disk full")
	_, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), audio.FromSamples(speech(t)), transcribe.RunOptions{
		OnChunk: func(transcribe.ChunkResult) error { return full },
	})
	if !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
}

// running returns the children that work on a call.
func running(p *Pool) []*process {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []*process
	for c := range p.busy {
		out = append(out, c)
	}
	return out
}

// whenBusy runs do with a child once one works on a call, and waits for do.
func whenBusy(ctx context.Context, p *Pool, do func(*process)) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if cs := running(p); len(cs) > 0 {
				do(cs[0])
				return
			}
		}
	})
	return wg.Wait
}

func TestAChildKilledInTheMiddleIsReplacedAndNothingIsLost(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := speech(t)
	wait := whenBusy(t.Context(), p, func(c *process) { _ = syscall.Kill(c.cmd.Process.Pid, syscall.SIGKILL) })
	_, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en})
	wait()
	if f := fault.As(err); f == nil || f.Code != "engine_crashed" || !fault.Retryable(err) {
		t.Fatalf("got %v", err)
	}
	if d, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en}); err != nil || len(d.Tokens) < 20 {
		t.Fatalf("again: %d tokens, %v", len(d.Tokens), err)
	}
	var killed atomic.Bool
	wait = whenBusy(t.Context(), p, func(c *process) {
		_ = syscall.Kill(c.cmd.Process.Pid, syscall.SIGABRT)
		killed.Store(true)
	})
	tr, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), audio.FromSamples(x), transcribe.RunOptions{})
	wait()
	if err != nil || plain(tr.Text) != said || !killed.Load() {
		t.Fatalf("heard %q, %v", tr.Text, err)
	}
}

func TestAHungChildIsKilledAtTheTimeLimit(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children, c.CallTimeout = 1, 3*time.Second })
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	hung := p.idle[0]
	if err := syscall.Kill(hung.cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err := p.Speech(t.Context(), speech(t))
	if f := fault.As(err); f == nil || f.Code != "engine_timeout" || !fault.Retryable(err) {
		t.Fatalf("got %v", err)
	}
	if hung.alive() {
		t.Error("the hung child is still there")
	}
	if probs, err := p.Speech(t.Context(), speech(t)); err != nil || len(probs) != 344 {
		t.Fatalf("again: %d frames, %v", len(probs), err)
	}
}

func TestCancelAlwaysSaysSoAndComesSoon(t *testing.T) {
	p := newPool(t, nil)
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	pcm := audio.FromSamples(slices.Repeat(speech(t), 8)) // long enough to be at work still
	for _, after := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond, 400 * time.Millisecond, 1200 * time.Millisecond} {
		ctx, cancel := context.WithCancel(t.Context())
		var at atomic.Int64
		time.AfterFunc(after, func() {
			at.Store(time.Now().UnixNano())
			cancel()
		})
		_, err := transcribe.Transcriber{Engine: p}.Run(ctx, pcm, transcribe.RunOptions{Settings: short})
		late := time.Since(time.Unix(0, at.Load()))
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled after %v: got %v", after, err)
		}
		if late > 1500*time.Millisecond {
			t.Errorf("cancelled after %v: returned %v later", after, late)
		}
	}
	if d, err := decode(t.Context(), p, speech(t), transcribe.DecodeOptions{Context: en}); err != nil || len(d.Tokens) < 20 {
		t.Fatalf("after the cancels: %d tokens, %v", len(d.Tokens), err)
	}
}

func TestOddInputsGetAnswersNotCrashes(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	for _, n := range []int{1, 30 * audio.Rate} {
		x := make([]float32, n)
		if n > 1 {
			x[0], x[1] = float32(math.NaN()), float32(math.Inf(1))
		}
		if _, err := decode(t.Context(), p, x, transcribe.DecodeOptions{Context: en}); err != nil {
			t.Errorf("decode of %d samples: %v", n, err)
		}
		if probs, err := p.Speech(t.Context(), x); err != nil || len(probs) != (n+511)/512 {
			t.Errorf("speech in %d samples: %d frames, %v", n, len(probs), err)
		}
	}
	for _, n := range []int{0, 31 * audio.Rate} {
		if _, err := p.Hear(t.Context(), make([]float32, n)); !errors.Is(err, errInput) {
			t.Errorf("%d samples at once: %v", n, err)
		}
	}
	_, err := decode(t.Context(), p, speech(t), transcribe.DecodeOptions{Context: transcribe.Context{Language: "klingonese"}})
	if f := fault.As(err); f == nil || f.Code != "language_unknown" || fault.Retryable(err) {
		t.Errorf("unknown language: %v", err)
	}
	long := transcribe.Context{Language: "en", Prompt: p.Encode(strings.Repeat("Glossary: lisinopril, metformin. ", 60))}
	if d, err := decode(t.Context(), p, speech(t), transcribe.DecodeOptions{Context: long}); err != nil || len(d.Tokens) < 20 {
		t.Errorf("a prompt too long for the model: %d tokens, %v", len(d.Tokens), err)
	}
	pid := p.idle[0].cmd.Process.Pid
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("the child did not live through it: %v", err)
	}
}

func TestADamagedModelIsRefusedBeforeItIsLoaded(t *testing.T) {
	cfg, err := testConfig()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(cfg.VAD.Path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	bad := filepath.Join(t.TempDir(), "vad.bin")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.VAD.Path = bad
	if _, err := New(t.Context(), cfg); fault.As(err).Code != "model_corrupt" {
		t.Errorf("a damaged file: %v", err)
	}
	cfg.VAD.Path = bad + ".gone"
	if _, err := New(t.Context(), cfg); fault.As(err).Code != "model_missing" {
		t.Errorf("a missing file: %v", err)
	}
}

func TestAFileThatIsNoSpeechModelIsRefused(t *testing.T) {
	cfg, err := testConfig()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Model = cfg.VAD // the right digest, but the wrong kind; the library would read on and on
	if _, err := New(t.Context(), cfg); fault.As(err).Code != "model_corrupt" {
		t.Fatalf("got %v", err)
	}
}

func TestABinaryThatIsNoEngineIsAFaultNotAHang(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children, c.Executable = 1, "/bin/true" })
	began := time.Now()
	if err := p.Warm(t.Context()); fault.As(err).Code != "engine_unavailable" || time.Since(began) > 10*time.Second {
		t.Fatalf("got %v after %v", err, time.Since(began))
	}
}

func TestClosingEndsAllChildrenAndLaterCallsFail(t *testing.T) {
	p := newPool(t, nil)
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	children := append([]*process{}, p.idle...)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range children {
		if c == nil || c.alive() {
			t.Errorf("child %v lives on", c)
		}
	}
	if _, err := p.Speech(t.Context(), speech(t)); fault.As(err).Code != "engine_closed" {
		t.Errorf("got %v", err)
	}
}

func TestAChildGetsNoSecretsAndKeepsQuiet(t *testing.T) {
	t.Setenv("VESPER_DATABASE_PASSWORD", "hunter2")
	p := newPool(t, func(c *Config) { c.Children = 1 })
	if _, err := p.Speech(t.Context(), speech(t)); err != nil {
		t.Fatal(err)
	}
	c := p.idle[0]
	if text := c.said.String(); text != "" {
		t.Errorf("the child printed %q", text)
	}
	env := strings.Join(c.cmd.Env, "\n")
	if strings.Contains(env, "hunter2") || !strings.Contains(env, "OMP_WAIT_POLICY=passive") {
		t.Errorf("environment of the child: %s", env)
	}
}

func TestAChildDiesWithItsParent(t *testing.T) {
	p := newPool(t, func(c *Config) { c.Children = 1 })
	if err := p.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := p.idle[0]
	c.requests.Close() // what the kernel does to a parent's pipes when it is killed
	select {
	case <-c.exited:
	case <-time.After(5 * time.Second):
		t.Fatal("the child did not notice")
	}
}
