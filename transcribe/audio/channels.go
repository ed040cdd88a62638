package audio

import (
	"fmt"
	"math"
)

// The rule that makes one channel of several, for each two seconds:
//
//  1. A channel without sound (below −70 dBFS, or 30 dB below the loudest) is left out. Sound is what 0.1 s reach, so that
//     a click is none.
//  2. The best channel is the one whose sound stands highest above its own noise. The one in use keeps its place unless
//     another is better by 3 dB.
//  3. A copy of the best channel adds nothing and is left out.
//  4. Each other channel is added, unless it is steady noise well below the best (12 dB), or the same sound less clear: 6 dB
//     less clear, its loudness following the best's, and without 0.1 s of sound where the best has none. What might be another
//     speaker is never left out.
//  5. A channel in opposite phase would cancel the best: it is left out, or, if it has sound of its own, added inverted.
//
// Where nothing sounds, the choice before stands.
const (
	soundFrames  = 5   // of 20 ms
	quietest     = -70 // dBFS
	belowLoudest = 30.0
	keepsPlace   = 3.0
	asClear      = 6.0
	activeMargin = 10.0 // above the channel's own noise
	activeRange  = 25.0 // below its own level
	copyPower    = 1e-4 // power of the difference, as a share: −40 dB
	opposite     = -0.2 // correlation
	follows      = 0.7  // correlation of the levels of the frames
	muchQuieter  = 12.0
)

func (m *mixer) choose() []float64 {
	loudest := math.Inf(-1)
	for _, ch := range m.channels {
		ch.appraise()
		loudest = math.Max(loudest, ch.level)
	}
	if loudest < quietest {
		return m.weights
	}
	live := func(ch *channel) bool { return ch.level >= quietest && ch.level >= loudest-belowLoudest }
	best := m.best(live)
	signs, n := make([]float64, len(m.channels)), 0.0
	for c, ch := range m.channels {
		switch {
		case c == best:
			signs[c] = 1
		case live(ch):
			signs[c] = contribution(m.channels[best], ch)
		}
		n += math.Abs(signs[c])
	}
	for c := range signs {
		signs[c] /= n
	}
	return signs
}

func (m *mixer) best(live func(*channel) bool) int {
	best := -1
	for c, ch := range m.channels {
		switch {
		case !live(ch):
		case best < 0 || ch.snr+m.bonus(c) > m.channels[best].snr+m.bonus(best)+0.5: // equals: the first
			best = c
		}
	}
	return best
}

func (m *mixer) bonus(c int) float64 {
	if m.begun && m.weights[c] == 1 {
		return keepsPlace
	}
	return 0
}

// appraise finds the channel's level, noise and active frames in what is held.
func (ch *channel) appraise() {
	var now histogram
	for _, e := range ch.energy {
		now.add(e)
	}
	ch.level = now.nthLoudest(soundFrames)
	ch.noise = math.Max(ch.frames.percentile(0.10), -90)
	ch.snr = ch.level - ch.noise
	ch.active = ch.active[:0]
	for _, e := range ch.energy {
		db := decibels(e)
		ch.active = append(ch.active, db >= ch.noise+activeMargin && db >= ch.level-activeRange && db >= quietest)
	}
}

// contribution is 1, −1 or 0: how the channel goes into the mix beside the best one.
func contribution(best, ch *channel) float64 {
	var s pairSums
	s.add(best.x, ch.x)
	if s.copies() {
		return 0
	}
	against := s.correlation() <= opposite
	switch adds := ch.adds(best); {
	case against && adds:
		return -1
	case against, !ch.sounds() && ch.level < best.level-muchQuieter:
		return 0
	case !adds && ch.snr < best.snr-asClear && ch.follows(best):
		return 0
	default:
		return 1
	}
}

// sounds says whether anything stands out of the channel's own noise.
func (ch *channel) sounds() bool {
	n := 0
	for _, a := range ch.active {
		if a {
			n++
		}
	}
	return n >= soundFrames
}

// follows says whether the channel is loud when the other is: the same voice by another way. Two people who speak at once
// have each their own rhythm.
func (ch *channel) follows(other *channel) bool {
	var s pairSums
	mine, theirs := make([]float32, len(ch.energy)), make([]float32, len(ch.energy))
	for i, e := range ch.energy {
		mine[i] = float32(math.Max(decibels(e), ch.noise))
		theirs[i] = float32(math.Max(decibels(other.energy[i]), other.level-activeRange))
	}
	s.add(mine, theirs)
	return s.correlation() >= follows
}

// adds says whether this channel has sound where the other has none, the same sound arriving 40 ms apart aside.
func (ch *channel) adds(other *channel) bool {
	own := 0
	for i, a := range ch.active {
		if !a {
			continue
		}
		alone := true
		for k := max(0, i-2); k <= min(i+2, len(other.active)-1); k++ {
			alone = alone && !other.active[k]
		}
		if alone {
			own++
		}
	}
	return own >= soundFrames
}

// tally notes which choice the sounding frames of the segment were given, and where what was used is clipped.
func (m *mixer) tally(n int) {
	name := m.choice()
	frames := len(m.channels[0].clippedNow)
	for i := range frames {
		clipped, sounds := false, false
		for c, ch := range m.channels {
			if m.weights[c] == 0 {
				continue
			}
			clipped = clipped || ch.clippedNow[i]
			sounds = sounds || decibels(ch.energy[i]) >= quietest
		}
		m.clips.add(clipped)
		if sounds {
			m.chosen[name]++
		}
	}
	if len(m.chosen) == 0 && n > 0 { // nothing sounded yet: the name still has to be known
		m.chosen[name] = 0
	}
}

// choice names the weights in use.
func (m *mixer) choice() string {
	if len(m.channels) == 1 {
		return UsedMono
	}
	only := -1
	for c, w := range m.weights {
		switch {
		case w == 0:
		case only >= 0:
			return UsedMix
		default:
			only = c
		}
	}
	switch only {
	case 0:
		return UsedLeft
	case 1:
		return UsedRight
	default:
		return fmt.Sprintf("channel %d", only+1)
	}
}
