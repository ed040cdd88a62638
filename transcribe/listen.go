package transcribe

import (
	"context"
	"fmt"
	"math"

	"vesper/transcribe/audio"
)

const (
	blockFrames = 625 // frames (20 s) per call of the speech detector
	warmFrames  = 32  // frames (1 s) before them, so that the detector's memory is warm at the seam
	floorBlocks = 3   // blocks that the noise floor is taken from: the newest and those before it
	levelTarget = -26 // dBFS to which faint sound is raised for a second look
	levelMost   = 40  // dB; more would make speech of a microphone's own noise
	levelLeast  = 6   // dB; less changes nothing
	levelReach  = 20  // frames (0.64 s) on each side that a frame's level is taken from
	secondReach = 15  // frames in which so many loud ones call for a second look, and around them in which it counts
	secondLeast = 5
)

// recording is audio that may still be arriving. *audio.PCM is one.
type recording interface {
	Read(dst []float32, at int) (int, error)
	Wait(ctx context.Context, n int) (have int, done bool, err error)
}

var _ recording = (*audio.PCM)(nil)

// block is what was found out about one stretch of the recording. The seams are at fixed places and what is found depends
// on nothing behind the block, so the result depends neither on how many slots the engine has nor on how the audio came.
type block struct {
	probs, loudness []float32
	loudFrom        float32
	samples         []float32 // with the warm frames before them
	warm            int       // how many those are
}

// measure reads a block and measures how loud each frame is and what counts as loud there. before is the loudness of the
// frames before the block.
func (r *run) measure(from, samples int, before []float32) (*block, error) {
	b := &block{warm: min(from, warmFrames)}
	var err error
	if b.samples, err = r.read(Piece{(from - b.warm) * FrameSamples, samples}); err != nil {
		return nil, err
	}
	for at := b.warm * FrameSamples; at < len(b.samples); at += FrameSamples {
		b.loudness = append(b.loudness, float32(decibel(b.samples[at:min(at+FrameSamples, len(b.samples))])))
	}
	b.probs = make([]float32, len(b.loudness))
	near := before[max(0, len(before)-(floorBlocks-1)*blockFrames):]
	b.loudFrom = loudFrom(append(append([]float32(nil), near...), b.loudness...))
	return b, nil
}

// hark asks for the probability of speech in each frame of a block. Where something stands out of the noise but is not
// taken for speech, it is raised to the level of a voice nearby and asked about again: the detector is deaf to faint voices.
func (r *run) hark(ctx context.Context, b *block) error {
	if !b.audible() {
		return nil
	}
	if err := r.speech(ctx, b, b.samples, func(int) bool { return true }); err != nil {
		return err
	}
	if asks := b.unexplained(); asks != nil {
		if raised := b.raised(); raised != nil {
			return r.speech(ctx, b, raised, func(i int) bool { return asks[i] })
		}
	}
	return nil
}

func (r *run) speech(ctx context.Context, b *block, samples []float32, counts func(frame int) bool) error {
	p, err := call(ctx, r, func(ctx context.Context) ([]float32, error) { return r.engine.Speech(ctx, samples) })
	if err != nil {
		return fmt.Errorf("find speech: %w", err)
	}
	for i := range b.probs {
		if b.loudness[i] > digitalSilence && i+b.warm < len(p) && counts(i) { // pure zeros confuse the detector
			b.probs[i] = max(b.probs[i], p[i+b.warm])
		}
	}
	return nil
}

func (b *block) audible() bool {
	for _, db := range b.loudness {
		if db > digitalSilence {
			return true
		}
	}
	return false
}

// unexplained marks the frames around sound that stands out of the noise without being speech, where there is more of it
// than a click; nil if there is none.
func (b *block) unexplained() []bool {
	var out []bool
	for i := range b.loudness {
		n := 0
		for j := i; j < min(i+secondReach, len(b.loudness)); j++ {
			if b.loudness[j] >= b.loudFrom && b.probs[j] < speechOn {
				n++
			}
		}
		if n < secondLeast {
			continue
		}
		if out == nil {
			out = make([]bool, len(b.loudness))
		}
		for j := max(0, i-secondReach); j < min(len(out), i+2*secondReach); j++ {
			out[j] = true
		}
	}
	return out
}

// raised is the block with each frame brought to the level of a voice nearby; nil if it is not faint.
func (b *block) raised() []float32 {
	gains, most := make([]float64, len(b.loudness)), 0.0
	for i := range gains {
		level := -120.0
		for _, db := range b.loudness[max(0, i-levelReach):min(len(gains), i+levelReach+1)] {
			level = max(level, float64(db))
		}
		gains[i] = max(0, min(levelMost, levelTarget-level))
		if b.loudness[i] >= b.loudFrom {
			most = max(most, gains[i])
		}
	}
	if most < levelLeast {
		return nil
	}
	out := make([]float32, len(b.samples))
	for i, x := range b.samples {
		at := float64(i)/FrameSamples - float64(b.warm) - 0.5 // between the middles of two frames
		k := min(len(gains)-1, max(0, int(math.Floor(at))))
		next := min(k+1, len(gains)-1)
		part := min(1, max(0, at-float64(k)))
		db := gains[k]*(1-part) + gains[next]*part
		out[i] = min(1, max(-1, x*float32(math.Pow(10, db/20))))
	}
	return out
}

// decibel is the level of a frame without its DC offset, in dB below full scale.
func decibel(frame []float32) float64 {
	if len(frame) == 0 {
		return -120
	}
	var sum, squares float64
	for _, s := range frame {
		sum += float64(s)
		squares += float64(s) * float64(s)
	}
	n := float64(len(frame))
	power := squares/n - (sum/n)*(sum/n)
	return 10 * math.Log10(max(power, 1e-12))
}

// read copies pieces of the recording into one slice.
func (r *run) read(pieces ...Piece) ([]float32, error) {
	n := 0
	for _, p := range pieces {
		n += p.To - p.From
	}
	out := make([]float32, n)
	at := 0
	for _, p := range pieces {
		got, err := r.pcm.Read(out[at:at+p.To-p.From], p.From)
		if err != nil {
			return nil, fmt.Errorf("read audio: %w", err)
		}
		at += got
	}
	return out[:at], nil
}
