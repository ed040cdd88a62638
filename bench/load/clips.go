package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// clips makes recordings that sound alike and are different bytes: an MP3 of the test dictations behind a tag with a number.
// The same bytes would be the same dictation.
type clips struct {
	sound  []byte
	number atomic.Uint64
	seed   uint64
}

func newClips(dictations string, seed uint64) (*clips, error) {
	sound, err := os.ReadFile(filepath.Join(dictations, "cardiology-consult", "audio.mp3"))
	return &clips{sound: sound, seed: seed}, err
}

// next is one recording of two minutes.
func (c *clips) next() []byte {
	text := fmt.Appendf(nil, "\x00load %d %d", c.seed, c.number.Add(1)) // encoding byte, then the text of the frame
	var b bytes.Buffer
	b.WriteString("ID3\x03\x00\x00")
	b.Write(syncsafe(10 + len(text)))
	b.WriteString("TIT2")
	_ = binary.Write(&b, binary.BigEndian, uint32(len(text))) //nolint:gosec // a few dozen bytes
	b.Write([]byte{0, 0})
	b.Write(text)
	b.Write(c.sound)
	return b.Bytes()
}

// file writes one recording into a folder.
func (c *clips) file(dir string) (string, error) {
	f, err := os.CreateTemp(dir, "clip-*.mp3")
	if err != nil {
		return "", err
	}
	_, err = f.Write(c.next())
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return f.Name(), err
}

// syncsafe is a size as ID3 writes it: seven bits in each byte.
func syncsafe(n int) []byte {
	return []byte{byte(n >> 21 & 127), byte(n >> 14 & 127), byte(n >> 7 & 127), byte(n & 127)}
}

// wavHeader is the header of so many samples of 16 kHz mono 16-bit sound.
func wavHeader(samples int) []byte {
	h := make([]byte, 0, 44)
	size := uint32(2 * samples) //nolint:gosec // the replayed recordings are minutes long
	h = append(h, "RIFF"...)
	h = binary.LittleEndian.AppendUint32(h, 36+size)
	h = append(h, "WAVEfmt "...)
	for _, v := range []uint32{16, 1<<16 | 1, 16000, 32000, 16<<16 | 2} {
		h = binary.LittleEndian.AppendUint32(h, v)
	}
	h = append(h, "data"...)
	return binary.LittleEndian.AppendUint32(h, size)
}
