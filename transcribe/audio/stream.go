package audio

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"vesper/internal/fault"
)

// Stream decodes a recording while its bytes still arrive from r. It returns at once; the PCM grows (Wait, Read) until r
// ends with io.EOF. All later trouble comes from Wait: a *fault.Error when the bytes are no recording, stop arriving for
// Options.Stall or fail to be read, or ctx.Err(); samples that were already there stay readable. The samples are the same as
// Decode gives for a file of these bytes. WAV is read as it comes; MP3, AAC, OGG, WebM, FLAC, AMR, AU and MP4 whose index
// stands first go through ffmpeg as they come; other kinds wait in a private temporary file for their last byte.
//
// The caller closes the PCM, which ends the decode. If r is an io.Closer it is closed when decoding ends, as an HTTP body
// would be, so that a Read that blocks can end; a Read that blocks for ever in a plain io.Reader keeps one goroutine.
func Stream(ctx context.Context, r io.Reader, opts Options) (*PCM, error) {
	opts = opts.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(ctx)
	p := newPCM(opts)
	in := newIntake(run, r, opts)
	d := newDecoding(opts, p, source{r: in, size: -1, patience: opts.MaxDuration + opts.Timeout}, cancel)
	ended := make(chan struct{})
	p.stop = func() {
		cancel()
		<-ended
	}
	go func() {
		defer close(ended)
		defer in.close()
		defer cancel()
		_ = d.run(run, ctx) // the PCM carries the error
	}()
	return p, nil
}

// intake reads from a source that may be slow, stall or fail, in its own goroutine, so that whoever reads from the intake
// can be cancelled. Two blocks of 64 KB are under way at most.
type intake struct {
	ctx    context.Context
	stall  time.Duration
	left   int64 // bytes still accepted
	limit  int64
	raw    io.Reader
	blocks chan []byte
	free   chan []byte
	rest   []byte
	block  []byte
	err    error // set before blocks is closed
	once   sync.Once
}

func newIntake(ctx context.Context, r io.Reader, o Options) *intake {
	in := &intake{
		ctx: ctx, stall: o.Stall, left: o.MaxBytes, limit: o.MaxBytes, raw: r,
		blocks: make(chan []byte), free: make(chan []byte, 2),
	}
	in.free <- make([]byte, 1<<16)
	in.free <- make([]byte, 1<<16)
	go in.pull(r)
	return in
}

func (in *intake) pull(r io.Reader) {
	defer close(in.blocks)
	for idle := 0; ; {
		var block []byte
		select {
		case block = <-in.free:
		case <-in.ctx.Done():
			return
		}
		n, err := r.Read(block[:cap(block)])
		if n > 0 {
			idle = 0
			select {
			case in.blocks <- block[:n]:
			case <-in.ctx.Done():
				return
			}
		} else {
			in.free <- block
			idle++
		}
		if err == nil && idle >= 100 {
			err = io.ErrNoProgress
		}
		if err != nil {
			in.err = err
			return
		}
	}
}

func (in *intake) Read(p []byte) (int, error) {
	if len(in.rest) == 0 {
		if err := in.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	return n, nil
}

func (in *intake) next() error {
	if in.block != nil {
		in.free <- in.block
		in.block = nil
	}
	late := time.NewTimer(in.stall)
	defer late.Stop()
	select {
	case block, ok := <-in.blocks:
		switch {
		case !ok && in.ctx.Err() != nil:
			return in.ctx.Err()
		case !ok && errors.Is(in.err, io.EOF):
			return io.EOF
		case !ok:
			return asFault(in.err)
		}
		if in.left -= int64(len(block)); in.left < 0 {
			return errTooManyBytes(in.limit)
		}
		in.block, in.rest = block, block
		return nil
	case <-late.C:
		return errStalled(in.stall)
	case <-in.ctx.Done():
		return in.ctx.Err()
	}
}

// asFault keeps a fault that the source itself reports and explains every other error.
func asFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return errBrokenOff(err)
}

func (in *intake) close() {
	in.once.Do(func() {
		if c, ok := in.raw.(io.Closer); ok {
			_ = c.Close()
		}
	})
}

// ctxReader stops reading when its context ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
