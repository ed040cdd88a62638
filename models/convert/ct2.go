package convert

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// ErrFormat is wrapped by every error that says the input is not the format it claims to be.
var ErrFormat = errors.New("not in the expected format")

// The element types of CTranslate2 that Whisper's float16 files hold.
const (
	ct2Int8  = 1
	ct2Int16 = 2
	ct2F16   = 4
)

// ct2Width is the size in bytes of each element type: f32, i8, i16, i32, f16.
var ct2Width = [...]int64{4, 1, 2, 4, 2}

const (
	ct2Version = 6
	maxVars    = 1 << 14 // large-v3 has about 1,000 variables
	maxRank    = 4
)

// Variable is one named tensor of a CTranslate2 file.
type Variable struct {
	Dims   []int64 // row-major, outermost first; empty for a scalar
	Type   uint8
	Offset int64 // of the data, from the start of the file
	Bytes  int64
}

// CT2 is the table of contents of a CTranslate2 model.bin, version 6.
type CT2 struct {
	Spec string // "WhisperSpec"
	Vars map[string]Variable
	data io.ReaderAt
}

// ReadCT2 reads the table of contents of a CTranslate2 file of the given size. It does not read the data, and it fails
// with ErrFormat when the file is cut short or its parts do not fit together.
func ReadCT2(r io.ReaderAt, size int64) (*CT2, error) {
	c := &cursor{src: r, size: size}
	m := &CT2{Vars: map[string]Variable{}, data: r}
	if v := c.u32(); c.err == nil && v != ct2Version {
		return nil, fmt.Errorf("read CTranslate2 header: version %d, want %d: %w", v, ct2Version, ErrFormat)
	}
	m.Spec = c.str()
	c.u32() // revision of the specification
	count := c.u32()
	if c.err == nil && count > maxVars {
		return nil, fmt.Errorf("read CTranslate2 header: %d variables: %w", count, ErrFormat)
	}
	for i := uint32(0); i < count && c.err == nil; i++ {
		name, v := c.variable()
		if _, twice := m.Vars[name]; twice && c.err == nil {
			c.fail("variable %q twice", name)
		}
		m.Vars[name] = v
	}
	c.aliases(m)
	if c.err != nil {
		return nil, fmt.Errorf("read CTranslate2 contents: %w", c.err)
	}
	return m, nil
}

// cursor reads little-endian fields one after another and remembers the first failure.
type cursor struct {
	src  io.ReaderAt
	size int64
	pos  int64
	buf  *bufio.Reader
	err  error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format+" at byte %d: %w", append(args, c.pos, ErrFormat)...)
	}
}

func (c *cursor) bytes(n int64) []byte {
	if c.err != nil {
		return make([]byte, min(n, 8))
	}
	if c.pos+n > c.size {
		c.fail("the file ends early")
		return make([]byte, min(n, 8))
	}
	if c.buf == nil {
		c.buf = bufio.NewReader(io.NewSectionReader(c.src, c.pos, c.size-c.pos))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.buf, b); err != nil {
		c.err = fmt.Errorf("read %d bytes at %d: %w", n, c.pos, err)
	}
	c.pos += n
	return b
}

// skip moves on without reading; large data is left for later.
func (c *cursor) skip(n int64) {
	if c.err != nil {
		return
	}
	if n < 0 || c.pos+n > c.size {
		c.fail("%d bytes of data, but the file has %d in all", n, c.size)
		return
	}
	c.pos += n
	c.buf = nil
}

func (c *cursor) u8() uint8   { return c.bytes(1)[0] }
func (c *cursor) u16() uint16 { return binary.LittleEndian.Uint16(c.bytes(2)) }
func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.bytes(4)) }

// str reads a string with a 16-bit length that counts its closing NUL.
func (c *cursor) str() string {
	n := c.u16()
	if c.err != nil {
		return ""
	}
	if n == 0 {
		c.fail("a string without its NUL")
		return ""
	}
	return strings.TrimRight(string(c.bytes(int64(n))), "\x00")
}

func (c *cursor) variable() (string, Variable) {
	name := c.str()
	rank := c.u8()
	if rank > maxRank {
		c.fail("variable %q has rank %d", name, rank)
		return name, Variable{}
	}
	v := Variable{Dims: make([]int64, rank)}
	elems := int64(1)
	for i := range v.Dims {
		v.Dims[i] = int64(c.u32())
		if v.Dims[i] != 0 && elems > math.MaxInt64/8/v.Dims[i] {
			c.fail("variable %q is too large", name)
			return name, v
		}
		elems *= v.Dims[i]
	}
	v.Type = c.u8()
	v.Bytes = int64(c.u32())
	if c.err != nil {
		return name, v
	}
	if int(v.Type) >= len(ct2Width) || elems*ct2Width[v.Type] != v.Bytes {
		c.fail("variable %q: type %d, %d elements in %d bytes", name, v.Type, elems, v.Bytes)
		return name, v
	}
	v.Offset = c.pos
	c.skip(v.Bytes)
	return name, v
}

// aliases reads the closing list of second names for variables; the projection is the token embedding, for one.
func (c *cursor) aliases(m *CT2) {
	n := c.u32()
	if c.err == nil && n > maxVars {
		c.fail("%d aliases", n)
	}
	for i := uint32(0); i < n && c.err == nil; i++ {
		alias, name := c.str(), c.str()
		v, ok := m.Vars[name]
		if !ok {
			c.fail("alias %q for the unknown %q", alias, name)
		}
		m.Vars[alias] = v
	}
}

// need returns a variable of the given type and shape; -1 stands for any length.
func (m *CT2) need(name string, typ uint8, dims ...int64) (Variable, error) {
	v, ok := m.Vars[name]
	if !ok {
		return v, fmt.Errorf("no variable %q: %w", name, ErrFormat)
	}
	fits := v.Type == typ && len(v.Dims) == len(dims)
	for i := 0; fits && i < len(dims); i++ {
		fits = dims[i] == v.Dims[i] || (dims[i] < 0 && v.Dims[i] > 0)
	}
	if !fits {
		return v, fmt.Errorf("variable %q has type %d and shape %v, want %d and %v: %w", name, v.Type, v.Dims, typ, dims, ErrFormat)
	}
	return v, nil
}

// scalar reads an 8- or 16-bit number that the file holds as a variable of rank 0.
func (m *CT2) scalar(name string) (int64, error) {
	v, ok := m.Vars[name]
	if !ok || len(v.Dims) != 0 || (v.Type != ct2Int8 && v.Type != ct2Int16) {
		return 0, fmt.Errorf("no number %q: %w", name, ErrFormat)
	}
	b := make([]byte, 2)
	if _, err := m.data.ReadAt(b[:v.Bytes], v.Offset); err != nil {
		return 0, fmt.Errorf("read %q: %w", name, err)
	}
	return int64(int16(binary.LittleEndian.Uint16(b))), nil
}
