package audio

import "math"

// floorDB stands for silence: no level below it is told apart, and none is −∞.
const floorDB = -120

// histogram counts frames of 20 ms by level in steps of 1 dB, so that the percentiles of ten hours need one kilobyte.
type histogram struct {
	count [1 - floorDB]int64
	power [1 - floorDB]float64 // sum of the mean squares in each step
	total int64
}

// add counts one frame by its mean square, full scale being 1.
func (h *histogram) add(meanSquare float64) {
	i := min(max(int(math.Round(decibels(meanSquare)))-floorDB, 0), len(h.count)-1)
	h.count[i]++
	h.power[i] += meanSquare
	h.total++
}

// percentile returns the level in dBFS below which that share of the frames lies, digital silence left out.
func (h *histogram) percentile(share float64) float64 {
	want := share * float64(h.total-h.count[0])
	var seen float64
	for i := 1; i < len(h.count); i++ {
		seen += float64(h.count[i])
		if h.count[i] > 0 && seen >= want {
			return float64(i + floorDB)
		}
	}
	return floorDB
}

// nthLoudest returns the level that n frames reach.
func (h *histogram) nthLoudest(n int64) float64 {
	n = min(n, h.total)
	for i := len(h.count) - 1; i > 0 && n > 0; i-- {
		if n -= h.count[i]; n <= 0 {
			return float64(i + floorDB)
		}
	}
	return floorDB
}

// meanAbove returns the power mean of the frames from that level on.
func (h *histogram) meanAbove(db float64) float64 {
	var power float64
	var n int64
	for i := max(1, int(math.Ceil(db))-floorDB); i < len(h.count); i++ {
		power += h.power[i]
		n += h.count[i]
	}
	return decibels(power / float64(max(1, n)))
}

// decibels converts a mean square to dBFS, where a square wave at full scale has 0.
func decibels(meanSquare float64) float64 {
	return 10 * math.Log10(math.Max(meanSquare, 1e-12))
}

const levelFrame = Rate / 50 // 20 ms

// loudness measures the samples as they are handed out.
type loudness struct {
	frames histogram
	sum    float64 // of squares in the frame under way
	n      int
	peak   int
}

func (l *loudness) add(samples []int16) {
	for _, s := range samples {
		v := int(s)
		l.peak = max(l.peak, v, -v)
		l.sum += float64(v * v)
		if l.n++; l.n == levelFrame {
			l.frame()
		}
	}
}

func (l *loudness) frame() {
	l.frames.add(l.sum / float64(l.n) / (32768 * 32768))
	l.sum, l.n = 0, 0
}

// into writes the levels. The noise is the level that the quietest tenth stays below; speech is the power mean of the frames
// that stand clear of it and within 25 dB of the loud ones, in the manner of an active speech level (ITU-T P.56) with a
// fixed margin.
func (l *loudness) into(r *Report) {
	if l.n > 0 {
		l.frame()
	}
	r.PeakDB = decibels(float64(l.peak) * float64(l.peak) / (32768 * 32768))
	r.NoiseDB = l.frames.percentile(0.10)
	loud := l.frames.percentile(0.95)
	r.SpeechLevelDB = l.frames.meanAbove(math.Min(loud, math.Max(r.NoiseDB+8, loud-25)))
}
