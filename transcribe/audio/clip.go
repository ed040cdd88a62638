package audio

import "math"

const (
	clipLevel = 0.9        // below, a flat top is not looked for
	clipFlat  = 1. / 32768 // how equal the samples of a flat top are
	beyond    = 1 + 1e-4
)

// clipRun finds flat tops: neighbouring samples, near full scale and equal, for longer than the crest of a low voice takes
// (0.1 ms, and three samples at least). Sound that was coded after it was clipped has no flat tops but overshoots full scale.
type clipRun struct {
	need  int
	first float64
	n     int
}

func newClipRun(rate int, coarse bool) clipRun {
	r := clipRun{need: max(3, (rate+7999)/8000)}
	if coarse {
		r.need *= 3
	}
	return r
}

// in says whether a flat top ends or goes on in these samples.
func (r *clipRun) in(samples []float32) bool {
	found := false
	for _, s := range samples {
		v := float64(s)
		switch {
		case math.Abs(v) < clipLevel:
			r.n = 0
		case r.n > 0 && math.Abs(v-r.first) <= clipFlat:
			r.n++
		default:
			r.first, r.n = v, 1
		}
		found = found || r.n >= r.need || math.Abs(v) > beyond
	}
	return found
}

// clips counts 20 ms frames with clipping, and places: such frames with less than half a second between them.
type clips struct {
	frames, places int
	since, gap     int
}

func (c *clips) add(clipped bool) {
	switch {
	case !clipped:
		c.since++
		return
	case c.frames == 0 || c.since >= c.gap:
		c.places++
	}
	c.frames++
	c.since = 0
}
