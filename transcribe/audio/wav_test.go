package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryKindOfPCMWaveGivesTheSameTone(t *testing.T) {
	t.Parallel()
	odd := chunk("LIST", []byte("INFOabc"))
	specs := map[string]wavSpec{
		"8 bit":            {rate: 16000, channels: 1, bits: 8},
		"16 bit":           {rate: 16000, channels: 1, bits: 16},
		"24 bit stereo":    {rate: 44100, channels: 2, bits: 24},
		"32 bit":           {rate: 48000, channels: 1, bits: 32},
		"float":            {rate: 48000, channels: 2, bits: 32, float: true},
		"extensible":       {rate: 44100, channels: 1, bits: 16, extensible: true},
		"extensible float": {rate: 22050, channels: 1, bits: 32, float: true, extensible: true},
		"telephone":        {rate: 8000, channels: 1, bits: 16},
		"odd rate":         {rate: 11025, channels: 1, bits: 16},
		"prime rate":       {rate: 47999, channels: 1, bits: 16},
		"very high rate":   {rate: 192000, channels: 1, bits: 16},
		"six channels":     {rate: 48000, channels: 6, bits: 16},
		"BWF":              {rate: 16000, channels: 1, bits: 16, before: chunk("bext", make([]byte, 602))},
		"odd chunks":       {rate: 16000, channels: 1, bits: 16, before: chunk("junk", []byte("abc")), between: odd},
		"no data size":     {rate: 16000, channels: 1, bits: 16, claim: new(uint32)},
	}
	for name, s := range specs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, _ := decodeBytes(t, "tone.wav", s.tone(1), Options{})
			if math.Abs(float64(len(x))-Rate) > 2 {
				t.Fatalf("%d samples, want %d", len(x), Rate)
			}
			if share, amp := toneFit(x, 440); share < 0.999 || math.Abs(amp-0.5) > 0.005 {
				t.Fatalf("tone has %.4f of the power at amplitude %.4f", share, amp)
			}
		})
	}
}

func TestAWaveCutShortIsReadToItsEndAndSaysSo(t *testing.T) {
	t.Parallel()
	b := wavSpec{rate: 16000, channels: 1, bits: 16}.tone(1)
	x, pcm := decodeBytes(t, "cut.wav", b[:len(b)-8001], Options{})
	if !pcm.Report().Truncated || len(x) != 16000-4001 {
		t.Fatalf("truncated %v with %d samples", pcm.Report().Truncated, len(x))
	}
}

func TestSamplesThatAreNoNumbersBecomeSilence(t *testing.T) {
	t.Parallel()
	var data []byte
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0.25} {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	x, _ := decodeBytes(t, "nan.wav", wavSpec{rate: 16000, channels: 1, bits: 32, float: true}.file(data), Options{})
	if fmt.Sprint(x) != "[0 0 0 0.25]" {
		t.Fatalf("got %v", x)
	}
}

func TestALongRecordingSpillsToAFileThatHasNoName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := bytes.Repeat([]byte{128, 255}, 8000*60*6) // 6 minutes
	x, pcm := decodeBytes(t, "long.wav", wavSpec{rate: 16000, channels: 1, bits: 8}.file(data), Options{TempDir: dir})
	if pcm.file == nil || math.Abs(pcm.Seconds()-6*60) > 0.01 || len(x) != pcm.Samples() {
		t.Fatalf("%v s, file %v", pcm.Seconds(), pcm.file)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v %v", left, err)
	}
	part := make([]float32, 7)
	if n, err := pcm.Read(part, 1_000_003); err != nil || n != 7 || part[0] != x[1_000_003] || part[6] != x[1_000_009] {
		t.Fatalf("a read in the middle differs: %v %v", part, err)
	}
}

func TestProbeReadsTheHeaderOnly(t *testing.T) {
	t.Parallel()
	path := write(t, "tone.bin", wavSpec{rate: 44100, channels: 2, bits: 24}.tone(0.5))
	info, err := Probe(t.Context(), path, Options{})
	if err != nil || info.Container != WAV || info.Codec != "pcm_24" || info.Rate != 44100 || info.Channels != 2 || info.Seconds != 0.5 {
		t.Fatalf("%+v %v", info, err)
	}
}

func TestResamplerPassesSpeechAndStopsWhatWouldFold(t *testing.T) {
	t.Parallel()
	for _, from := range []int{8000, 11025, 22050, 44100, 47999, 48000, 96000} {
		tone := func(hz float64) []float32 {
			x := make([]float32, from)
			for i := range x {
				x[i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(i)/float64(from)))
			}
			r := newResampler(from, Rate)
			out := append([]float32{}, r.push(x)...)
			return append(out, r.flush()...)
		}
		if share, amp := toneFit(tone(3000), 3000); share < 0.99999 || math.Abs(amp-0.5) > 0.001 {
			t.Errorf("%d Hz: 3 kHz passes with %.6f of the power, amplitude %.4f", from, share, amp)
		}
		if from < 22000 {
			continue
		}
		var power float64
		folded := tone(9500)
		for _, v := range folded[800 : len(folded)-800] {
			power += float64(v) * float64(v)
		}
		if db := 10 * math.Log10(power/float64(len(folded))/0.125+1e-20); db > -75 {
			t.Errorf("%d Hz: 9.5 kHz folds back at %.0f dB", from, db)
		}
	}
}

func TestResamplerDoesNotCareHowInputIsCut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([]int{8000, 44100, 47999, 48000}).Draw(t, "rate")
		x := rapid.SliceOfN(rapid.Float32Range(-1, 1), 0, 3000).Draw(t, "samples")
		whole := newResampler(from, Rate)
		want := append([]float32{}, whole.push(x)...)
		want = append(want, whole.flush()...)
		cut := newResampler(from, Rate)
		var got []float32
		for rest := x; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, 700).Draw(t, "cut"))
			got = append(got, cut.push(rest[:n])...)
			rest = rest[n:]
		}
		got = append(got, cut.flush()...)
		if len(got) != len(want) || len(got) != int((int64(len(x))*Rate+int64(from)-1)/int64(from)) {
			t.Fatalf("%d samples in pieces, %d at once, from %d", len(got), len(want), len(x))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("sample %d differs", i)
			}
		}
	})
}
