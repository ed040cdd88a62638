package audio

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func textOf(r Report, code string) string {
	for _, w := range r.Warnings {
		if w.Code == code {
			return w.Text
		}
	}
	return ""
}

func TestLevelsAreThoseOfTheSound(t *testing.T) {
	t.Parallel()
	_, r := scene(t, voice(400, 0.5, 0.001, 0, heard))
	want := 10 * math.Log10(0.5*0.5/2)
	if math.Abs(r.SpeechLevelDB-want) > 0.5 || math.Abs(r.NoiseDB+60) > 1 || math.Abs(r.PeakDB+6) > 0.2 || len(r.Warnings) > 0 {
		t.Errorf("want speech %.1f, noise −60, peak −6: %+v", want, r)
	}
}

func TestClippingIsCountedByPlaces(t *testing.T) {
	t.Parallel()
	x := voice(400, 0.5, 0.001, 0, heard)
	for _, at := range []int{1, 4, 9} { // three bursts too loud
		for i := at * Rate; i < at*Rate+Rate/2; i++ {
			x[i] = max(-1, min(1, 4*x[i]))
		}
	}
	_, r := scene(t, x)
	if math.Abs(r.ClippedSeconds-3*0.4) > 0.1 ||
		textOf(r, WarnClipped) != "The recording is clipped in 3 places; it was recorded too loud." {
		t.Errorf("%+v", r)
	}
}

func TestARecordingClippedThroughoutSaysHowMuchOfIt(t *testing.T) {
	t.Parallel()
	x := voice(400, 0.5, 0.001, 0, heard)
	for i := range x {
		x[i] = max(-1, min(1, 4*x[i]))
	}
	_, r := scene(t, x)
	if textOf(r, WarnClipped) != "The recording is clipped through 5 of its 12 seconds; it was recorded too loud." || r.PeakDB > 0 {
		t.Errorf("%+v", r)
	}
}

func TestLoudSoundThatIsNotClippedIsNotCalledSo(t *testing.T) {
	t.Parallel()
	for _, s := range []wavSpec{
		{rate: 8000, channels: 1, bits: 8},
		{rate: 8000, channels: 1, bits: 16},
		{rate: 48000, channels: 1, bits: 16},
		{rate: 192000, channels: 1, bits: 24},
	} {
		for _, hz := range []float64{100, 440} {
			var data []byte
			for i := range 2 * s.rate {
				data = append(data, s.sample(0.999*math.Sin(2*math.Pi*hz*float64(i)/float64(s.rate)))...)
			}
			if _, pcm := decodeBytes(t, "loud.wav", s.file(data), Options{}); pcm.Report().Has(WarnClipped) {
				t.Errorf("%d Hz at %d bits, %g Hz: %+v", s.rate, s.bits, hz, pcm.Report())
			}
		}
	}
}

func TestACutRecordingSaysHowMuchIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Replace(sine, "=2:", "=30:", 1)
	args := []string{"-f", "lavfi", "-i", long}
	coded := map[string][]string{
		"a.m4a": {"-c:a", "aac", "-movflags", "+faststart"}, "a.webm": {"-c:a", "libopus"}, "a.flac": {}, "stereo.mp3": {"-ac", "2"},
		"mono.mp3": {}, "a.ogg": {"-c:a", "libopus"}, "live.webm": {"-c:a", "libopus", "-live", "1"},
	}
	for name, how := range coded {
		args = append(append(append(args, "-ar", "16000"), how...), filepath.Join(dir, name))
	}
	ffmpegMakes(t, "last.wav", args...)
	files := map[string][]byte{"a.wav": wavSpec{rate: 16000, channels: 1, bits: 16}.tone(30)}
	for name := range coded {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	for name, b := range files {
		b = b[:len(b)*2/3+1]
		_, pcm := decodeBytes(t, name, b, Options{})
		r := pcm.Report()
		text, want := textOf(r, WarnTruncated), "The recording is cut off: the file says 0:30, "
		if name == "a.ogg" || name == "live.webm" { // these never say how long they are
			want = "The recording is cut off: it breaks off in the middle of its data, "
		}
		if !r.Truncated || r.Seconds < 16 || r.Seconds > 22 || !strings.HasPrefix(text, want) || !strings.HasSuffix(text, " arrived.") {
			t.Errorf("%s: %+v", name, r)
		}
		sameFromStream(t, b, pcm)
	}
}

