package audio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
)

// ErrNotYet is what Read returns for samples that have not arrived: the recording is still being decoded, so this is not
// its end. Wait blocks until they are there.
var ErrNotYet = errors.New("audio: these samples have not arrived yet")

// PCM is a decoded recording: 16 kHz mono, kept as 16-bit samples, in memory when short and else in a temporary file that
// is already unlinked, so that no audio stays behind whatever happens to the process. It may still grow when it came from
// Stream; what is there never changes. All methods are safe for concurrent use.
type PCM struct {
	opts Options

	mu     sync.RWMutex
	mem    []int16  // samples from inFile on
	file   *os.File // the first inFile samples, when the recording is long
	inFile int
	n      int
	done   bool
	err    error
	report Report
	grown  chan struct{} // closed and replaced at each change
	stop   func()        // ends the decode and waits for it; nil when there is none
}

func newPCM(o Options) *PCM { return &PCM{opts: o, grown: make(chan struct{})} }

// FromSamples makes a PCM from samples already at 16 kHz mono. Values beyond ±1 are clipped and NaN becomes 0.
func FromSamples(samples []float32) *PCM {
	p := newPCM(Options{})
	p.mem, p.n, p.done = make([]int16, len(samples)), len(samples), true
	var l loudness
	for i, s := range samples {
		p.mem[i] = quantise(s)
	}
	l.add(p.mem)
	p.report = Report{Codec: "pcm_16", Rate: Rate, Channels: 1, Used: UsedMono, Seconds: p.seconds()}
	l.into(&p.report)
	p.report.warn(facts{})
	return p
}

// Samples returns how many samples there are: the length of the recording once it is complete (see Wait).
func (p *PCM) Samples() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.n
}

// Seconds returns Samples in seconds.
func (p *PCM) Seconds() float64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.seconds()
}

func (p *PCM) seconds() float64 { return float64(p.n) / Rate }

// Report says what the recording is and what is wrong with it. It is complete when the recording is; before that only
// what the header tells is in it.
func (p *PCM) Report() Report {
	p.mu.RLock()
	defer p.mu.RUnlock()
	r := p.report
	r.Warnings = append([]Warning(nil), r.Warnings...)
	return r
}

// Wait blocks until the recording has n samples or has ended, and returns how many there are and whether that is all. err
// is why the decode failed, a *fault.Error or the error of its context, with have saying what can still be read; or
// ctx.Err() when this wait was given up.
func (p *PCM) Wait(ctx context.Context, n int) (have int, done bool, err error) {
	for {
		p.mu.RLock()
		have, done, err = p.n, p.done, p.err
		changed := p.grown
		p.mu.RUnlock()
		if done || have >= n {
			return have, done, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return have, false, ctx.Err()
		}
	}
}

// Read fills dst with the samples from offset at, scaled to −1…1, and returns how many there were. Past the end it returns
// 0 and io.EOF; past what has arrived so far, 0 and ErrNotYet.
func (p *PCM) Read(dst []float32, at int) (int, error) {
	if at < 0 {
		return 0, fmt.Errorf("read audio: negative offset %d", at)
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	n := min(len(dst), p.n-at)
	switch {
	case n <= 0 && p.done:
		return 0, io.EOF
	case n <= 0:
		return 0, ErrNotYet
	}
	fromFile := max(0, min(n, p.inFile-at))
	if fromFile > 0 {
		buf := make([]byte, 2*fromFile)
		if _, err := p.file.ReadAt(buf, 2*int64(at)); err != nil {
			return 0, errTempSpace(fmt.Errorf("read decoded audio: %w", err))
		}
		for i := range fromFile {
			dst[i] = float32(int16(binary.LittleEndian.Uint16(buf[2*i:]))) / 32768
		}
	}
	if n > fromFile {
		start := at + fromFile - p.inFile
		for i, s := range p.mem[start : start+n-fromFile] {
			dst[fromFile+i] = float32(s) / 32768
		}
	}
	return n, nil
}

// Close ends a decode that is still under way and frees the temporary file. Calling it twice is safe.
func (p *PCM) Close() error {
	if p == nil {
		return nil
	}
	if p.stop != nil {
		p.stop()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file == nil {
		return nil
	}
	f := p.file
	p.file, p.n, p.inFile, p.mem = nil, 0, 0, nil
	return f.Close()
}

func quantise(s float32) int16 {
	switch v := math.Round(float64(s) * 32768); {
	case math.IsNaN(v):
		return 0
	case v > 32767:
		return 32767
	case v < -32768:
		return -32768
	default:
		return int16(v)
	}
}
