package convert

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// maxHeader bounds the JSON at the start of a safetensors file; Silero's has about 1 KB.
const maxHeader = 1 << 20

// safetensors is an opened safetensors file: its table of contents and where the data begins.
type safetensors struct {
	src  io.ReaderAt
	data int64
	size int64
	vars map[string]safetensor
}

type safetensor struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

func readSafetensors(r io.ReaderAt, size int64) (*safetensors, error) {
	var b [8]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w: %w", err, ErrFormat)
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("safetensors header of %d bytes: %w", n, ErrFormat)
	}
	s := &safetensors{src: r, data: 8 + int64(n), size: size - 8 - int64(n)}
	head := make([]byte, n)
	if _, err := r.ReadAt(head, 8); err != nil {
		return nil, fmt.Errorf("read safetensors header: %w", err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(head, &raw); err != nil {
		return nil, fmt.Errorf("safetensors header: %w: %w", err, ErrFormat)
	}
	delete(raw, "__metadata__")
	s.vars = make(map[string]safetensor, len(raw))
	for name, text := range raw {
		var t safetensor
		if err := json.Unmarshal(text, &t); err != nil {
			return nil, fmt.Errorf("safetensors %q: %w: %w", name, err, ErrFormat)
		}
		s.vars[name] = t
	}
	return s, nil
}

// floats reads one float32 tensor of exactly the given shape.
func (s *safetensors) floats(name string, shape ...int64) ([]float32, error) {
	t, ok := s.vars[name]
	elems := int64(1)
	fits := ok && t.DType == "F32" && len(t.Shape) == len(shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = t.Shape[i] == shape[i]
		elems *= shape[i]
	}
	if !fits || t.Offsets[0] < 0 || t.Offsets[1] > s.size || t.Offsets[1]-t.Offsets[0] != 4*elems {
		return nil, fmt.Errorf("safetensors %q is not F32 %v: %w", name, shape, ErrFormat)
	}
	raw := make([]byte, 4*elems)
	if _, err := s.src.ReadAt(raw, s.data+t.Offsets[0]); err != nil {
		return nil, fmt.Errorf("read safetensors %q: %w", name, err)
	}
	out := make([]float32, elems)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out, nil
}
