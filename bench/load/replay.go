package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// replay is a recogniser whose engine costs nothing: it decodes recordings for real and answers with recorded transcripts, one
// after another, each in chunks of about half a minute that are saved as a real run saves them.
type replay struct {
	transcripts []transcribe.Transcript
	next        atomic.Int64
}

// newReplay reads the transcripts that stand beside the test dictations.
func newReplay(dictations string) (*replay, error) {
	paths, err := filepath.Glob(filepath.Join(dictations, "*", "audio.json"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no recorded transcripts in %s: %w", dictations, err)
	}
	r := &replay{}
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		var t transcribe.Transcript
		if err := json.Unmarshal(raw, &t); err != nil {
			return nil, fmt.Errorf("read %s: %w", p, err)
		}
		r.transcripts = append(r.transcripts, t)
	}
	return r, nil
}

// Decode implements pipeline.Recogniser.
func (r *replay) Decode(ctx context.Context, path string) (pipeline.Sound, error) {
	pcm, err := audio.Decode(ctx, path, audio.Options{})
	if err != nil {
		return nil, err
	}
	return sound{pcm}, nil
}

// Transcribe implements pipeline.Recogniser.
func (r *replay) Transcribe(_ context.Context, _ pipeline.Sound, sha256 string, _ []byte, saved [][]byte,
	onChunk func(number, total int, result []byte) error,
) (transcribe.Transcript, error) {
	t := r.transcripts[int(r.next.Add(1))%len(r.transcripts)]
	t.Audio.SHA256 = sha256
	chunks := 1 + int(t.Audio.Seconds/28)
	for n := len(saved) + 1; n <= chunks; n++ {
		if err := onChunk(n, chunks, []byte(`{"replayed":true}`)); err != nil {
			return t, err
		}
	}
	return t, nil
}

// sound writes what it heard as WAV, as the real recogniser does.
type sound struct{ *audio.PCM }

// WriteWAV implements pipeline.Sound.
func (s sound) WriteWAV(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if _, err := out.Write(wavHeader(s.Samples())); err != nil {
		return err
	}
	samples, raw := make([]float32, 1<<15), make([]byte, 2<<15)
	for at := 0; at < s.Samples(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.Read(samples, at)
		if n == 0 && err != nil {
			return err
		}
		for i, x := range samples[:n] {
			v := int16(max(-1, min(1, x)) * 32767)
			raw[2*i], raw[2*i+1] = byte(v), byte(v>>8)
		}
		if _, err := out.Write(raw[:2*n]); err != nil {
			return err
		}
		at += n
	}
	return out.Flush()
}
