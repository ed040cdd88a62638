package audio

import "math"

const (
	hopSeconds    = 2.0 // of sound that one decision about the channels covers
	aheadSeconds  = 0.2 // that it hears of what comes next, so that the start of a word is never on the wrong side
	fadeSeconds   = 0.02
	segmentBudget = 1 << 22 // samples of all channels held at most; many channels at a high rate get a shorter hop
	minOffset     = 0.005   // constant offset that is removed; below, it is the mean of real sound
)

// mixer makes one channel of many, two seconds at a time, and measures each channel as it passes. What it gives depends
// on the samples only, never on how they are cut into calls. Memory is one segment.
type mixer struct {
	rate, hop, ahead, fade int
	channels               []*channel
	weights                []float64
	begun                  bool
	seen                   int64 // frames measured
	chosen                 map[string]int64
	pairs                  []pairSums // the first channel with each of the others
	clips                  clips
	out                    []float32
}

// channel is one input channel: the samples under way and what is known of all before.
type channel struct {
	x          []float32
	energy     []float64 // mean square of each 20 ms, without its mean
	frames     histogram
	sum        float64 // of all samples, for the offset
	offset     float64 // removed now
	peak       float64
	clipped    clipRun
	clippedNow []bool // by frame of the segment
	level      float64
	noise, snr float64
	active     []bool
}

// newMixer takes the rate and the number of channels; coarse says that samples have 8 bits, so that crests are flat anyway.
func newMixer(rate, channels int, coarse bool) *mixer {
	m := &mixer{rate: rate, chosen: map[string]int64{}}
	total := min(int((hopSeconds+aheadSeconds)*float64(rate)), segmentBudget/channels)
	m.ahead = int(float64(total) * aheadSeconds / (hopSeconds + aheadSeconds))
	frame := max(1, rate/50)
	m.hop = max(frame, (total-m.ahead)/frame*frame)
	m.fade = min(m.hop, int(fadeSeconds*float64(rate)))
	if channels == 1 {
		m.ahead = 0 // nothing to choose
	}
	for range channels {
		m.channels = append(m.channels, &channel{clipped: newClipRun(rate, coarse)})
		m.weights = append(m.weights, 1/float64(channels))
	}
	m.clips.gap = max(1, rate/2/frame)
	m.pairs = make([]pairSums, channels)
	return m
}

// push takes interleaved samples and hands finished mono samples to emit. They are valid during the call.
func (m *mixer) push(samples []float32, emit func([]float32) error) error {
	n, full := len(m.channels), m.hop+m.ahead
	for len(samples) >= n {
		frames := min(len(samples)/n, full-len(m.channels[0].x))
		for c, ch := range m.channels {
			for i := range frames {
				ch.x = append(ch.x, samples[i*n+c])
			}
		}
		samples = samples[frames*n:]
		if len(m.channels[0].x) == full {
			if err := m.segment(m.hop, emit); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush hands out what is left.
func (m *mixer) flush(emit func([]float32) error) error {
	for left := len(m.channels[0].x); left > 0; left = len(m.channels[0].x) {
		if err := m.segment(min(left, m.hop), emit); err != nil {
			return err
		}
	}
	return nil
}

// segment decides over all that is held and gives out the first n frames of it.
func (m *mixer) segment(n int, emit func([]float32) error) error {
	for _, ch := range m.channels {
		ch.measure(m.rate, n)
	}
	m.seen += int64(n)
	before := m.weights
	if len(m.channels) > 1 {
		m.weights = m.choose()
		for c := 1; c < len(m.channels); c++ {
			m.pairs[c].add(m.channels[0].x[:n], m.channels[c].x[:n])
		}
	}
	if !m.begun {
		before = m.weights
	}
	m.tally(n)
	m.out = append(m.out[:0], make([]float32, n)...)
	for c, ch := range m.channels {
		from := ch.offset
		ch.offset = ch.newOffset(m.seen, m.rate)
		if !m.begun {
			from = ch.offset
		}
		m.addChannel(ch, before[c], m.weights[c], from, n)
		ch.x = ch.x[:copy(ch.x, ch.x[n:])]
	}
	m.begun = true
	return emit(m.out)
}

// addChannel adds one channel at its weight. A new weight fades in over 20 ms, a new offset over the whole segment, so that
// neither clicks.
func (m *mixer) addChannel(ch *channel, was, is, offset float64, n int) {
	if was == 0 && is == 0 {
		return
	}
	step := (ch.offset - offset) / float64(n)
	for i, v := range ch.x[:n] {
		w := is
		if i < m.fade && was != is {
			w = was + (is-was)*float64(i+1)/float64(m.fade)
		}
		m.out[i] += float32(w * (float64(v) - offset))
		offset += step
	}
}

// measure takes the levels of what is held, and adds the first n frames to what is known of the whole recording.
func (ch *channel) measure(rate, n int) {
	frame := max(1, rate/50)
	ch.energy, ch.clippedNow = ch.energy[:0], ch.clippedNow[:0]
	for at := 0; at < len(ch.x); at += frame {
		part := ch.x[at:min(at+frame, len(ch.x))]
		var sum, squares, peak float64
		for _, s := range part {
			v := float64(s)
			sum += v
			squares += v * v
			peak = max(peak, v, -v)
		}
		mean := sum / float64(len(part))
		power := math.Max(0, squares/float64(len(part))-mean*mean)
		ch.energy = append(ch.energy, power)
		if at < n {
			ch.sum += sum
			ch.peak = math.Max(ch.peak, peak)
			ch.frames.add(power)
			ch.clippedNow = append(ch.clippedNow, ch.clipped.in(part))
		}
	}
}

// newOffset is the mean of all samples so far, once there is a second of them and it is too large to be chance.
func (ch *channel) newOffset(seen int64, rate int) float64 {
	mean := ch.sum / float64(max(1, seen))
	if seen < int64(rate) || math.Abs(mean) < minOffset {
		return 0
	}
	return mean
}
