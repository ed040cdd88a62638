package convert

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"testing"
)

// safetensorsFile builds a file with the shapes of Silero VAD; change may spoil its table of contents.
func safetensorsFile(t testing.TB, change func(vars map[string]safetensor)) []byte {
	t.Helper()
	vars := map[string]safetensor{}
	var data []byte
	for _, x := range sileroTensors() {
		elems := int64(1)
		for _, d := range x.shape {
			elems *= d
		}
		from := int64(len(data))
		for range elems {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(len(vars))))
		}
		vars[x.from] = safetensor{"F32", x.shape, [2]int64{from, int64(len(data))}}
	}
	if change != nil {
		change(vars)
	}
	head, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...), data...)
}

func silero(b []byte) ([]byte, error) {
	var out bytes.Buffer
	err := Silero(&out, bytes.NewReader(b), int64(len(b)), [3]int64{6, 2, 3})
	return out.Bytes(), err
}

func TestTheDetectorsHeaderAndSizeAreThoseOfThePublishedLayout(t *testing.T) {
	t.Parallel()
	got, err := silero(safetensorsFile(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 885_098 {
		t.Errorf("%d bytes, want 885,098", len(got))
	}
	want := []byte("lmgg\x0a\x00\x00\x00silero-16k\x06\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x00\x02\x00\x00\x40\x00\x00\x00\x04\x00\x00\x00\x81\x00\x00\x00")
	if !bytes.HasPrefix(got, want) {
		t.Errorf("begins with %q", got[:len(want)])
	}
}

func TestADetectorWithMisshapenPartsIsRefused(t *testing.T) {
	t.Parallel()
	spoil := func(f func(*safetensor)) func(map[string]safetensor) {
		return func(vars map[string]safetensor) { v := vars["conv2.weight"]; f(&v); vars["conv2.weight"] = v }
	}
	for name, change := range map[string]func(map[string]safetensor){
		"missing":      func(vars map[string]safetensor) { delete(vars, "conv2.weight") },
		"other type":   spoil(func(v *safetensor) { v.DType = "F16" }),
		"other shape":  spoil(func(v *safetensor) { v.Shape = []int64{64, 128, 4} }),
		"before start": spoil(func(v *safetensor) { v.Offsets[0], v.Offsets[1] = -v.Offsets[1], 0 }),
		"past the end": spoil(func(v *safetensor) { v.Offsets[0] += 1 << 40; v.Offsets[1] += 1 << 40 }),
		"wrong length": spoil(func(v *safetensor) { v.Offsets[1]-- }),
	} {
		if _, err := silero(safetensorsFile(t, change)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := safetensorsFile(t, nil)
	for _, n := range []int{0, 7, 8, 100, len(whole) - 1} {
		if _, err := silero(whole[:n]); err == nil {
			t.Errorf("cut at %d: no error", n)
		}
	}
}

func FuzzSilero(f *testing.F) {
	f.Add(safetensorsFile(f, nil)[:2000])
	f.Add(append(binary.LittleEndian.AppendUint64(nil, 40), []byte(`{"conv1.weight":{"data_offsets":[-1,1]}}`)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := silero(b); err == nil && len(out) != 885_098 {
			t.Errorf("made %d bytes without an error", len(out))
		}
	})
}
