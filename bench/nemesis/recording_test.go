package nemesis_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os/exec"
	"testing"
)

const (
	rate   = 16000
	spoken = "../../testdata/dictations/cardiology-consult/audio.mp3"
)

// recording is what a physician keeps until it is received.
type recording struct {
	key, sha256 string
	wav         []byte
}

// speech is a dictation of testdata as 16 kHz samples, from which short recordings are cut.
func speech(t *testing.T) []byte {
	t.Helper()
	pcm, err := exec.Command("ffmpeg", "-v", "error", "-i", spoken, "-ac", "1", "-ar", "16000", "-f", "s16le", "-").Output()
	if err != nil || len(pcm) < 2*20*rate {
		t.Fatalf("decode %s: %d bytes, %v", spoken, len(pcm), err)
	}
	return pcm
}

// record cuts a recording of a few seconds out of pcm. The first sample is a count, so that no two are the same bytes.
func record(pcm []byte, key string, start, length, count int) recording {
	start, length = start&^1, length&^1
	body := bytes.Clone(pcm[start : start+length])
	binary.LittleEndian.PutUint16(body, uint16(count))
	var out bytes.Buffer
	header := []any{
		[]byte("RIFF"), uint32(36 + len(body)), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16),
		[]byte("data"), uint32(len(body)),
	}
	for _, field := range header {
		_ = binary.Write(&out, binary.LittleEndian, field) // to memory
	}
	out.Write(body)
	sum := sha256.Sum256(out.Bytes())
	return recording{key: key, sha256: hex.EncodeToString(sum[:]), wav: out.Bytes()}
}
