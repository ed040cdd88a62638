package convert

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

const ggmlMagic = 0x67676d6c

// The element types in a ggml file that we write.
const (
	ggmlF32 = 0
	ggmlF16 = 1
)

// ggmlWriter writes little-endian fields; bufio keeps the first failure until flush.
type ggmlWriter struct{ w *bufio.Writer }

func (g *ggmlWriter) flush() error {
	if err := g.w.Flush(); err != nil {
		return fmt.Errorf("convert: write: %w", err)
	}
	return nil
}

func (g *ggmlWriter) ints(values ...int64) {
	for _, v := range values {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(v))
		_, _ = g.w.Write(b[:])
	}
}

func (g *ggmlWriter) float(v float32) { g.ints(int64(math.Float32bits(v))) }

func (g *ggmlWriter) tokens(tokens [][]byte) {
	g.ints(int64(len(tokens)))
	for _, t := range tokens {
		g.ints(int64(len(t)))
		_, _ = g.w.Write(t)
	}
}

// head writes what stands before a tensor's data.
func (g *ggmlWriter) head(name string, typ int64, dims []int64) {
	g.ints(int64(len(dims)), int64(len(name)), typ)
	for i := len(dims) - 1; i >= 0; i-- {
		g.ints(dims[i])
	}
	_, _ = g.w.WriteString(name)
}

func (g *ggmlWriter) tensor(m *CT2, t tensor) error {
	elems := int64(1)
	for _, d := range t.dims {
		elems *= d
	}
	data := io.NewSectionReader(m.data, t.offset, 2*elems)
	switch {
	case t.f32:
		g.head(t.name, ggmlF32, t.dims)
		return g.widen(data)
	default:
		g.head(t.name, ggmlF16, t.dims)
		_, err := io.Copy(g.w, data)
		return err
	}
}

// widen copies float16 as float32.
func (g *ggmlWriter) widen(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var b [2]byte
	for {
		if _, err := io.ReadFull(in, b[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		g.float(halfToFloat(binary.LittleEndian.Uint16(b[:])))
	}
}

// halfToFloat widens an IEEE 754 binary16.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exp {
	case 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case 0: // zero or subnormal: frac · 2⁻²⁴ is exact in float32
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(sign | math.Float32bits(f))
	default:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
}

// floatToHalf rounds to the nearest binary16, ties to even.
func floatToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, abs := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00
	case abs >= 0x477ff000: // rounds past the largest half
		return sign | 0x7c00
	case abs < 0x38800000: // below the smallest normal half: count 2⁻²⁴ steps
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*(1<<24)))
	default:
		rounded := abs + 0xfff + (abs>>13)&1
		return sign | uint16(rounded>>13-112<<10)
	}
}
