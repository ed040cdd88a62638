package audio

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math"
	"testing"
)

func waveSeeds(f *testing.F) {
	f.Add(wavSpec{rate: 16000, channels: 1, bits: 16}.tone(0.01))
	f.Add(wavSpec{rate: 44100, channels: 2, bits: 24, extensible: true}.tone(0.01))
	f.Add(wavSpec{rate: 4000, channels: 3, bits: 32, float: true}.tone(0.01))
	f.Add(wavSpec{rate: 8000, channels: 2, bits: 64, float: true}.tone(0.01))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVELIST\xff\xff\xff\x7fdata"))
	f.Add([]byte("RF64\xff\xff\xff\xffWAVEds64\x1c\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Add([]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x40\x00\x00\xb8\x0b\x00\x00\x00\x00\x00\x00\x01\x20\x00data\x00\x00\x00\x00a"))
}

// FuzzWaveIsNeverTrusted decodes any bytes that call themselves a WAV: no panic, no more samples than bytes allow, and the
// same from a stream.
func FuzzWaveIsNeverTrusted(f *testing.F) {
	waveSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(b), headBytes)
		if c, err := sniff(r); err != nil || c != WAV {
			return
		}
		h, err := readWAVHeader(r)
		if err != nil || !h.plain() {
			return
		}
		if h.dataAt > int64(len(b)) || h.dataAt < 12 {
			t.Fatalf("samples at %d of %d", h.dataAt, len(b))
		}
		data := int64(len(b)) - h.dataAt
		if h.claim >= 0 {
			data = min(data, h.claim)
		}
		p := newPCM(Options{}.withDefaults())
		d := newDecoding(p.opts, p, source{r: bytes.NewReader(b), size: -1}, func() {})
		err = d.run(context.Background(), context.Background())
		frames := data / int64(h.blockAlign)
		if want := (frames*Rate + int64(h.rate) - 1) / int64(h.rate); int64(p.Samples()) != want || (err == nil) != (want > 0) {
			t.Fatalf("%d samples, want %d from %+v: %v", p.Samples(), want, h, err)
		}
		rep := p.Report()
		for _, v := range []float64{rep.PeakDB, rep.SpeechLevelDB, rep.NoiseDB, rep.DC, rep.Claimed, rep.Seconds} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("not a number in %+v", rep)
			}
		}
	})
}

// FuzzSniffNamesOrRefuses gives the same answer however slowly the bytes come, and never a container without a demuxer.
func FuzzSniffNamesOrRefuses(f *testing.F) {
	waveSeeds(f)
	for _, s := range signatures {
		f.Add(append(make([]byte, s.at), s.magic+"and so on"...))
	}
	f.Add([]byte("ID3\x03\x00\x00\x00\x00\x00\x02xx\xff\xfb\x90\x00"))
	f.Add([]byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := sniff(bufio.NewReaderSize(bytes.NewReader(b), headBytes))
		slow, serr := sniff(bufio.NewReaderSize(&ragged{b: b}, headBytes))
		if c != slow || (err == nil) != (serr == nil) {
			t.Fatalf("%q %v, slowly %q %v", c, err, slow, serr)
		}
		if err == nil && formats[c].demuxer == "" {
			t.Fatalf("no demuxer for %q", c)
		}
		mp3Claim(b)
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{&oggPages{r: &ragged{b: b}}}); err != nil {
			t.Fatal(err)
		}
		if err == nil && c == MP4 {
			indexFirst(bufio.NewReaderSize(bytes.NewReader(b), headBytes))
		}
	})
}

// FuzzDecoderTalk feeds any text as what ffmpeg prints.
func FuzzDecoderTalk(f *testing.F) {
	f.Add("[info]   Duration: 00:00:02.00, start: 0\n[info]   Stream #0:0(und): Audio: aac (LC)\n[error] x", 3)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var whole, pieces sayings
		_, _ = whole.Write([]byte(text))
		at := min(max(cut, 0), len(text))
		_, _ = pieces.Write([]byte(text[:at]))
		_, _ = pieces.Write([]byte(text[at:]))
		if whole.codec != pieces.codec || whole.seconds != pieces.seconds || whole.complaints.String() != pieces.complaints.String() {
			t.Fatal("depends on how the text is cut")
		}
		if whole.complaints.Len() > keptSaying {
			t.Fatalf("%d bytes kept", whole.complaints.Len())
		}
	})
}
