package convert

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// ct2File builds CTranslate2 files, right and wrong ones.
type ct2File struct{ bytes.Buffer }

func (f *ct2File) put(values ...any) *ct2File {
	for _, v := range values {
		if s, ok := v.(string); ok {
			f.put(uint16(len(s)+1), []byte(s), byte(0))
			continue
		}
		if err := binary.Write(f, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return f
}

// half appends a float16 variable whose elements count up from start, as raw bits.
func (f *ct2File) half(name string, start uint16, dims ...uint32) {
	n := uint32(1)
	for _, d := range dims {
		n *= d
	}
	f.put(name, uint8(len(dims)), dims, uint8(ct2F16), 2*n)
	for i := range n {
		f.put(start + uint16(i))
	}
}

// toy is a whole Whisper of 2 dimensions, with 1 layer each side and 1 head.
func toy() []byte {
	body, count := &ct2File{}, uint32(0)
	half := func(name string, start uint16, dims ...uint32) { body.half(name, start, dims...); count++ }
	body.put("encoder/num_heads", uint8(0), uint8(ct2Int16), uint32(2), int16(1))
	count++
	half("decoder/embeddings/weight", 0x3c00, 5, 2)
	half("encoder/position_encodings/encodings", 0x3c10, 3, 2)
	half("decoder/position_encodings/encodings", 0x3c20, 4, 2)
	half("encoder/conv1/weight", 0x3c30, 2, 4, 3)
	half("encoder/conv1/bias", 0x3c50, 2)
	half("encoder/conv2/weight", 0x3c60, 2, 2, 3)
	half("encoder/conv2/bias", 0x3c70, 2)
	for _, side := range []string{"encoder", "decoder"} {
		norm := func(name string) { half(name+"/gamma", 0x3d00, 2); half(name+"/beta", 0x3d10, 2) }
		linear := func(name string, start uint16, out, in uint32) {
			half(name+"/weight", start, out, in)
			half(name+"/bias", start+0x80, out)
		}
		layer := side + "/layer_0/"
		norm(side + "/layer_norm")
		norm(layer + "ffn/layer_norm")
		linear(layer+"ffn/linear_0", 0x3d40, 8, 2)
		linear(layer+"ffn/linear_1", 0x3d70, 2, 8)
		norm(layer + "self_attention/layer_norm")
		linear(layer+"self_attention/linear_0", 0x4000, 6, 2)
		linear(layer+"self_attention/linear_1", 0x4100, 2, 2)
		if side == "decoder" {
			norm(layer + "attention/layer_norm")
			linear(layer+"attention/linear_0", 0x4200, 2, 2)
			linear(layer+"attention/linear_1", 0x4300, 4, 2)
			linear(layer+"attention/linear_2", 0x4400, 2, 2)
		}
	}
	f := header(count)
	f.Write(body.Bytes())
	return f.put(uint32(0)).Bytes()
}

func readCT2(b []byte) (*CT2, error) { return ReadCT2(bytes.NewReader(b), int64(len(b))) }

// header is the start of a file with the given number of variables.
func header(count uint32) *ct2File {
	f := &ct2File{}
	return f.put(uint32(ct2Version), "WhisperSpec", uint32(3), count)
}

func TestAVariableAndItsAliasAreFound(t *testing.T) {
	t.Parallel()
	f := header(1)
	f.half("decoder/embeddings/weight", 7, 5, 2)
	f.put(uint32(1), "decoder/projection/weight", "decoder/embeddings/weight")
	m, err := readCT2(f.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	v, alias := m.Vars["decoder/embeddings/weight"], m.Vars["decoder/projection/weight"]
	if v.Bytes != 20 || v.Offset != alias.Offset || len(v.Dims) != 2 || v.Dims[0] != 5 {
		t.Errorf("got %+v and %+v", v, alias)
	}
}

func TestAFileCutAnywhereIsRefused(t *testing.T) {
	t.Parallel()
	f := header(2)
	f.half("a", 1, 3, 2)
	f.half("b", 1, 4)
	f.put(uint32(1), "c", "a")
	whole := f.Bytes()
	if _, err := readCT2(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := readCT2(whole[:n]); !errors.Is(err, ErrFormat) {
			t.Errorf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
}

func TestAContentsThatLiesIsRefused(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*ct2File{
		"other version":     (&ct2File{}).put(uint32(5), "WhisperSpec", uint32(3), uint32(0), uint32(0)),
		"endless variables": header(1 << 30),
		"rank 9":            header(1).put("a", uint8(9)),
		"unknown type":      header(1).put("a", uint8(0), uint8(9), uint32(2), uint16(0), uint32(0)),
		"bytes do not fit":  header(1).put("a", uint8(1), uint32(3), uint8(ct2F16), uint32(5), make([]byte, 5), uint32(0)),
		"overflowing size": header(1).put("a", uint8(4), uint32(1<<31), uint32(1<<31), uint32(1<<31), uint32(1<<31),
			uint8(ct2F16), uint32(0), uint32(0)),
		"past the end":        header(1).put("a", uint8(1), uint32(1<<30), uint8(ct2F16), uint32(1<<31), uint32(0)),
		"alias of nothing":    header(0).put(uint32(1), "a", "b"),
		"endless aliases":     header(0).put(uint32(1 << 30)),
		"string without end":  (&ct2File{}).put(uint32(ct2Version), uint16(0)),
		"variable of no name": header(1).put(uint16(0)),
	} {
		if _, err := readCT2(f.Bytes()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := header(2)
	twice.half("a", 1, 1)
	twice.half("a", 1, 1)
	twice.put(uint32(0))
	if _, err := readCT2(twice.Bytes()); !errors.Is(err, ErrFormat) {
		t.Errorf("the same variable twice: %v", err)
	}
}

func FuzzReadCT2(f *testing.F) {
	small := header(1)
	small.half("decoder/embeddings/weight", 7, 5, 2)
	small.put(uint32(1), "p", "decoder/embeddings/weight")
	f.Add(small.Bytes())
	f.Add(toy())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readCT2(b)
		if err != nil {
			return
		}
		for name, v := range m.Vars {
			if v.Offset < 0 || v.Bytes < 0 || v.Offset+v.Bytes > int64(len(b)) {
				t.Errorf("%q lies at %d+%d of %d", name, v.Offset, v.Bytes, len(b))
			}
		}
		if d, err := m.dims(); err == nil {
			_, _ = m.plan(d)
		}
	})
}
