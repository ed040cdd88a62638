package audio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// childBounds is what the decoder child may use at most.
type childBounds struct {
	memoryBytes uint64
	cpuSeconds  uint64
	input       string // the one file it may read besides system libraries
}

// decodeFFmpeg streams one file through ffmpeg into w. It reports whether the file broke off in the middle.
func decodeFFmpeg(ctx context.Context, path string, c Container, opts Options, w *writer) (truncated bool, err error) {
	bin, err := findFFmpeg(opts.FFmpeg)
	if err != nil {
		return false, errNoFFmpeg(err)
	}
	input, err := filepath.Abs(path)
	if err != nil {
		return false, errUnreadable(err)
	}
	if target, err := filepath.EvalSymlinks(input); err == nil {
		input = target
	}
	dir, err := os.MkdirTemp(opts.TempDir, "vesper-decode-*")
	if err != nil {
		return false, errTempSpace(err)
	}
	defer os.RemoveAll(dir)

	run, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	bounds := childBounds{opts.MemoryBytes, uint64(opts.Timeout.Seconds()) + 1, input}
	cmd := sandboxed(run, bounds, bin, ffmpegArgs(input, c, opts))
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir, "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.WaitDelay = 2 * time.Second
	said := &tail{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return false, fmt.Errorf("decode: pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return false, errNoFFmpeg(fmt.Errorf("start ffmpeg: %w", err))
	}
	copyErr := drain(out, w)
	if copyErr != nil {
		cancel() // kills the whole process group
	}
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case copyErr != nil:
		return false, copyErr
	case run.Err() != nil:
		return false, errTimeout(run.Err())
	}
	return judge(waitErr, said.String(), c, w.n)
}

// ffmpegArgs allows one demuxer, two protocols, one sound stream, and a little more than the longest duration, so that
// what is too long is seen as such without decoding a bomb to its end.
func ffmpegArgs(input string, c Container, opts Options) []string {
	demuxer := demuxers[c]
	limit := strconv.FormatFloat(opts.MaxDuration.Seconds()+1, 'f', 3, 64)
	return []string{
		"-hide_banner", "-nostdin", "-v", "error", "-threads", "1",
		"-protocol_whitelist", "file,pipe", "-format_whitelist", demuxer, "-f", demuxer, "-i", "file:" + input,
		"-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-t", limit,
		"-ac", "1", "-ar", strconv.Itoa(Rate), "-f", "s16le", "pipe:1",
	}
}

// drain copies raw samples until the child closes its end or w refuses.
func drain(r io.Reader, w *writer) error {
	buf, have := make([]byte, 1<<16), 0
	for {
		n, err := r.Read(buf[have:])
		have += n
		whole := have &^ 1
		if werr := w.writeInt16(buf[:whole]); werr != nil {
			return werr
		}
		copy(buf, buf[whole:have])
		have -= whole
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("decode: read samples: %w", err)
		}
	}
}

// judge turns ffmpeg's end into a fault. What it printed is only looked at for known phrases and kept as a private cause.
func judge(waitErr error, said string, c Container, samples int) (truncated bool, err error) {
	cause := waitErr
	if said != "" {
		cause = fmt.Errorf("ffmpeg: %q (%w)", said, orNil(waitErr))
	}
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(said, p) {
				return true
			}
		}
		return false
	}
	var exit *exec.ExitError
	switch {
	case errors.As(waitErr, &exit) && exit.ExitCode() == sandboxFailed:
		return false, errNoFFmpeg(cause)
	case samples > 0 && waitErr == nil:
		return has("truncated", "End of file", "partial file", "Premature end"), nil
	case has("matches no streams", "does not contain any stream"):
		return false, errNoTrack(cause)
	case has("Decoder not found", "no decoder found", "Unknown decoder", "Decoder (codec", "Unsupported codec"):
		return false, errUnsupported("The codec inside this "+string(c)+" file", cause)
	case outOfBounds(waitErr) || has("Cannot allocate memory"):
		return false, errTooComplex(cause)
	case samples > 0: // it broke off in the middle: what was heard is kept
		return true, nil
	case waitErr == nil && said == "":
		return false, errNoSound()
	default:
		return false, errCorrupt(cause)
	}
}

var errExitZero = errors.New("exit 0")

func orNil(err error) error {
	if err == nil {
		return errExitZero
	}
	return err
}

func findFFmpeg(path string) (string, error) {
	if path == "" {
		path = "ffmpeg"
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(found)
}

// tail keeps the first 2 KB that a child prints; the rest is dropped so that a chatty child costs nothing.
type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if room := 2048 - t.b.Len(); room > 0 {
		t.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.b.String()) }
