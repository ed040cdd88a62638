package convert

import "math"

// The mel filter bank is computed, not copied. Every product is rounded on its own (the conversions to float64 forbid
// fused multiply-add), so that all processors write the same bytes and one digest fits all.

// Whisper's analysis: 16 kHz, windows of 400 samples.
const (
	sampleRate = 16000
	fftSize    = 400
	fftBins    = fftSize/2 + 1
)

// mel writes the triangular filters on Slaney's mel scale with Slaney's area normalisation, bands × 201 float32.
func (g *ggmlWriter) mel(bands int) {
	g.ints(int64(bands), fftBins)
	hz := melCorners(bands + 2)
	for b := range bands {
		area := 2 / (hz[b+2] - hz[b])
		for k := range fftBins {
			f := float64(k) * sampleRate / fftSize
			if f >= hz[b+2] || k == fftBins-1 { // the last corner is half the sample rate, but for rounding
				g.float(0)
				continue
			}
			rise := (f - hz[b]) / (hz[b+1] - hz[b])
			fall := (hz[b+2] - f) / (hz[b+2] - hz[b+1])
			// Rounded twice, as the reference tables are.
			tri := float64(float32(math.Max(0, math.Min(rise, fall))))
			g.float(float32(float64(tri * area)))
		}
	}
}

// melCorners spaces n frequencies evenly in mel from 0 Hz to half the sample rate. The scale is linear to 1 kHz
// (15 mel), then logarithmic: 27 mel for a factor of 6.4.
func melCorners(n int) []float64 {
	const perMel, knee, kneeMel = 200.0 / 3, 1000.0, 15.0
	step := math.Log(6.4) / 27
	top := kneeMel + math.Log(sampleRate/2/knee)/step
	hz := make([]float64, n)
	for i := range hz {
		mel := float64(float64(i) * (top / float64(n-1)))
		if mel < kneeMel {
			hz[i] = float64(perMel * mel)
		} else {
			hz[i] = float64(knee * math.Exp(float64(step*(mel-kneeMel))))
		}
	}
	return hz
}
