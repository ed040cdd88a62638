package whisper

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"vesper/transcribe"
)

func TestFramesComeThroughWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var pipe bytes.Buffer
		frames := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 0, 5).Draw(t, "frames")
		for i, f := range frames {
			if err := writeFrame(&pipe, kind(i), f); err != nil {
				t.Fatal(err)
			}
		}
		for i, f := range frames {
			k, got, err := readFrame(&pipe)
			if err != nil || k != kind(i) || !bytes.Equal(got, f) {
				t.Fatalf("frame %d: %v %v %v", i, k, got, err)
			}
		}
		if _, _, err := readFrame(&pipe); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last: %v", err)
		}
	})
}

func TestDecodeRequestsComeThroughWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOf(rapid.Float32()).Draw(t, "samples")
		o := transcribe.DecodeOptions{Language: "en", Prompt: rapid.String().Draw(t, "prompt"), Temperature: 0.2, Timestamps: true}
		b, err := packDecode(samples, o)
		if err != nil {
			t.Fatal(err)
		}
		got, opts, err := unpackDecode(b)
		if err != nil || opts != o || len(got) != len(samples) {
			t.Fatalf("%v %+v", err, opts)
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(samples[i]) {
				t.Fatalf("sample %d", i)
			}
		}
	})
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00C"))
	f.Add([]byte("\xff\xff\xff\xffD"))
	f.Add([]byte("\x0b\x00\x00\x00D\x02\x00\x00\x00{}\x00\x00\x80\x3f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, payload, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := writeFrame(&again, k, payload); err != nil || !bytes.HasPrefix(b, again.Bytes()) {
			t.Fatalf("%q becomes %q, %v", b, again.Bytes(), err)
		}
		if samples, o, err := unpackDecode(payload); err == nil {
			packed, err := packDecode(samples, o)
			if err != nil {
				t.Fatal(err)
			}
			samples2, o2, err := unpackDecode(packed)
			if err != nil || o2 != o || len(samples2) != len(samples) {
				t.Fatalf("options %+v become %+v, %v", o, o2, err)
			}
		}
		if v, err := unpackFloats(payload); err == nil && len(payload) > 0 && !reflect.DeepEqual(packFloats(nil, v), payload) {
			t.Fatal("floats change on the way")
		}
	})
}
