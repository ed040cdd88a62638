package transcribe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"vesper/transcribe/audio"
)

// FileOptions is how File reads and transcribes.
type FileOptions struct {
	Audio audio.Options
	Run   RunOptions
}

// File transcribes a recording on disk: it hashes the bytes, decodes them, and runs the engine over them. Errors are
// *fault.Error with a text for people, or ctx.Err().
func (t Transcriber) File(ctx context.Context, path string, o FileOptions) (Transcript, error) {
	pcm, err := audio.Decode(ctx, path, o.Audio)
	if err != nil {
		return Transcript{}, err
	}
	defer pcm.Close()
	sum, err := hashFile(ctx, path)
	if err != nil {
		return Transcript{}, err
	}
	out, err := t.Run(ctx, pcm, o.Run)
	if err != nil {
		return Transcript{}, err
	}
	out.Audio.SHA256 = sum
	return out, nil
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash recording: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", fmt.Errorf("hash recording: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// reader stops reading when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
