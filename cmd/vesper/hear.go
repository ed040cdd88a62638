package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/transcribe/audio"
)

// arrivingStall is how long an arriving recording may bring nothing: longer than a listener waits, and than a queue of
// complete dictations keeps it from the engine.
const arrivingStall = 6 * time.Hour

// Hear implements pipeline.Hearer.
func (r *recogniser) Hear(ctx context.Context, body io.Reader, h pipeline.Hearing) (transcribe.Transcript, error) {
	o := transcribe.RunOptions{}
	if err := json.Unmarshal(h.Settings, &o.Settings); err != nil {
		return transcribe.Transcript{}, fault.Wrap(err, fault.Invalid, "job_settings", "The settings of the transcription cannot be read.")
	}
	for _, raw := range h.Saved {
		var c transcribe.ChunkResult
		if err := json.Unmarshal(raw, &c); err != nil {
			return transcribe.Transcript{}, fmt.Errorf("read saved chunk: %w", err)
		}
		o.Resume = append(o.Resume, c)
	}
	var total int
	o.OnPlan = func(_, all int) { total = all }
	o.OnChunk = func(c transcribe.ChunkResult) error {
		raw, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("encode chunk: %w", err)
		}
		return h.OnChunk(total, c.End, raw)
	}
	opts := r.audio
	opts.Stall = arrivingStall
	pcm, err := audio.Stream(ctx, body, opts)
	if err != nil {
		return transcribe.Transcript{}, err
	}
	given := make(chan bool, 1)
	go func() {
		_, whole, err := pcm.Wait(ctx, math.MaxInt)
		if whole = whole && err == nil; whole {
			h.OnWhole(sound{pcm})
		}
		given <- whole
	}()
	t := r.transcriber()
	var busy occupied
	t.Engine = polite{t.Engine, h.Admit, &busy} // the second model has engines of its own, and listens within a use of the first
	out, err := t.Run(ctx, pcm, o)
	if err != nil {
		err = first(pcm.Close, err) // which ends the wait, too
	}
	if !<-given && err == nil {
		err = ctx.Err()
	}
	out.EngineSeconds = busy.seconds() // not the time in which the engine was left to others
	return out, err
}

func first(closing func() error, err error) error {
	if cerr := closing(); err == nil {
		return cerr
	}
	return err
}

// polite is an engine whose slots are asked for before they are used.
type polite struct {
	transcribe.Engine
	admit func(context.Context) (release func(), err error)
	busy  *occupied
}

// use waits for a turn, and says when it is over.
func (p polite) use(ctx context.Context) (over func(), err error) {
	release, err := p.admit(ctx)
	if err != nil {
		return nil, err
	}
	p.busy.begin()
	return sync.OnceFunc(func() { p.busy.end(); release() }), nil
}

// Speech implements transcribe.Engine.
func (p polite) Speech(ctx context.Context, samples []float32) ([]float32, error) {
	over, err := p.use(ctx)
	if err != nil {
		return nil, err
	}
	defer over()
	return p.Engine.Speech(ctx, samples)
}

// Hear implements transcribe.Engine: the slot is held until the hearing is closed.
func (p polite) Hear(ctx context.Context, samples []float32) (transcribe.Hearing, error) {
	over, err := p.use(ctx)
	if err != nil {
		return nil, err
	}
	h, err := p.Engine.Hear(ctx, samples)
	if err != nil {
		over()
		return nil, err
	}
	return &politeHearing{Hearing: h, over: over}, nil
}

type politeHearing struct {
	transcribe.Hearing
	over func()
}

// Close implements transcribe.Hearing.
func (h *politeHearing) Close() {
	h.Hearing.Close()
	h.over()
}

// occupied adds up the time in which at least one use was under way.
type occupied struct {
	mu    sync.Mutex
	uses  int
	since time.Time
	sum   time.Duration
}

func (o *occupied) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.uses == 0 {
		o.since = time.Now()
	}
	o.uses++
}

func (o *occupied) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.uses--; o.uses == 0 {
		o.sum += time.Since(o.since)
	}
}

// seconds is the sum, to the millisecond.
func (o *occupied) seconds() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return float64(o.sum.Milliseconds()) / 1000
}
