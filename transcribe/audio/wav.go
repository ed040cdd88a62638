package audio

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	goaudio "github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xfffe
	maxChannels      = 64
	maxWAVRate       = 768000
)

// wavHeader is what the fmt and data chunks say, checked against the size of the file.
type wavHeader struct {
	format     int // formatPCM, formatFloat, or another tag that ffmpeg must read
	channels   int
	rate       int
	bits       int
	dataAt     int64
	dataBytes  int64
	truncated  bool
	wide       bool // RF64 or BW64: 64-bit sizes, left to ffmpeg
	blockAlign int
}

func (h wavHeader) plainPCM() bool {
	switch {
	case h.wide || h.blockAlign != h.channels*h.bits/8:
		return false
	case h.format == formatPCM:
		return h.bits == 8 || h.bits == 16 || h.bits == 24 || h.bits == 32
	default:
		return h.format == formatFloat && h.bits == 32
	}
}

func (h wavHeader) frames() int64 { return h.dataBytes / int64(max(1, h.blockAlign)) }

func (h wavHeader) codec() string {
	switch h.format {
	case formatPCM:
		return fmt.Sprintf("pcm_%d", h.bits)
	case formatFloat:
		return fmt.Sprintf("float_%d", h.bits)
	default:
		return fmt.Sprintf("wav_tag_%#x", h.format)
	}
}

// readWAVHeader walks the chunks itself, because sizes in the file are an attacker's to choose: every size is held against
// the bytes that are really there before anything is read or allocated. A data size of 0 or 0xffffffff, as recorders that
// were cut off or stream leave it, means "to the end of the file".
func readWAVHeader(f io.ReadSeeker, size int64) (wavHeader, error) {
	var h wavHeader
	var top [12]byte
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return h, errUnreadable(err)
	}
	if _, err := io.ReadFull(f, top[:]); err != nil {
		return h, errCorrupt(err)
	}
	if string(top[:4]) != "RIFF" {
		h.wide = true
		return h, nil
	}
	for at := int64(12); at+8 <= size; {
		var head [8]byte
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			return h, errCorrupt(err)
		}
		if _, err := io.ReadFull(f, head[:]); err != nil {
			return h, errCorrupt(err)
		}
		id, n := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		at += 8
		switch {
		case id == "fmt " && h.rate == 0:
			if err := h.readFormat(f, n); err != nil {
				return h, err
			}
		case id == "data" && h.rate != 0:
			h.setData(at, n, size)
			return h, nil
		}
		at += n + n&1
	}
	if h.rate == 0 {
		return h, errCorrupt(errors.New("wav: no format chunk"))
	}
	return h, errNoSound()
}

func (h *wavHeader) setData(at, n, size int64) {
	rest := size - at
	if n == 0 || n == math.MaxUint32 || n > rest {
		h.truncated = n != 0 && n != math.MaxUint32
		n = rest
	}
	h.dataAt, h.dataBytes = at, n-n%int64(max(1, h.blockAlign))
}

func (h *wavHeader) readFormat(f io.Reader, n int64) error {
	if n < 16 {
		return errCorrupt(fmt.Errorf("wav: format chunk of %d bytes", n))
	}
	b := make([]byte, min(n, 40))
	if _, err := io.ReadFull(f, b); err != nil {
		return errCorrupt(err)
	}
	h.format = int(binary.LittleEndian.Uint16(b))
	h.channels = int(binary.LittleEndian.Uint16(b[2:]))
	h.rate = int(binary.LittleEndian.Uint32(b[4:]))
	h.blockAlign = int(binary.LittleEndian.Uint16(b[12:]))
	h.bits = int(binary.LittleEndian.Uint16(b[14:]))
	if h.format == formatExtensible && len(b) >= 26 { // the real tag is the first field of the sub-format GUID
		h.format = int(binary.LittleEndian.Uint16(b[24:]))
	}
	if h.channels < 1 || h.channels > maxChannels || h.rate < 1000 || h.rate > maxWAVRate {
		return errCorrupt(fmt.Errorf("wav: %d channels at %d Hz", h.channels, h.rate))
	}
	return nil
}

// canonical shows the decoder a plain 44-byte header and then only the sample bytes, so that hostile chunks never reach it.
func (h wavHeader) canonical(f io.ReaderAt) io.ReadSeeker {
	b := make([]byte, 0, 44)
	put32 := func(v int64) { b = binary.LittleEndian.AppendUint32(b, uint32(min(v, math.MaxUint32-64))) }
	put16 := func(v int) { b = binary.LittleEndian.AppendUint16(b, uint16(v)) }
	b = append(b, "RIFF"...)
	put32(36 + h.dataBytes)
	b = append(b, "WAVEfmt "...)
	put32(16)
	put16(formatPCM)
	put16(h.channels)
	put32(int64(h.rate))
	put32(int64(h.rate * h.blockAlign))
	put16(h.blockAlign)
	put16(h.bits)
	b = append(b, "data"...)
	put32(h.dataBytes)
	return io.NewSectionReader(&spliced{head: b, body: f, at: h.dataAt}, 0, 44+h.dataBytes)
}

// spliced is a header followed by a part of a file.
type spliced struct {
	head []byte
	body io.ReaderAt
	at   int64
}

func (s *spliced) ReadAt(p []byte, off int64) (int, error) {
	if off < int64(len(s.head)) {
		n := copy(p, s.head[off:])
		if n == len(p) {
			return n, nil
		}
		m, err := s.body.ReadAt(p[n:], s.at)
		return n + m, err
	}
	return s.body.ReadAt(p, s.at+off-int64(len(s.head)))
}

// decodeWAV reads plain PCM through go-audio, mixes the channels and resamples, a block at a time.
func decodeWAV(ctx context.Context, f io.ReaderAt, h wavHeader, w *writer) error {
	if limit := w.opts.MaxDuration; float64(h.frames())/float64(h.rate) > limit.Seconds() {
		return errTooLong(limit)
	}
	dec := wav.NewDecoder(h.canonical(f))
	rs := newResampler(h.rate, Rate)
	buf := &goaudio.IntBuffer{Data: make([]int, 8192*h.channels)}
	mono := make([]float32, 0, 8192)
	for left := h.frames() * int64(h.channels); left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := dec.PCMBuffer(buf)
		if err != nil {
			return errCorrupt(fmt.Errorf("wav: %w", err))
		}
		if n = min(n, int(min(left, int64(len(buf.Data))))); n == 0 {
			break
		}
		left -= int64(n)
		mono = h.mix(mono[:0], buf.Data[:n-n%h.channels])
		if err := w.write(rs.push(mono)); err != nil {
			return err
		}
	}
	return w.write(rs.flush())
}

// mix averages the channels and scales to −1…1. Damaged float samples (NaN, infinities) become silence.
func (h wavHeader) mix(dst []float32, data []int) []float32 {
	scale := 1 / float64(int64(1)<<(h.bits-1))
	for i := 0; i < len(data); i += h.channels {
		var sum float64
		for _, v := range data[i : i+h.channels] {
			switch {
			case h.format == formatFloat:
				s := float64(math.Float32frombits(uint32(int32(v))))
				if !math.IsNaN(s) && !math.IsInf(s, 0) {
					sum += math.Max(-4, math.Min(4, s))
				}
			case h.bits == 8: // unsigned in WAV
				sum += float64(v-128) * scale
			default:
				sum += float64(v) * scale
			}
		}
		dst = append(dst, float32(sum/float64(h.channels)))
	}
	return dst
}
