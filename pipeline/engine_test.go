package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// chunksOfRecital is how many parts every recital has.
const chunksOfRecital = 5

// reciter is an engine that recites a recorded transcript, chunk by chunk, whatever it hears. Recordings are decoded for
// real, so that what is unusable is found as in production.
type reciter struct {
	mu         sync.Mutex
	transcript transcribe.Transcript
	before     func(ctx context.Context, chunk int) error // called before each chunk, 1 …, and with one more before the end
	runs       int
	resumed    []int    // how many saved chunks each run was given
	settings   []string // what each run was to work with
}

func newReciter(t testing.TB) *reciter {
	t.Helper()
	raw, err := os.ReadFile("testdata/transcript.json")
	if err != nil {
		t.Fatal(err)
	}
	r := &reciter{}
	if err := json.Unmarshal(raw, &r.transcript); err != nil {
		t.Fatal(err)
	}
	return r
}

// set changes what happens before each chunk.
func (r *reciter) set(before func(ctx context.Context, chunk int) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

// edit changes what is recited.
func (r *reciter) edit(change func(*transcribe.Transcript)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.transcript)
}

func (r *reciter) history() (runs int, resumed []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs, append([]int(nil), r.resumed...)
}

// Decode implements pipeline.Recogniser.
func (r *reciter) Decode(ctx context.Context, path string) (pipeline.Sound, error) {
	pcm, err := audio.Decode(ctx, path, audio.Options{})
	if err != nil {
		return nil, err
	}
	return sound{pcm}, nil
}

// Transcribe implements pipeline.Recogniser.
func (r *reciter) Transcribe(ctx context.Context, _ pipeline.Sound, sha256 string, settings []byte, saved [][]byte,
	onChunk func(number, total int, result []byte) error,
) (transcribe.Transcript, error) {
	r.mu.Lock()
	t, before := r.transcript, r.before
	r.runs++
	r.resumed = append(r.resumed, len(saved))
	r.settings = append(r.settings, string(settings))
	r.mu.Unlock()
	if !json.Valid(settings) {
		return t, fault.New(fault.Invalid, "job_settings", "The job's settings cannot be read.")
	}
	for n := len(saved) + 1; n <= chunksOfRecital; n++ {
		if before != nil {
			if err := before(ctx, n); err != nil {
				return t, err
			}
		}
		if err := onChunk(n, chunksOfRecital, fmt.Appendf(nil, `{"chunk":%d}`, n)); err != nil {
			return t, err
		}
	}
	if before != nil {
		if err := before(ctx, chunksOfRecital+1); err != nil {
			return t, err
		}
	}
	t.Audio.SHA256 = sha256
	return t, nil
}

// sound is a decoded recording. The rendition for playback is a stand-in: what matters here is where it is kept.
type sound struct{ *audio.PCM }

func (s sound) WriteWAV(_ context.Context, w io.Writer) error {
	_, err := fmt.Fprintf(w, "RIFF stand-in of %.3f seconds", s.Seconds())
	return err
}
