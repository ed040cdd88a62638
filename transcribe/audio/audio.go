// Package audio turns a recording of any supported kind into 16 kHz mono samples, and trusts nothing about it: the kind is
// found by content, never by name; plain PCM WAV is read in Go; everything else goes through ffmpeg as a sandboxed child
// with one allowed demuxer, a short list of sound decoders, no network, and bounds on time, memory and output. A bad file is
// a *fault.Error that says what to do, never a crash and never an endless decode.
//
//	file or bytes still arriving
//	    └▶ sniff ─┬▶ WAV reader ─────────────────────────┐
//	              ├▶ pipe ─▶ ffmpeg in a sandbox ─▶ WAV ─┤
//	              └▶ whole file ─▶ ffmpeg ────────▶ WAV ─┴▶ channels ─▶ resampler ─▶ PCM (memory, or an unlinked
//	                                                             └▶ Report            temporary file when long)
//
// A file and a stream of the same bytes take the same way and give the same samples.
package audio

import (
	"bufio"
	"context"
	"os"
	"time"
)

// Rate is the sample rate of all decoded audio, in Hz: what Whisper and Silero were trained on.
const Rate = 16000

// Options bounds a decode. The zero value takes the defaults noted at each field.
type Options struct {
	FFmpeg      string        // path of ffmpeg; "" looks in PATH
	MaxDuration time.Duration // longest recording accepted; 0 means 6 h
	MaxBytes    int64         // most bytes read from a recording; 0 means 8 GiB
	Timeout     time.Duration // longest wall time for decoding one file; 0 means 15 min
	Stall       time.Duration // longest wait for the next bytes of a stream; 0 means 1 min
	MemoryBytes uint64        // address space of the decoder child; 0 means 2 GiB
	TempDir     string        // where long recordings spill; "" means the system's
}

func (o Options) withDefaults() Options {
	if o.MaxDuration <= 0 {
		o.MaxDuration = 6 * time.Hour
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 8 << 30
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Minute
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 2 << 30
	}
	if o.TempDir == "" {
		o.TempDir = os.TempDir()
	}
	return o
}

func (o Options) maxSamples() int { return int(o.MaxDuration.Seconds() * Rate) }

// Info says what a file is, as far as its header tells. Seconds, Rate and Channels are 0 where only a decode can know.
type Info struct {
	Container Container
	Codec     string
	Rate      int
	Channels  int
	Seconds   float64
	Bytes     int64
}

// Probe looks at the content of a file without decoding it. It refuses what Decode would refuse at first sight: empty
// files, text, unknown containers, WAV files without a format. It needs no ffmpeg.
func Probe(_ context.Context, path string, _ Options) (Info, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, headBytes)
	c, err := sniff(r)
	if err != nil {
		return Info{}, err
	}
	info := Info{Container: c, Bytes: size}
	if c != WAV {
		return info, nil
	}
	h, err := readWAVHeader(r)
	if err != nil {
		return Info{}, err
	}
	data := size - h.dataAt
	if h.claim >= 0 {
		data = min(data, h.claim)
	}
	if data <= 0 {
		return Info{}, errNoSound()
	}
	info.Codec, info.Rate, info.Channels = h.codec(), h.rate, h.channels
	if h.plain() {
		info.Seconds = float64(data/int64(h.blockAlign)) / float64(h.rate)
	}
	return info, nil
}

// Decode reads the whole recording into 16 kHz mono. The caller closes the PCM. Errors are *fault.Error, or ctx.Err()
// when ctx ended first.
func Decode(ctx context.Context, path string, opts Options) (*PCM, error) {
	opts = opts.withDefaults()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > opts.MaxBytes {
		return nil, errTooManyBytes(opts.MaxBytes)
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	p := newPCM(opts)
	d := newDecoding(opts, p, source{r: ctxReader{run, f}, path: path, size: size, patience: opts.Timeout}, cancel)
	if err := d.run(run, ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// openRegular refuses what is no plain file: a pipe or device would block or never end.
func openRegular(path string) (*os.File, int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, 0, errUnreadable(err)
	}
	if !st.Mode().IsRegular() {
		return nil, 0, errNotAudio(nil)
	}
	if st.Size() == 0 {
		return nil, 0, errEmpty()
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, errUnreadable(err)
	}
	return f, st.Size(), nil
}
