package transcribe

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// planAll listens to the recording as it arrives and hands out the chunks as soon as they are certain. It returns the finished
// plan. Blocks are heard side by side, as many as the engine has slots, and taken in order.
func (r *run) planAll(ctx context.Context, chunk func(Chunk) error) (Plan, error) {
	heard := make(chan chan *block, max(1, r.engine.Slots()))
	split := NewSplitter(r.settings.ChunkSeconds)
	var samples int
	var chunks []Chunk
	g, ctx := errgroup.WithContext(ctx)
	take := func(cs []Chunk) error {
		for _, c := range cs {
			chunks = append(chunks, c)
			if err := chunk(c); err != nil {
				return err
			}
		}
		return nil
	}
	g.Go(func() (err error) {
		defer close(heard)
		samples, err = r.hearBlocks(ctx, g, heard)
		return err
	})
	g.Go(func() error {
		for next := range heard {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case b := <-next:
				if err := take(split.Add(b.probs, b.loudness, b.loudFrom)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return Plan{}, err
	}
	if err := take(split.End(samples)); err != nil {
		return Plan{}, err
	}
	return Plan{Samples: samples, Speech: split.Speech(), Chunks: chunks}, nil
}

// hearBlocks waits for block after block, starts listening to each, and sends what will hold the result. It returns the
// length of the recording in samples.
func (r *run) hearBlocks(ctx context.Context, g *errgroup.Group, heard chan<- chan *block) (int, error) {
	var before []float32
	for from := 0; ; from += blockFrames {
		to := (from + blockFrames) * FrameSamples
		have, done, err := r.pcm.Wait(ctx, to)
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil:
			return 0, err
		case have <= from*FrameSamples && done:
			return have, nil
		}
		b, err := r.measure(from, min(to, have), before)
		if err != nil {
			return 0, err
		}
		before = append(before[max(0, len(before)-(floorBlocks-1)*blockFrames):], b.loudness...)
		next := make(chan *block, 1)
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case heard <- next: // full while as many are under way as the engine has slots
		}
		g.Go(func() error {
			if err := r.hark(ctx, b); err != nil {
				return err
			}
			b.samples = nil
			next <- b
			return nil
		})
	}
}
