package audio

import (
	"bytes"
	"io"
	"math"
	"os"
	"runtime"
	"testing"
	"time"
)

// hours is a WAV of stereo noise without end, cut off at its length.
func hours(n float64, rate int) io.Reader {
	s := wavSpec{rate: rate, channels: 2, bits: 16, claim: new(uint32)}
	return io.MultiReader(bytes.NewReader(s.file(nil)), io.LimitReader(&repeated{b: noise(1 << 16)}, int64(n*3600*float64(rate))*4))
}

type repeated struct {
	b  []byte
	at int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.at:])
	r.at = (r.at + n) % len(r.b)
	return n, nil
}

// TestMemoryIsFlatHoweverLongTheRecording is not parallel: it looks at the heap of the whole process.
func TestMemoryIsFlatHoweverLongTheRecording(t *testing.T) {
	length := 0.2
	if h := os.Getenv("VESPER_TEST_HOURS"); h == "10" {
		length = 10
	}
	p := stream(t, hours(length, Rate), Options{MaxDuration: 11 * time.Hour, TempDir: t.TempDir()})
	var peak [2]uint64
	began := time.Now()
	for quarter := 2; quarter <= 4; quarter++ { // the first five minutes stay in memory at first
		at := int(length * 3600 * Rate * float64(quarter) / 4)
		if _, _, err := p.Wait(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak[0] = max(peak[0], m.HeapAlloc)
		peak[1] = max(peak[1], m.HeapSys)
	}
	have, done, err := p.Wait(t.Context(), math.MaxInt)
	if err != nil || !done || have != int(length*3600*Rate) {
		t.Fatalf("%d samples, done %v, %v", have, done, err)
	}
	t.Logf("%.2f h in %.1f s; live heap %d MB, taken from the system %d MB", length, time.Since(began).Seconds(), peak[0]>>20, peak[1]>>20)
	if peak[0] > 20<<20 {
		t.Errorf("%d MB live", peak[0]>>20)
	}
}
