package audio

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// within fails instead of hanging.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func stream(t testing.TB, r io.Reader, o Options) *PCM {
	t.Helper()
	p, err := Stream(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestAWaveIsHeardWhileItArrives(t *testing.T) {
	t.Parallel()
	ctx := within(t)
	b := wavSpec{rate: 16000, channels: 1, bits: 16}.tone(20)
	r, w := io.Pipe()
	p := stream(t, r, Options{})
	if _, err := p.Read(make([]float32, 10), 0); !errors.Is(err, ErrNotYet) {
		t.Fatalf("reading what has not arrived: %v", err)
	}
	half := len(b) / 2
	go func() { _, _ = w.Write(b[:half]) }()
	have, done, err := p.Wait(ctx, 7*Rate)
	if err != nil || done || have < 7*Rate {
		t.Fatalf("with half of it there: %d samples, done %v, %v", have, done, err)
	}
	if r := p.Report(); r.Container != WAV || r.Rate != 16000 || math.Abs(r.Claimed-20) > 0.01 {
		t.Errorf("the header is not known: %+v", r)
	}
	early := make([]float32, 7*Rate)
	if n, err := p.Read(early, 0); err != nil || n != len(early) {
		t.Fatalf("%d %v", n, err)
	}
	go func() {
		_, _ = w.Write(b[half:])
		w.Close()
	}()
	have, done, err = p.Wait(ctx, math.MaxInt)
	if err != nil || !done || have != 20*Rate {
		t.Fatalf("at the end: %d samples, done %v, %v", have, done, err)
	}
	_, file := decodeBytes(t, "a.wav", b, Options{})
	all := samplesOf(t, file)
	for i, v := range samplesOf(t, p) {
		if v != all[i] || i < len(early) && v != early[i] {
			t.Fatalf("sample %d: %v, from the file %v", i, v, all[i])
		}
	}
}

func TestACodedRecordingIsHeardWhileItArrives(t *testing.T) {
	t.Parallel()
	long := strings.Replace(sine, "=2:", "=30:", 1)
	dir := t.TempDir()
	names := []string{"a.webm", "a.ogg", "a.flac", "a.mp3"}
	args := []string{"-f", "lavfi", "-i", long}
	for _, n := range names[:3] {
		args = append(args, filepath.Join(dir, n))
	}
	names[3] = ffmpegMakes(t, "a.mp3", args...)
	for i, name := range names {
		if i < 3 {
			name = filepath.Join(dir, name)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, w := io.Pipe()
		p := stream(t, r, Options{})
		go func() { _, _ = w.Write(b[:len(b)*3/4]) }()
		have, done, err := p.Wait(within(t), 10*Rate)
		if err != nil || done || have < 10*Rate {
			t.Errorf("%s: with three quarters there: %d samples, done %v, %v", name, have, done, err)
		}
		go func() {
			_, _ = w.Write(b[len(b)*3/4:])
			w.Close()
		}()
		if have, done, err = p.Wait(within(t), math.MaxInt); err != nil || !done || have < 29*Rate {
			t.Errorf("%s: at the end: %d samples, done %v, %v", name, have, done, err)
		}
	}
}

func TestStreamAndFileAgreeOnAnyWave(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := wavSpec{
			rate:     rapid.SampledFrom([]int{4000, 8000, 11025, 16000, 44100, 96000, 192000}).Draw(rt, "rate"),
			channels: rapid.IntRange(1, 3).Draw(rt, "channels"),
			bits:     rapid.SampledFrom([]int{8, 16, 24, 32}).Draw(rt, "bits"),
		}
		frames := rapid.IntRange(1, 3*s.rate).Draw(rt, "frames")
		data := make([]byte, frames*s.channels*s.bits/8)
		seed := rapid.Uint32().Draw(rt, "seed")
		for i := range data {
			seed = seed*1664525 + 1013904223
			data[i] = byte(seed >> 24)
		}
		b := s.file(data)
		if cut := rapid.IntRange(0, 3).Draw(rt, "cut"); cut < len(data) {
			b = b[:len(b)-cut]
		}
		path := write(t, "any.wav", b)
		file, err := Decode(t.Context(), path, Options{})
		if err != nil && len(data) > 12 {
			rt.Fatal(err)
		}
		if err == nil {
			sameFromStream(t, b, file)
			file.Close()
		}
		os.Remove(path)
	})
}

