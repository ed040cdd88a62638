package transcribe

import (
	"math"
	"slices"
)

const (
	levelSpread = 10.0 // dB that speech in one chunk may differ in level; the model passes over what is much fainter than the rest
	levelRaise  = 36.0 // dB at most
	levelIgnore = 3.0  // dB; smaller corrections are not made
)

// even raises the faint stretches of speech in a chunk towards the loud ones. The gain is even within each stretch and
// glides in the pause between two. Most chunks come back as they are.
func even(samples []float32, c Chunk) []float32 {
	gains, most := c.gains(samples)
	if most < levelIgnore {
		return samples
	}
	out := make([]float32, len(samples))
	k := 0
	for i, x := range samples {
		for k < len(c.Speech) && i >= c.inside(c.Speech[k].To) {
			k++
		}
		var db float64
		switch {
		case k == len(c.Speech):
			db = gains[k-1]
		case k == 0 || i >= c.inside(c.Speech[k].From):
			db = gains[k]
		default:
			from, to := c.inside(c.Speech[k-1].To), c.inside(c.Speech[k].From)
			part := float64(i-from) / float64(to-from)
			db = gains[k-1]*(1-part) + gains[k]*part
		}
		if db != 0 {
			x = min(1, max(-1, x*float32(math.Pow(10, db/20))))
		}
		out[i] = x
	}
	return out
}

// gains is by how many dB each stretch of speech is raised, and the largest of them.
func (c Chunk) gains(samples []float32) (gains []float64, most float64) {
	levels, loudest, voice := make([]float64, len(c.Speech)), -120.0, -120.0
	for i, s := range c.Speech {
		levels[i] = levelOf(samples[c.inside(s.From):min(len(samples), c.inside(s.To))])
		loudest = max(loudest, levels[i])
		if !s.Loud {
			voice = max(voice, levels[i])
		}
	}
	if voice > -120 {
		loudest = voice // a slammed door is not what speech is measured by
	}
	gains = make([]float64, len(levels))
	for i, level := range levels {
		if g := min(levelRaise, loudest-levelSpread-level); g >= levelIgnore {
			gains[i] = g
		}
		most = max(most, gains[i])
	}
	return gains, most
}

// levelOf is the level of a voice: the loudness that a fifth of its frames exceed.
func levelOf(samples []float32) float64 {
	var db []float64
	for at := 0; at < len(samples); at += FrameSamples {
		db = append(db, decibel(samples[at:min(len(samples), at+FrameSamples)]))
	}
	if len(db) == 0 {
		return -120
	}
	slices.Sort(db)
	return db[len(db)*4/5]
}

// inside maps a sample of the recording to the chunk; a sample in a pause that was left out becomes the seam.
func (c Chunk) inside(sample int) int {
	at := 0
	for _, p := range c.Pieces {
		if sample < p.To {
			return at + max(0, sample-p.From)
		}
		at += p.To - p.From
	}
	return at
}
