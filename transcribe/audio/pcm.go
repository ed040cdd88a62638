package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// spillSamples is how much stays in memory: 20 minutes, 38 MB. A three-hour recording needs 346 MB and goes to disk.
const spillSamples = 20 * 60 * Rate

// PCM is a decoded recording: 16 kHz mono, kept as 16-bit samples, in memory when short and else in a temporary file that
// is already unlinked, so that no audio stays behind whatever happens to the process. Reading is safe for concurrent use.
type PCM struct {
	// Truncated says that the file promised more audio than it held; what could be read is here.
	Truncated bool

	mem  []int16
	file *os.File
	n    int
}

// FromSamples makes a PCM from samples already at 16 kHz mono. Values beyond ±1 are clipped and NaN becomes 0.
func FromSamples(samples []float32) *PCM {
	p := &PCM{mem: make([]int16, len(samples)), n: len(samples)}
	for i, s := range samples {
		p.mem[i] = quantise(s)
	}
	return p
}

// Samples returns the length of the recording in samples.
func (p *PCM) Samples() int { return p.n }

// Seconds returns the length of the recording in seconds.
func (p *PCM) Seconds() float64 { return float64(p.n) / Rate }

// Read fills dst with the samples from offset at, scaled to −1…1, and returns how many there were. Past the end it returns
// 0 and io.EOF.
func (p *PCM) Read(dst []float32, at int) (int, error) {
	if at < 0 {
		return 0, fmt.Errorf("read audio: negative offset %d", at)
	}
	n := min(len(dst), p.n-at)
	if n <= 0 {
		return 0, io.EOF
	}
	if p.file == nil {
		for i, s := range p.mem[at : at+n] {
			dst[i] = float32(s) / 32768
		}
		return n, nil
	}
	buf := make([]byte, 2*n)
	if _, err := p.file.ReadAt(buf, 2*int64(at)); err != nil {
		return 0, errTempSpace(fmt.Errorf("read decoded audio: %w", err))
	}
	for i := range n {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(buf[2*i:]))) / 32768
	}
	return n, nil
}

// Close frees the temporary file. Calling it twice is safe.
func (p *PCM) Close() error {
	if p == nil || p.file == nil {
		return nil
	}
	f := p.file
	p.file, p.n = nil, 0
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

// writer collects samples and enforces the longest duration.
type writer struct {
	opts Options
	mem  []int16
	file *os.File
	n    int
}

func newWriter(o Options) *writer { return &writer{opts: o} }

func (w *writer) write(samples []float32) error {
	for _, s := range samples {
		w.mem = append(w.mem, quantise(s))
	}
	return w.grown(len(samples))
}

// writeInt16 takes raw little-endian 16-bit samples.
func (w *writer) writeInt16(raw []byte) error {
	for i := 0; i+1 < len(raw); i += 2 {
		w.mem = append(w.mem, int16(binary.LittleEndian.Uint16(raw[i:])))
	}
	return w.grown(len(raw) / 2)
}

func (w *writer) grown(n int) error {
	w.n += n
	if w.n > w.opts.maxSamples() {
		return errTooLong(w.opts.MaxDuration)
	}
	if w.file != nil && len(w.mem) >= 1<<18 || len(w.mem) > spillSamples {
		return w.spill()
	}
	return nil
}

func (w *writer) spill() error {
	if w.file == nil {
		f, err := os.CreateTemp(w.opts.TempDir, "vesper-pcm-*")
		if err != nil {
			return errTempSpace(fmt.Errorf("create spill file: %w", err))
		}
		w.file = f
		if err := os.Remove(f.Name()); err != nil {
			return errTempSpace(fmt.Errorf("unlink spill file: %w", err))
		}
	}
	buf := make([]byte, 0, 2*len(w.mem))
	for _, s := range w.mem {
		buf = binary.LittleEndian.AppendUint16(buf, uint16(s))
	}
	if _, err := w.file.Write(buf); err != nil {
		return errTempSpace(fmt.Errorf("spill decoded audio: %w", err))
	}
	w.mem = w.mem[:0]
	return nil
}

func (w *writer) finish() (*PCM, error) {
	if w.file == nil {
		return &PCM{mem: w.mem, n: w.n}, nil
	}
	if err := w.spill(); err != nil {
		return nil, err
	}
	p := &PCM{file: w.file, n: w.n}
	w.file = nil
	return p, nil
}

func (w *writer) discard() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}
