package whisper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"vesper/internal/fault"
	"vesper/transcribe"
)

// Pool is a set of warm engine children. It implements transcribe.Engine and may be used by several goroutines. A child
// that crashes or hangs is replaced at the next call; only the call that ran in it fails.
type Pool struct {
	cfg        Config
	model, vad stamp
	vocabulary *vocabulary
	tokens     chan struct{} // one per slot that is free

	mu     sync.Mutex
	idle   []*process // nil: a slot whose child is not started; the last one used is last
	busy   map[*process]bool
	closed bool
}

// New verifies the model files and makes a pool. Children start at first use, or with Warm.
func New(ctx context.Context, cfg Config) (*Pool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, busy: map[*process]bool{}, tokens: make(chan struct{}, cfg.Children)}
	if p.model, err = verify(ctx, cfg.Model); err != nil {
		return nil, err
	}
	if p.vad, err = verify(ctx, cfg.VAD); err != nil {
		return nil, err
	}
	if err := checkHeader(cfg.Model); err != nil {
		return nil, err
	}
	if p.vocabulary, err = readVocabulary(cfg.Model.Path); err != nil {
		return nil, err
	}
	if p.cfg.weights, err = sharedMemory(); err != nil {
		cfg.Log.Warn("speech engines cannot share their weights; each loads its own", "error", err)
	}
	for range cfg.Children {
		p.idle = append(p.idle, nil)
		p.tokens <- struct{}{}
	}
	return p, nil
}

// Model names the loaded weights.
func (p *Pool) Model() transcribe.ModelFacts {
	return transcribe.ModelFacts{Name: p.cfg.Model.Name, SHA256: p.cfg.Model.SHA256}
}

// Slots is the number of children.
func (p *Pool) Slots() int { return p.cfg.Children }

// Warm starts all children now, so that the first dictation does not wait for it.
func (p *Pool) Warm(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for range p.cfg.Children {
		c, err := p.take(ctx)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		g.Go(func() error {
			c, err := p.ready(ctx, c)
			p.put(c)
			return err
		})
	}
	return g.Wait()
}

// Speech implements transcribe.Engine.
func (p *Pool) Speech(ctx context.Context, samples []float32) ([]float32, error) {
	if len(samples) == 0 {
		return nil, ctx.Err()
	}
	body, err := p.call(ctx, kindSpeech, packFloats(make([]byte, 0, 4*len(samples)), samples), kindProbs)
	if err != nil {
		return nil, err
	}
	return unpackFloats(body)
}

// Encode implements transcribe.Engine.
func (p *Pool) Encode(text string) []int { return p.vocabulary.encode(text) }

// Bytes implements transcribe.Engine.
func (p *Pool) Bytes(id int) []byte { return p.vocabulary.bytes(id) }

// Close ends all children. Calls that still run fail. Calling it twice is safe.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	for c := range p.busy {
		go c.kill()
	}
	p.mu.Unlock()
	var wg sync.WaitGroup
	for _, c := range idle {
		if c != nil {
			wg.Go(c.quit)
		}
	}
	wg.Wait()
	if p.cfg.weights != nil {
		_ = p.cfg.weights.Close() // twice is harmless
	}
	return nil
}

// call runs one request in a free child.
func (p *Pool) call(ctx context.Context, k kind, payload []byte, want kind) ([]byte, error) {
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	if c, err = p.ready(ctx, c); err != nil {
		p.put(nil)
		return nil, err
	}
	body, c, err := p.ask(ctx, c, k, payload, want)
	p.put(c)
	return body, err
}

// ask runs one request in a child that the caller holds, and returns the child if it lives on.
func (p *Pool) ask(ctx context.Context, c *process, k kind, payload []byte, want kind) ([]byte, *process, error) {
	answer, body, err := p.watched(ctx, c, k, payload)
	switch {
	case err == nil:
		body, err = p.judge(answer, body, want)
		return body, c, err
	case errors.Is(err, errStopped):
		return nil, c, ctx.Err()
	}
	c.kill()
	said := c.said.String()
	p.forget(c)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.cfg.Watch.Lost("timeout")
		p.cfg.Log.Warn("speech engine hung and was restarted", "limit", p.cfg.CallTimeout)
		return nil, nil, fault.Wrap(err, fault.Unavailable, "engine_timeout",
			"The speech engine did not answer in time and was restarted. It will be tried again.")
	default:
		p.cfg.Watch.Lost("crashed")
		p.cfg.Log.Warn("speech engine crashed and was restarted", "error", err, "bytes_on_stderr", len(said))
		return nil, nil, errCrashed(fmt.Errorf("%w; it said %q", err, said))
	}
}

func (p *Pool) judge(answer kind, body []byte, want kind) ([]byte, error) {
	if answer == want {
		return body, nil
	}
	var e childError
	if answer != kindError || json.Unmarshal(body, &e) != nil {
		return nil, errCrashed(fmt.Errorf("%w: answer %q", errFrame, answer))
	}
	switch e.Code {
	case "language":
		return nil, fault.Wrap(errLanguage, fault.Invalid, "language_unknown",
			"The speech model does not know this language. Use a two-letter code such as en, or auto.")
	case "input":
		return nil, fmt.Errorf("engine: %w: %s", errInput, e.Text)
	default:
		return nil, fault.Wrap(errors.New(e.Text), fault.Internal, "engine_failed",
			"The speech engine could not read this part of the recording. It will be tried again.")
	}
}

func errCrashed(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "engine_crashed", "The speech engine stopped and was restarted. It will be tried again.")
}

// take waits for a free slot and returns its child, nil if none runs in it.
func (p *Pool) take(ctx context.Context) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.tokens:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.tokens <- struct{}{}
		return nil, fault.New(fault.Unavailable, "engine_closed", "The speech engine is shutting down. It will be tried again.")
	}
	c := p.idle[len(p.idle)-1] // the one used last: its memory is warm
	p.idle = p.idle[:len(p.idle)-1]
	if c != nil {
		p.busy[c] = true
	}
	return c, nil
}

// ready starts a child where none is alive.
func (p *Pool) ready(ctx context.Context, c *process) (*process, error) {
	if c != nil && c.alive() {
		return c, nil
	}
	if c != nil {
		c.kill()
		p.forget(c)
	}
	if err := errors.Join(unchanged(ctx, p.cfg.Model, p.model), unchanged(ctx, p.cfg.VAD, p.vad)); err != nil {
		return nil, err
	}
	c, err := startProcess(ctx, p.cfg)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.cfg.Watch.Lost("unavailable")
		return nil, fault.Wrap(err, fault.Unavailable, "engine_unavailable",
			"The speech engine does not start. Run vesper doctor; it will be tried again.")
	}
	p.cfg.Watch.Started()
	p.mu.Lock()
	p.busy[c] = true
	p.mu.Unlock()
	return c, nil
}

func (p *Pool) forget(c *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, c)
}

// put frees a slot; c is its child, or nil. Starting may have put an unstarted slot in front of running ones, so idle
// children stay last.
func (p *Pool) put(c *process) {
	p.mu.Lock()
	closed := p.closed
	if c != nil {
		delete(p.busy, c)
	}
	if !closed {
		if c == nil {
			p.idle = append([]*process{nil}, p.idle...)
		} else {
			p.idle = append(p.idle, c)
		}
	}
	p.mu.Unlock()
	if closed && c != nil {
		c.kill()
	}
	p.tokens <- struct{}{}
}