func TestAnAdpcmWaveCutShortSaysSo(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(ffmpegMakes(t, "a.wav", "-f", "lavfi", "-i", strings.Replace(sine, "=2:", "=20:", 1), "-c:a", "adpcm_ms"))
	if err != nil {
		t.Fatal(err)
	}
	_, pcm := decodeBytes(t, "a.wav", b[:len(b)/2], Options{})
	if r := pcm.Report(); !r.Truncated || math.Abs(r.Claimed-20) > 0.5 || math.Abs(r.Seconds-10) > 0.5 {
		t.Errorf("%+v", r)
	}
}

func TestARecordingWithoutLengthSaysSo(t *testing.T) {
	t.Parallel()
	for _, claim := range []uint32{0, math.MaxUint32, 1<<31 - 1, 1<<31 - 1<<12} {
		_, pcm := decodeBytes(t, "a.wav", wavSpec{rate: 16000, channels: 1, bits: 16, claim: &claim}.tone(1), Options{})
		if r := pcm.Report(); r.Truncated || !r.Has(WarnUnfinished) || pcm.Samples() != Rate {
			t.Errorf("claim %#x: %d samples, %+v", claim, pcm.Samples(), r)
		}
	}
	empty := append(wavSpec{rate: 16000, channels: 1, bits: 16}.file(nil), chunk("LIST", []byte("INFOabcd"))...)
	_, err := Decode(t.Context(), write(t, "empty.wav", empty), Options{})
	wantCode(t, err, CodeEmpty)
}

func TestChunksAroundTheSamplesAreNoSound(t *testing.T) {
	t.Parallel()
	s := wavSpec{rate: 16000, channels: 1, bits: 16, before: chunk("bext", make([]byte, 603)), between: chunk("LIST", make([]byte, 70001))}
	b := append(s.tone(1), chunk("LIST", []byte("INFOabcd"))...)
	_, pcm := decodeBytes(t, "a.wav", b, Options{})
	if pcm.Samples() != Rate || len(pcm.Report().Warnings) > 0 {
		t.Errorf("%d samples, %+v", pcm.Samples(), pcm.Report())
	}
	sameFromStream(t, b, pcm)
}

func TestOneSampleIsARecordingAndNoSampleIsNone(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{4000, 16000, 192000} {
		s := wavSpec{rate: rate, channels: 2, bits: 16}
		_, pcm := decodeBytes(t, "one.wav", s.file(make([]byte, 4)), Options{})
		if want := (Rate + rate - 1) / rate; pcm.Samples() != want {
			t.Errorf("%d Hz: %d samples, want %d", rate, pcm.Samples(), want)
		}
		_, err := Decode(t.Context(), write(t, "none.wav", s.file(make([]byte, 3))), Options{})
		wantCode(t, err, CodeEmpty)
	}
}

func TestDamagedSamplesAreReported(t *testing.T) {
	t.Parallel()
	data := wavSpec{rate: 16000, channels: 1, bits: 64, float: true}.tone(1)
	binary.LittleEndian.PutUint64(data[len(data)-800:], math.Float64bits(math.Inf(1)))
	x, pcm := decodeBytes(t, "inf.wav", data, Options{})
	if x[len(x)-100] != 0 || !pcm.Report().Has(WarnDamaged) {
		t.Errorf("%v %+v", x[len(x)-100], pcm.Report())
	}
}

func TestSilenceAndTelephoneQualityAreSaid(t *testing.T) {
	t.Parallel()
	_, pcm := decodeBytes(t, "a.wav", wavSpec{rate: 8000, channels: 1, bits: 16}.file(make([]byte, 80000)), Options{})
	if r := pcm.Report(); !r.Has(WarnSilent) || !r.Has(WarnNarrowBand) || len(r.Warnings) != 2 || r.PeakDB != floorDB {
		t.Errorf("%+v", r)
	}
}

func TestADamagedFLACIsReported(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(ffmpegMakes(t, "a.flac", "-f", "lavfi", "-i", "anoisesrc=r=16000:a=0.3:d=20"))
	if err != nil {
		t.Fatal(err)
	}
	copy(b[len(b)/2:], make([]byte, 3000))
	_, pcm := decodeBytes(t, "a.flac", b, Options{})
	if r := pcm.Report(); !r.Has(WarnDamaged) || pcm.Seconds() < 15 {
		t.Errorf("%+v", r)
	}
}

func TestAWholeRecordingInMemoryIsReportedToo(t *testing.T) {
	t.Parallel()
	r := FromSamples(voice(400, 0.5, 0.001, 0, heard)).Report()
	if r.Seconds != heard || r.Used != UsedMono || math.Abs(r.PeakDB+6) > 0.2 || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
}
