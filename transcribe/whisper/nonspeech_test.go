package whisper

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// sounder makes sounds in which nobody speaks.
type sounder struct{ *rand.Rand }

// filled makes n seconds of f, which gets the second.
func filled(seconds float64, f func(at float64) float64) []float32 {
	x := make([]float32, int(seconds*audio.Rate))
	for i := range x {
		x[i] = float32(f(float64(i) / audio.Rate))
	}
	return x
}

func sine(hz, at float64) float64 { return math.Sin(2 * math.Pi * hz * at) }

// noise of a colour: each sample keeps so much of the one before.
func (s sounder) noise(keep, level float64) func(float64) float64 {
	last := 0.0
	return func(float64) float64 {
		last = keep*last + s.NormFloat64()
		return level * last * math.Sqrt(1-keep*keep)
	}
}

// bursts are a sound that begins anew every so many seconds and dies away.
func bursts(every, rate float64, f func(float64) float64) func(float64) float64 {
	return func(at float64) float64 { return f(at) * math.Exp(-rate*math.Mod(at, every)) }
}

// sounds without speech, by name.
func sounds() map[string][]float32 {
	s := sounder{rand.New(rand.NewPCG(1, 2))}
	notes := []float64{262, 330, 392, 349, 294, 440, 392, 523}
	keys := []float64{697, 770, 852, 941, 1209, 1336, 1477}
	ha := s.noise(0.5, 0.1)
	air := s.noise(0.9, 0.08)
	gust := s.noise(0.995, 0.4)
	crack := s.noise(0, 0.3)
	return map[string][]float32{
		"digital silence":   make([]float32, 20*audio.Rate),
		"NaN":               filled(5, func(float64) float64 { return math.NaN() }),
		"one sample":        {0.5},
		"a constant":        filled(5, func(float64) float64 { return 0.3 }),
		"mains hum":         filled(20, func(at float64) float64 { return 0.2*sine(50, at) + 0.05*sine(150, at) }),
		"white noise":       filled(20, s.noise(0, 0.05)),
		"faint white noise": filled(20, s.noise(0, 0.001)),
		"loud white noise":  filled(10, s.noise(0, 0.25)),
		"pinkish noise":     filled(20, s.noise(0.9, 0.05)),
		"brown noise":       filled(20, s.noise(0.99, 0.1)),
		"slammed doors":     filled(12, bursts(4, 8, s.noise(0.5, 0.5))),
		"clicks":            filled(8, bursts(0.7, 800, crack)),
		"keyboard":          filled(8, bursts(0.13, 90, crack)),
		"drums":             filled(8, bursts(0.5, 9, func(at float64) float64 { return 0.4*sine(80, at) + crack(at)/4 })),
		"beeps": filled(8, func(at float64) float64 {
			return 0.2 * sine(1000, at) * math.Max(0, math.Copysign(1, sine(0.8, at)-0.7))
		}),
		"dialling": filled(6, func(at float64) float64 {
			k := int(at / 0.35)
			return 0.1 * (sine(keys[k%4], at) + sine(keys[4+k%3], at)) * math.Max(0, math.Copysign(1, 0.2-math.Mod(at, 0.35)))
		}),
		"chords": filled(8, bursts(2, 1.5, func(at float64) float64 {
			root := notes[int(at/2)%len(notes)] / 2
			return 0.1 * (sine(root, at) + sine(1.26*root, at) + sine(1.5*root, at))
		})),
		"a melody": filled(8, bursts(0.5, 4, func(at float64) float64 {
			hz := notes[int(at/0.5)%len(notes)]
			return 0.15 * (sine(hz, at) + sine(2*hz, at)/2 + sine(3*hz, at)/4)
		})),
		"laughter": filled(8, func(at float64) float64 {
			ha, pitch := ha(at), 220-30*math.Mod(at, 2)
			throat := sine(pitch, at) + sine(3*pitch, at)/2 + sine(5*pitch, at)/3
			return (0.1*throat + ha) * math.Pow(math.Max(0, sine(4.5, at)), 2) * math.Max(0, math.Copysign(1, 1.3-math.Mod(at, 2)))
		}),
		"coughs":    filled(8, bursts(1.7, 16, s.noise(0.6, 0.4))),
		"breathing": filled(12, func(at float64) float64 { return air(at) * math.Max(0, sine(0.3, at)) }),
		"wind":      filled(12, func(at float64) float64 { return gust(at) * (1 + sine(0.21, at)) / 2 }),
	}
}

func TestWithoutSpeechThereAreNoWords(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	for name, x := range sounds() {
		tr, err := transcribe.Transcriber{Engine: p}.Run(t.Context(), audio.FromSamples(x), transcribe.RunOptions{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(tr.Words) > 0 || tr.Text != "" {
			t.Errorf("%s: heard %q", name, tr.Text)
		}
		for _, s := range tr.Spans {
			// The detector may take a chord for a voice; a person then listens to it. It never becomes words.
			if music := name == "chords" || name == "a melody"; s.Kind == transcribe.SpanWords || s.Kind == transcribe.SpanUnheard && !music {
				t.Errorf("%s: span %+v", name, s)
			}
		}
		if silent := name == "digital silence" || name == "NaN"; silent && len(tr.Spans) != 1 {
			t.Errorf("%s: spans %+v", name, tr.Spans)
		}
	}
}

func TestAnHourOfSilenceTakesSeconds(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	b := make([]byte, 44+3600*8000)
	copy(b, "RIFF\xff\xff\xff\x7fWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\xff\xff\xff\xff")
	for i := 44; i < len(b); i++ {
		b[i] = 128
	}
	path := filepath.Join(t.TempDir(), "silence.wav")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tr, err := transcribe.Transcriber{Engine: p}.File(t.Context(), path, transcribe.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Spans) != 1 || tr.Spans[0].Kind != transcribe.SpanSilence || tr.Spans[0].End != 3600 {
		t.Fatalf("spans %+v", tr.Spans)
	}
}
