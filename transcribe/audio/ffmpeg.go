package audio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// childBounds is what the decoder child may use at most.
type childBounds struct {
	memoryBytes uint64
	cpuSeconds  uint64
	input       string // the one file it may read besides system libraries; "" when it reads a pipe only
}

// ffmpeg decodes one recording through the sandboxed child, which reads in (through a pipe, and no file at all) or, when in
// is nil, the file at path.
func (d *decoding) ffmpeg(ctx context.Context, c Container, in io.Reader, path string) error {
	bin, err := findFFmpeg(d.opts.FFmpeg)
	if err != nil {
		return errNoFFmpeg(err)
	}
	if path != "" {
		if path, err = filepath.Abs(path); err != nil {
			return errUnreadable(err)
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
	}
	dir, err := os.MkdirTemp(d.opts.TempDir, "vesper-decode-*")
	if err != nil {
		return errTempSpace(err)
	}
	defer os.RemoveAll(dir)

	run, cancel := context.WithTimeout(ctx, d.src.patience)
	defer cancel()
	bounds := childBounds{d.opts.MemoryBytes, uint64(d.opts.Timeout.Seconds()) + 1, path}
	cmd := sandboxed(run, bounds, bin, ffmpegArgs(path, c, d.opts))
	cmd.Dir, cmd.Env = dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir, "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.WaitDelay = 2 * time.Second
	said := &sayings{}
	cmd.Stderr = said
	ch := child{d: d, cmd: cmd, stop: cancel}
	readErr, feedErr, waitErr := ch.run(run, in)
	switch {
	case readErr != nil && !errors.Is(readErr, run.Err()):
		return readErr
	case feedErr != nil: // it ended the run itself
		return feedErr
	case ch.given != nil:
		return errTimeoutOr(ch.given)
	}
	return d.conclude(waitErr, said, c)
}

// errTimeoutOr tells our own time limit from the end of the caller's context.
func errTimeoutOr(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errTimeout(err)
	}
	return err
}

// child is one run of the decoder: what feeds it, what it gives, how it ends.
type child struct {
	d     *decoding
	cmd   *exec.Cmd
	stop  context.CancelFunc
	given error // why it was given up, when the child did not end by itself
}

// run returns what went wrong with taking the samples, with reading the source, and with the child itself.
func (c *child) run(ctx context.Context, in io.Reader) (readErr, feedErr, waitErr error) {
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("decode: pipe: %w", err), nil, nil
	}
	var feed io.WriteCloser
	if in != nil {
		if feed, err = c.cmd.StdinPipe(); err != nil {
			return fmt.Errorf("decode: pipe: %w", err), nil, nil
		}
	}
	if err := c.cmd.Start(); err != nil {
		return errNoFFmpeg(fmt.Errorf("start ffmpeg: %w", err)), nil, nil
	}
	fed := make(chan error, 1)
	go func() { fed <- c.feed(feed, in) }()
	readErr = c.take(ctx, out)
	c.given = ctx.Err()
	if readErr != nil {
		c.stop() // kills the whole process group
	}
	waitErr = c.cmd.Wait()
	select {
	case feedErr = <-fed:
	default: // the child ended first: nobody needs the rest of the source
		if c.d.src.size < 0 {
			c.d.cancel()
		}
		if err := <-fed; !errors.Is(err, context.Canceled) {
			feedErr = err
		}
	}
	return readErr, feedErr, waitErr
}

// feed copies the source to the child, and ends the child when the source fails. A child that wants no more is no error.
func (c *child) feed(w io.WriteCloser, in io.Reader) error {
	if w == nil {
		return nil
	}
	defer w.Close()
	from := &watched{r: in}
	_, err := io.Copy(w, struct{ io.Reader }{from})
	switch {
	case from.err != nil:
		c.stop()
		return from.err
	case err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed):
		return fmt.Errorf("decode: feed ffmpeg: %w", err)
	}
	return nil
}

// take reads the WAV that the child writes.
func (c *child) take(ctx context.Context, out io.Reader) error {
	r := bufio.NewReaderSize(endsQuietly{out}, headBytes)
	if _, err := r.Peek(1); err != nil {
		return nil //nolint:nilerr // it gave nothing: its end says why
	}
	h, err := readWAVHeader(r)
	if err != nil || !h.plain() {
		return nil //nolint:nilerr // it died at its header; its end says why
	}
	c.d.report.Rate, c.d.report.Channels = h.rate, h.channels
	return c.d.samples(ctx, h, r)
}

// endsQuietly takes the pipe that closes when the child is killed for its end.
type endsQuietly struct{ r io.Reader }

func (e endsQuietly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	return n, err
}

// ffmpegArgs allows one demuxer, the protocol it needs, the decoders of formats.go, one sound stream, and a little more than
// the longest duration, so that what is too long is seen as such without decoding a bomb to its end. Rate and channels stay
// as they are: which channels are used is decided here.
func ffmpegArgs(path string, c Container, opts Options) []string {
	f := formats[c]
	limit := strconv.FormatFloat(opts.MaxDuration.Seconds()+1, 'f', 3, 64)
	protocol, input := "pipe", "pipe:0"
	if path != "" {
		protocol, input = "file,pipe", "file:"+path
	}
	args := []string{"-hide_banner", "-nostats", "-loglevel", "level+info", "-threads", "1"}
	if path != "" {
		args = append(args, "-nostdin")
	}
	return append(args,
		"-protocol_whitelist", protocol, "-format_whitelist", f.demuxer, "-codec_whitelist", f.decoders,
		"-f", f.demuxer, "-i", input,
		"-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-fflags", "+bitexact", "-t", limit,
		"-c:a", "pcm_f32le", "-flush_packets", "1", "-f", "wav", "pipe:1",
	)
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
