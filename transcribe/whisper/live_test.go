package whisper

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"

	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// wave is a 16-bit WAV file of samples that does not say how long it is, as a recorder sends it.
func wave(samples []float32) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\xff\xff\xff\xff")
	for _, s := range samples {
		_ = binary.Write(&b, binary.LittleEndian, int16(s*32767)) // a buffer does not fail
	}
	return b.Bytes()
}

func TestWhatIsStillBeingSpokenIsHeardMeanwhileAndComesOutTheSame(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	file := wave(slices.Concat(speech(t), speech(t), speech(t)))
	run := func(r io.Reader, onChunk func()) []byte {
		t.Helper()
		pcm, err := audio.Stream(t.Context(), r, audio.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer pcm.Close()
		if onChunk == nil {
			if _, _, err := pcm.Wait(t.Context(), 1<<30); err != nil {
				t.Fatal(err)
			}
			onChunk = func() {}
		}
		tr, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), pcm, transcribe.RunOptions{
			Settings: transcribe.Settings{ChunkSeconds: 10, Beams: 1},
			OnChunk: func(transcribe.ChunkResult) error {
				onChunk()
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		tr.EngineSeconds = 0
		b, err := json.Marshal(tr)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r, w := io.Pipe()
	heard := make(chan struct{})
	go func() {
		_, _ = w.Write(file[:len(file)*3/4])
		<-heard // the first chunk is out before the rest is spoken
		_, _ = w.Write(file[len(file)*3/4:])
		w.Close()
	}()
	var once sync.Once
	live := run(r, func() { once.Do(func() { close(heard) }) })
	if whole := run(bytes.NewReader(file), nil); !bytes.Equal(live, whole) {
		t.Errorf("as it came:\n%s\nat once:\n%s", live, whole)
	}
}
