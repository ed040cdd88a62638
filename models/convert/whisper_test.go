package convert

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

// plainTokenizer is made once; 50,257 tokens take their time.
var plainTokenizer = sync.OnceValue(func() []byte { return vocabulary(func(map[string]int) {}) })

// tokenizerJSON is a tokenizer with a whole vocabulary of made-up tokens; id 0 is a space.
func tokenizerJSON(change func(vocab map[string]int)) *bytes.Reader {
	if change == nil {
		return bytes.NewReader(plainTokenizer())
	}
	return bytes.NewReader(vocabulary(change))
}

func vocabulary(change func(vocab map[string]int)) []byte {
	vocab := map[string]int{"Ġ": 0}
	for id := 1; id < whisperTokens; id++ {
		vocab[fmt.Sprintf("t%d", id)] = id
	}
	change(vocab)
	b, err := json.Marshal(map[string]any{"model": map[string]any{"vocab": vocab}})
	if err != nil {
		panic(err)
	}
	return b
}

// ggmlTensor is one tensor as read back.
type ggmlTensor struct {
	name string
	dims []int32 // as stored: reversed
	typ  int32
	data []byte
}

// readGGML reads a converted file back with nothing but the format's own rules.
func readGGML(t *testing.T, b []byte) (head []int32, filters []float32, tokens []string, tensors []ggmlTensor) {
	t.Helper()
	r := bytes.NewReader(b)
	read := func(v any) {
		if err := binary.Read(r, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	text := func(n int32) string {
		s := make([]byte, n)
		read(s)
		return string(s)
	}
	head = make([]int32, 12)
	read(head)
	size := make([]int32, 2)
	read(size)
	filters = make([]float32, size[0]*size[1])
	read(filters)
	var n int32
	read(&n)
	for range n {
		var length int32
		read(&length)
		tokens = append(tokens, text(length))
	}
	for r.Len() > 0 {
		h := make([]int32, 3)
		read(h)
		x := ggmlTensor{dims: make([]int32, h[0]), typ: h[2]}
		read(x.dims)
		x.name = text(h[1])
		elems := int32(4 - 2*h[2])
		for _, d := range x.dims {
			elems *= d
		}
		x.data = make([]byte, elems)
		read(x.data)
		tensors = append(tensors, x)
	}
	return head, filters, tokens, tensors
}

func convertToy(t *testing.T) []byte {
	t.Helper()
	m, err := readCT2(toy())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Whisper(t.Context(), &out, m, tokenizerJSON(nil)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheHeaderStatesTheSizesOfTheModel(t *testing.T) {
	t.Parallel()
	head, filters, tokens, tensors := readGGML(t, convertToy(t))
	if want := []int32{ggmlMagic, 5, 3, 2, 1, 1, 4, 2, 1, 1, 4, 1}; !slices.Equal(head, want) {
		t.Errorf("header %v, want %v", head, want)
	}
	if len(filters) != 4*fftBins || len(tokens) != whisperTokens || tokens[0] != " " || tokens[50256] != "t50256" {
		t.Errorf("%d filters, %d tokens from %q", len(filters), len(tokens), tokens[0])
	}
	if len(tensors) != 3+4+2+2+15+24 { // embeddings, convolutions, closing norms, encoder block, decoder block
		t.Errorf("%d tensors", len(tensors))
	}
}

func TestStackedProjectionsAreTakenApart(t *testing.T) {
	t.Parallel()
	_, _, _, tensors := readGGML(t, convertToy(t))
	byName := map[string]ggmlTensor{}
	for _, x := range tensors {
		byName[x.name] = x
	}
	for name, first := range map[string]uint16{ // the first element, as the toy numbered it
		"encoder.blocks.0.attn.query.weight":       0x4000,
		"encoder.blocks.0.attn.key.weight":         0x4004,
		"encoder.blocks.0.attn.value.weight":       0x4008,
		"encoder.blocks.0.attn.out.weight":         0x4100,
		"decoder.blocks.0.cross_attn.query.weight": 0x4200,
		"decoder.blocks.0.cross_attn.key.weight":   0x4300,
		"decoder.blocks.0.cross_attn.value.weight": 0x4304,
		"decoder.blocks.0.cross_attn.out.weight":   0x4400,
		"decoder.blocks.0.mlp.2.weight":            0x3d70,
	} {
		x := byName[name]
		if x.typ != ggmlF16 || len(x.data) < 2 || binary.LittleEndian.Uint16(x.data) != first {
			t.Errorf("%s is %+v, want to begin with %#x", name, x, first)
		}
	}
	for name, first := range map[string]uint16{
		"encoder.blocks.0.attn.query.bias":       0x4080,
		"encoder.blocks.0.attn.value.bias":       0x4084,
		"decoder.blocks.0.cross_attn.value.bias": 0x4382,
		"encoder.positional_embedding":           0x3c10,
	} {
		x := byName[name]
		if x.typ != ggmlF32 || len(x.data) < 4 || math.Float32frombits(binary.LittleEndian.Uint32(x.data)) != halfToFloat(first) {
			t.Errorf("%s is %+v, want to begin with %v", name, x, halfToFloat(first))
		}
	}
	if _, ok := byName["encoder.blocks.0.attn.key.bias"]; ok {
		t.Error("keys have no bias in Whisper")
	}
	if got := byName["encoder.conv1.bias"].dims; !slices.Equal(got, []int32{1, 2}) {
		t.Errorf("a convolution's bias is a column, not %v", got)
	}
	if got := byName["encoder.conv1.weight"].dims; !slices.Equal(got, []int32{3, 4, 2}) {
		t.Errorf("dimensions are stored reversed, not %v", got)
	}
}

func TestTheSameInputYieldsTheSameBytes(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(convertToy(t), convertToy(t)) {
		t.Error("two conversions differ")
	}
}

func TestAModelWithAMissingOrMisshapenPartIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"encoder/conv2/bias", "decoder/layer_0/attention/linear_1/weight", "encoder/num_heads",
		"encoder/position_encodings/encodings", "decoder/layer_norm/beta", "decoder/layer_0/ffn/linear_1/bias",
	} {
		for _, change := range []func(m *CT2){
			func(m *CT2) { delete(m.Vars, name) },
			func(m *CT2) { v := m.Vars[name]; v.Type = 3; m.Vars[name] = v },
			func(m *CT2) { v := m.Vars[name]; v.Dims = append(slices.Clone(v.Dims), 1); m.Vars[name] = v },
		} {
			m, err := readCT2(toy())
			if err != nil {
				t.Fatal(err)
			}
			change(m)
			if err := Whisper(t.Context(), &bytes.Buffer{}, m, tokenizerJSON(nil)); !errors.Is(err, ErrFormat) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestAVocabularyWithHolesOrForeignLettersIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]int){
		"hole":    func(v map[string]int) { delete(v, "t77") },
		"foreign": func(v map[string]int) { delete(v, "t77"); v["日"] = 77 },
		"twice":   func(v map[string]int) { v["t77"] = 78 },
	} {
		if _, err := readTokens(tokenizerJSON(change)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readTokens(strings.NewReader("{")); !errors.Is(err, ErrFormat) {
		t.Errorf("broken JSON: %v", err)
	}
}

func TestAConversionStopsWithItsContextAndReportsAFullDisk(t *testing.T) {
	t.Parallel()
	m, err := readCT2(toy())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Whisper(ctx, &bytes.Buffer{}, m, tokenizerJSON(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	full := errors.New("no space left")
	if err := Whisper(t.Context(), failing{full}, m, tokenizerJSON(nil)); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestEveryHalfSurvivesWideningAndNarrowing(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		if f := halfToFloat(uint16(h)); f == f && floatToHalf(f) != uint16(h) {
			t.Fatalf("%#x became %v became %#x", h, f, floatToHalf(f))
		}
	}
	for f, want := range map[float32]uint16{
		1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 1e-8: 0, 6e-8: 1, 5.9604645e-08: 1,
		1.00048828125: 0x3c00, 1.00146484375: 0x3c02, 1.0005: 0x3c01, // halfway goes to even, beyond it up
		6.1e-5: 0x03ff, 6.103e-5: 0x0400, float32(math.Inf(-1)): 0xfc00,
	} {
		if got := floatToHalf(f); got != want {
			t.Errorf("%v became %#x, want %#x", f, got, want)
		}
	}
}

func TestTheMelFiltersAreSlaneys(t *testing.T) {
	t.Parallel()
	hz := melCorners(82)
	for i, want := range map[int]float64{0: 0, 81: 8000} {
		if math.Abs(hz[i]-want) > 1e-9 {
			t.Errorf("corner %d is %v Hz, want %v", i, hz[i], want)
		}
	}
	if !slices.IsSorted(hz) {
		t.Error("corners fall")
	}
	_, filters, _, _ := readGGML(t, convertToy(t))
	for band := range 4 {
		sum := 0.0
		for _, v := range filters[band*fftBins : (band+1)*fftBins] {
			if v < 0 {
				t.Errorf("band %d has %v", band, v)
			}
			sum += float64(v) * sampleRate / fftSize
		}
		if math.Abs(sum-1) > 0.05 { // each triangle has area one
			t.Errorf("band %d has area %v", band, sum)
		}
	}
}