func TestAStalledWriterIsGivenUpAndWhatCameStays(t *testing.T) {
	t.Parallel()
	mp3, err := os.ReadFile(ffmpegMakes(t, "a.mp3", "-f", "lavfi", "-i", sine))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"wav":     wavSpec{rate: 16000, channels: 1, bits: 16}.tone(5),
		"mp3":     mp3,
		"silence": nil,
	} {
		r, w := io.Pipe()
		p := stream(t, r, Options{Stall: 500 * time.Millisecond})
		go func() { _, _ = w.Write(b[:len(b)*4/5]) }()
		have, done, err := p.Wait(within(t), math.MaxInt)
		if !done {
			t.Fatalf("%s: still waiting", name)
		}
		wantCode(t, err, CodeStalled)
		if name == "wav" && have < 3*Rate {
			t.Errorf("%d samples kept", have)
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Errorf("%s: the source was left open", name)
		}
	}
}

func TestAFailingSourceIsReportedAndWhatCameStays(t *testing.T) {
	t.Parallel()
	b := wavSpec{rate: 16000, channels: 1, bits: 16}.tone(5)
	lost := errors.New("connection lost")
	p := stream(t, io.MultiReader(bytes.NewReader(b[:len(b)/2]), failing{lost}), Options{})
	have, done, err := p.Wait(within(t), math.MaxInt)
	if !done || have < 2*Rate {
		t.Fatalf("%d samples, done %v", have, done)
	}
	wantCode(t, err, CodeBrokenOff)
	if !errors.Is(err, lost) {
		t.Errorf("the cause is gone: %v", err)
	}
	opus, err := os.ReadFile(ffmpegMakes(t, "a.webm", "-f", "lavfi", "-i", sine))
	if err != nil {
		t.Fatal(err)
	}
	p = stream(t, io.MultiReader(bytes.NewReader(opus[:len(opus)/2]), failing{lost}), Options{})
	_, _, err = p.Wait(within(t), math.MaxInt)
	wantCode(t, err, CodeBrokenOff)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWhatIsNoRecordingIsRefusedFromAStreamToo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, code string }{
		"nothing": {"", CodeEmpty}, "text": {"Dear colleague, thank you for referring this patient.", CodeNotAudio},
		"half a header": {"RIFF\x00\x00\x00\x00WAVE", CodeCorrupt}, "ds2": {"\x03ds2 and so on, and on", CodeUnsupported},
		"ogg, then zeros":   {"OggS" + strings.Repeat("\x00", 200000), CodeCorrupt},
		"index never comes": {"\x00\x00\x00\x20ftypM4A " + strings.Repeat("\x00", 4000), CodeCorrupt},
	} {
		_, done, err := stream(t, strings.NewReader(c.text), Options{}).Wait(within(t), 1)
		if !done {
			t.Errorf("%s: not done", name)
		}
		wantCode(t, err, c.code)
	}
}

func TestSizeAndDurationAreBoundedInAStream(t *testing.T) {
	t.Parallel()
	endless := io.MultiReader(bytes.NewReader(wavSpec{rate: 8000, channels: 1, bits: 8, claim: new(uint32)}.file(nil)), zeros{})
	_, _, err := stream(t, endless, Options{MaxDuration: time.Minute}).Wait(within(t), math.MaxInt)
	wantCode(t, err, CodeTooLong)
	_, _, err = stream(t, io.MultiReader(strings.NewReader("caff"), zeros{}), Options{MaxBytes: 1 << 20}).Wait(within(t), math.MaxInt)
	wantCode(t, err, CodeTooBig)
	_, err = Decode(t.Context(), write(t, "big.wav", make([]byte, 2000)), Options{MaxBytes: 1000})
	wantCode(t, err, CodeTooBig)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestNoGoroutineOrFileStaysBehind is not parallel: it counts.
func TestNoGoroutineOrFileStaysBehind(t *testing.T) {
	webm, err := os.ReadFile(ffmpegMakes(t, "a.webm", "-f", "lavfi", "-i", strings.Replace(sine, "=2:", "=20:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	before := runtime.NumGoroutine()
	for _, b := range [][]byte{wavSpec{rate: 44100, channels: 2, bits: 16}.tone(4), webm, append([]byte("caff"), make([]byte, 1<<17)...)} {
		for _, closed := range []bool{true, false} {
			ctx, cancel := context.WithCancel(t.Context())
			r, w := io.Pipe()
			p, err := Stream(ctx, r, Options{TempDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(b[:len(b)/2]); err != nil {
				t.Fatal(err)
			}
			if !closed {
				cancel()
				if _, done, err := p.Wait(within(t), math.MaxInt); !done || !errors.Is(err, context.Canceled) {
					t.Errorf("after cancel: done %v, %v", done, err)
				}
			}
			p.Close()
			p.Close()
			cancel()
			if _, err := w.Write(b); err == nil {
				t.Error("the source was left open")
			}
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v %v", left, err)
	}
}

func TestAWaitCanBeGivenUp(t *testing.T) {
	t.Parallel()
	r, _ := io.Pipe()
	p := stream(t, r, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, done, err := p.Wait(ctx, 1); done || !errors.Is(err, context.Canceled) {
		t.Errorf("done %v, %v", done, err)
	}
}
