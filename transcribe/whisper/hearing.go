package whisper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"vesper/transcribe"
)

// hearing is one child that holds one stretch of audio.
type hearing struct {
	pool     *Pool
	child    *process // nil after it died, and after Close
	closed   bool
	noSpeech float64
	seconds  float64
}

var errGone = errors.New("the engine that held this audio is gone")

// Hear implements transcribe.Engine.
func (p *Pool) Hear(ctx context.Context, samples []float32) (transcribe.Hearing, error) {
	if len(samples) == 0 || len(samples) > longest {
		return nil, fmt.Errorf("hear: %w: %d samples", errInput, len(samples))
	}
	c, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	if c, err = p.ready(ctx, c); err != nil {
		p.put(nil)
		return nil, err
	}
	h := &hearing{pool: p, child: c}
	a, err := h.ask(ctx, kindEncode, packFloats(make([]byte, 0, 4*len(samples)), samples))
	if err != nil {
		h.Close()
		return nil, err
	}
	h.noSpeech = a.NoSpeech
	return h, nil
}

// NoSpeech implements transcribe.Hearing.
func (h *hearing) NoSpeech() float64 { return h.noSpeech }

// Seconds implements transcribe.Hearing.
func (h *hearing) Seconds() float64 { return h.seconds }

// Decode implements transcribe.Hearing.
func (h *hearing) Decode(ctx context.Context, o transcribe.DecodeOptions) ([]transcribe.Decoding, error) {
	a, err := h.ask(ctx, kindDecode, o)
	if err != nil {
		return nil, err
	}
	out := make([]transcribe.Decoding, 0, len(a.Heard))
	for _, t := range a.Heard {
		if len(t.LogP) != len(t.Tokens) {
			return nil, errCrashed(errFrame)
		}
		d := transcribe.Decoding{Score: t.Score, Ended: t.Ended, Tokens: make([]transcribe.Token, len(t.Tokens))}
		for i, id := range t.Tokens {
			d.Tokens[i] = transcribe.Token{ID: int(id), Text: h.pool.Bytes(int(id)), LogP: float64(t.LogP[i]), End: -1}
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, errCrashed(errFrame)
	}
	return out, nil
}

// Score implements transcribe.Hearing.
func (h *hearing) Score(ctx context.Context, c transcribe.Context, base []int, edits []transcribe.Edit) (transcribe.Scores, error) {
	a, err := h.ask(ctx, kindScore, scoreRequest{c, base, edits})
	if err != nil {
		return transcribe.Scores{}, err
	}
	if len(a.Base) != len(base) || len(a.Edits) != len(edits) {
		return transcribe.Scores{}, errCrashed(errFrame)
	}
	out := transcribe.Scores{Base: widen(a.Base), Edits: make([][]float64, len(edits))}
	if len(a.Rivals) != len(base) {
		return transcribe.Scores{}, errCrashed(errFrame)
	}
	for _, rivals := range a.Rivals {
		var at []transcribe.Rival
		for _, t := range rivals {
			at = append(at, transcribe.Rival{ID: int(t.Token), LogP: float64(t.LogP)})
		}
		out.Rivals = append(out.Rivals, at)
	}
	for i, logps := range a.Edits {
		if len(logps) != len(edits[i].Tokens) {
			return transcribe.Scores{}, errCrashed(errFrame)
		}
		out.Edits[i] = widen(logps)
	}
	return out, nil
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// Align implements transcribe.Hearing.
func (h *hearing) Align(ctx context.Context, c transcribe.Context, tokens []int) ([]float64, error) {
	if len(tokens) == 0 {
		return nil, ctx.Err()
	}
	a, err := h.ask(ctx, kindAlign, alignRequest{c, tokens})
	if err != nil {
		return nil, err
	}
	if len(a.Ends) != len(tokens) {
		return nil, errCrashed(errFrame)
	}
	out := make([]float64, len(a.Ends))
	for i, v := range a.Ends {
		out[i] = float64(v) / 100
	}
	return out, nil
}

// Close implements transcribe.Hearing.
func (h *hearing) Close() {
	if !h.closed {
		h.closed = true
		h.pool.put(h.child)
		h.child = nil
	}
}

func (h *hearing) ask(ctx context.Context, k kind, request any) (a answered, err error) {
	if h.child == nil {
		return a, errCrashed(errGone)
	}
	payload, raw := request.([]byte)
	if !raw {
		if payload, err = json.Marshal(request); err != nil {
			return a, fmt.Errorf("pack request: %w", err)
		}
	}
	body, c, err := h.pool.ask(ctx, h.child, k, payload, kindAnswer)
	h.child = c
	if err != nil {
		return a, err
	}
	if json.Unmarshal(body, &a) != nil {
		return a, errCrashed(errFrame)
	}
	if !math.IsNaN(a.Seconds) {
		h.seconds += a.Seconds
	}
	return a, nil
}
