package transcribe

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"
)

const (
	listenFrames = 3750 // frames (120 s) per call of the speech detector
	warmFrames   = 32   // frames (1 s) before them, so that the detector's memory is warm at the seam
)

// listen asks for the probability of speech in every frame and measures its loudness. The seams are at fixed places, so the
// result does not depend on how many slots the engine has.
func (r *run) listen(ctx context.Context) (probs, loudness []float32, err error) {
	n := (r.pcm.Samples() + FrameSamples - 1) / FrameSamples
	probs, loudness = make([]float32, n), make([]float32, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, r.engine.Slots()))
	for from := 0; from < n; from += listenFrames {
		to := min(n, from+listenFrames)
		g.Go(func() error { return r.listenTo(ctx, from, to, probs, loudness) })
	}
	return probs, loudness, g.Wait()
}

func (r *run) listenTo(ctx context.Context, from, to int, probs, loudness []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	first := max(0, from-warmFrames)
	samples, err := r.read(Piece{first * FrameSamples, min(to*FrameSamples, r.pcm.Samples())})
	if err != nil {
		return err
	}
	loudest := digitalSilence
	for i := from; i < to; i++ {
		at := (i - first) * FrameSamples
		loudness[i] = float32(decibel(samples[at:min(at+FrameSamples, len(samples))]))
		loudest = max(loudest, float64(loudness[i]))
	}
	if loudest <= digitalSilence {
		return nil
	}
	p, err := call(ctx, r, func(ctx context.Context) ([]float32, error) { return r.engine.Speech(ctx, samples) })
	if err != nil {
		return fmt.Errorf("find speech: %w", err)
	}
	for i := from; i < to && i-first < len(p); i++ {
		if loudness[i] > digitalSilence { // pure zeros confuse the detector
			probs[i] = p[i-first]
		}
	}
	return nil
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
