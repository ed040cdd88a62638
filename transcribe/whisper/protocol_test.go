package whisper

import (
	"bytes"
	"errors"
	"io"
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
		if v, err := unpackFloats(payload); err == nil && len(payload) > 0 && !reflect.DeepEqual(packFloats(nil, v), payload) {
			t.Fatal("floats change on the way")
		}
	})
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"language":"en","beams":5,"mask":[1],"favour":[[1,2]],"boost":0.5,"prompt":[3]}`))
	f.Add([]byte(`{"context":{"language":"en"},"tokens":[1,2]}`))
	f.Add([]byte("{\"temperature\":1e999}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, v := range []any{&transcribe.DecodeOptions{}, &scoreRequest{}, &alignRequest{}} {
			err := unpack(b, v)
			if err != nil && !errors.Is(err, errFrame) {
				t.Fatalf("%T: %v", v, err)
			}
			if err != nil && len(b) > 12 && bytes.Contains([]byte(err.Error()), b) {
				t.Fatalf("the error quotes the request: %v", err)
			}
		}
	})
}
