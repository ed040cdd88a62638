package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	goaudio "github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

const (
	blockFrames  = 4096 // read and decoded at a time
	wavHeadBytes = 44
	maxFloat     = 4 // samples beyond are damage, not loudness (+12 dBFS)
)

// blocks reads plain PCM, a few thousand frames at a time, as interleaved samples in −1…1. Integers go through
// go-audio/wav. It wants to seek, trusts sizes and stops at 4 GB, so each block is shown to it as a small file of its own.
// Floats are read here: go-audio knows no 64-bit ones.
type blocks struct {
	h    wavHeader
	r    io.Reader
	raw  []byte // a WAV header, then the block
	ints goaudio.IntBuffer
	out  []float32
	got  int64 // bytes of samples read
	bad  int   // samples that were no numbers
}

func newBlocks(h wavHeader, r io.Reader) *blocks {
	b := &blocks{h: h, r: r, raw: make([]byte, wavHeadBytes+blockFrames*h.blockAlign)}
	b.out = make([]float32, blockFrames*h.channels)
	b.ints.Data = make([]int, blockFrames*h.channels)
	return b
}

// next returns whole frames, and an error after the last of them: io.EOF, or what the source reports. The slice is valid
// until the next call.
func (b *blocks) next() ([]float32, error) {
	n, err := io.ReadFull(b.r, b.raw[wavHeadBytes:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	b.got += int64(n)
	n -= n % b.h.blockAlign
	if n == 0 {
		return nil, err
	}
	if b.h.format == formatFloat {
		return b.floats(b.raw[wavHeadBytes : wavHeadBytes+n]), err
	}
	out, derr := b.integers(n)
	if derr != nil {
		return nil, derr
	}
	return out, err
}

func (b *blocks) integers(n int) ([]float32, error) {
	b.putHeader(n)
	dec := wav.NewDecoder(bytes.NewReader(b.raw[:wavHeadBytes+n]))
	want := n / (b.h.bits / 8)
	got, err := dec.PCMBuffer(&goaudio.IntBuffer{Data: b.ints.Data[:want]})
	if err != nil || got != want {
		return nil, errCorrupt(fmt.Errorf("wav: %d samples of %d: %w", got, want, orNil(err)))
	}
	scale, zero := 1/float64(int64(1)<<(b.h.bits-1)), 0
	if b.h.bits == 8 { // unsigned in WAV
		zero = 128
	}
	for i, v := range b.ints.Data[:want] {
		b.out[i] = float32(float64(v-zero) * scale)
	}
	return b.out[:want], nil
}

func (b *blocks) putHeader(n int) {
	h := b.raw[:0]
	h = append(h, "RIFF"...)
	h = binary.LittleEndian.AppendUint32(h, uint32(wavHeadBytes-8+n))
	h = append(h, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	h = binary.LittleEndian.AppendUint16(h, uint16(b.h.channels))
	h = binary.LittleEndian.AppendUint32(h, uint32(b.h.rate))
	h = binary.LittleEndian.AppendUint32(h, uint32(b.h.rate*b.h.blockAlign))
	h = binary.LittleEndian.AppendUint16(h, uint16(b.h.blockAlign))
	h = binary.LittleEndian.AppendUint16(h, uint16(b.h.bits))
	h = append(h, "data"...)
	binary.LittleEndian.AppendUint32(h, uint32(n))
}

// floats makes silence of what is no number.
func (b *blocks) floats(raw []byte) []float32 {
	size := b.h.bits / 8
	out := b.out[:len(raw)/size]
	for i := range out {
		var v float64
		if size == 8 {
			v = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:]))
		} else {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v, b.bad = 0, b.bad+1
		}
		out[i] = float32(math.Max(-maxFloat, math.Min(maxFloat, v)))
	}
	return out
}
