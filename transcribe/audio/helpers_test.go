package audio

import (
	"encoding/binary"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/fault"
)

// wavSpec describes a WAV file for a test to make.
type wavSpec struct {
	rate, channels, bits int
	float, extensible    bool
	before               []byte // chunks between the header and "fmt "
	between              []byte // chunks between "fmt " and "data"
	claim                *uint32
}

// tone is one second of a 440 Hz sine at half scale in every channel.
func (s wavSpec) tone(seconds float64) []byte {
	var data []byte
	for i := range int(seconds * float64(s.rate)) {
		v := 0.5 * math.Sin(2*math.Pi*440*float64(i)/float64(s.rate))
		for range s.channels {
			data = append(data, s.sample(v)...)
		}
	}
	return s.file(data)
}

func (s wavSpec) sample(v float64) []byte {
	switch {
	case s.float && s.bits == 64:
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(v))
	case s.float:
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v)))
	case s.bits == 8:
		return []byte{byte(128 + math.Round(v*127))}
	case s.bits == 16:
		return binary.LittleEndian.AppendUint16(nil, uint16(int16(math.Round(v*32767))))
	case s.bits == 24:
		return binary.LittleEndian.AppendUint32(nil, uint32(int32(math.Round(v*8388607))))[:3]
	default:
		return binary.LittleEndian.AppendUint32(nil, uint32(int32(math.Round(v*2147483647))))
	}
}

func (s wavSpec) file(data []byte) []byte {
	tag := 1
	if s.float {
		tag = 3
	}
	var f []byte
	put16 := func(v int) { f = binary.LittleEndian.AppendUint16(f, uint16(v)) }
	put32 := func(v int) { f = binary.LittleEndian.AppendUint32(f, uint32(v)) }
	size := 16
	if s.extensible {
		size = 40
		put16(0xfffe)
	} else {
		put16(tag)
	}
	put16(s.channels)
	put32(s.rate)
	put32(s.rate * s.channels * s.bits / 8)
	put16(s.channels * s.bits / 8)
	put16(s.bits)
	if s.extensible {
		put16(22)
		put16(s.bits)
		put32(0)
		put16(tag)
		f = append(f, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	}
	claim := uint32(len(data))
	if s.claim != nil {
		claim = *s.claim
	}
	out := append([]byte("RIFF\xff\xff\xff\x7fWAVE"), s.before...)
	out = append(out, "fmt "...)
	out = binary.LittleEndian.AppendUint32(out, uint32(size))
	out = append(append(out, f...), s.between...)
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, claim)
	return append(out, data...)
}

// chunk makes a RIFF chunk, padded to an even length.
func chunk(id string, body []byte) []byte {
	out := append([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...)
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// decodeBytes decodes a file with these bytes and returns its samples.
func decodeBytes(t testing.TB, name string, b []byte, o Options) ([]float32, *PCM) {
	t.Helper()
	pcm, err := Decode(t.Context(), write(t, name, b), o)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { pcm.Close() })
	return samplesOf(t, pcm), pcm
}

func samplesOf(t testing.TB, pcm *PCM) []float32 {
	t.Helper()
	out := make([]float32, pcm.Samples())
	if n, err := pcm.Read(out, 0); err != nil || n != len(out) {
		t.Fatalf("read %d of %d samples: %v", n, len(out), err)
	}
	return out
}

// ffmpegMakes returns a file made by ffmpeg with these arguments before the output.
func ffmpegMakes(t testing.TB, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-y"}, args...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg is needed for this test: %v: %s", err, out)
	}
	return path
}

// toneFit returns how much of the signal is a tone of that frequency, 0…1, and the tone's amplitude.
func toneFit(x []float32, hz float64) (share, amplitude float64) {
	x = x[len(x)/10 : len(x)-len(x)/10] // without the edges
	var c, s, all float64
	for i, v := range x {
		w := 2 * math.Pi * hz * float64(i) / Rate
		c += float64(v) * math.Cos(w)
		s += float64(v) * math.Sin(w)
		all += float64(v) * float64(v)
	}
	n := float64(len(x))
	amplitude = 2 * math.Hypot(c, s) / n
	return amplitude * amplitude / 2 * n / all, amplitude
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Code != code {
		t.Fatalf("got %v, want fault %s", err, code)
	}
	if f.Public == "" || strings.Contains(f.Public, "%!") || strings.Contains(f.Public, os.TempDir()) {
		t.Fatalf("public text %q is not fit for people", f.Public)
	}
}

var errEnd = io.EOF

func containsAll(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}
