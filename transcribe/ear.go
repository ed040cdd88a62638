package transcribe

import "context"

// ear listens to stretches of one chunk, one at a time, and keeps the last one in the engine: what is asked about it again
// costs no second listening.
type ear struct {
	engine    Engine
	context   Context
	samples   []float32
	from, end int
	hearing   Hearing
	spent     float64
}

// to makes samples[from:to] what the hearing is about.
func (e *ear) to(ctx context.Context, from, to int) error {
	if e.hearing != nil && e.from == from && e.end == to {
		return nil
	}
	e.close()
	h, err := e.engine.Hear(ctx, e.samples[from:to])
	if err != nil {
		return err
	}
	e.hearing, e.from, e.end = h, from, to
	return nil
}

// decode hears one stretch and returns the best text.
func (e *ear) decode(ctx context.Context, from, to int, o DecodeOptions) (segment, error) {
	if err := e.to(ctx, from, to); err != nil {
		return segment{}, err
	}
	o.Context = e.context
	found, err := e.hearing.Decode(ctx, o)
	if err != nil {
		return segment{}, err
	}
	return segment{from: from, to: to, Decoding: found[0], noSpeech: e.hearing.NoSpeech()}, nil
}

// try decodes the whole chunk in one go.
func (e *ear) try(ctx context.Context, o DecodeOptions) (*attempt, error) {
	s, err := e.decode(ctx, 0, len(e.samples), o)
	if err != nil {
		return nil, err
	}
	return &attempt{segments: []segment{s}}, nil
}

func (e *ear) close() {
	if e.hearing != nil {
		e.spent += e.hearing.Seconds()
		e.hearing.Close()
		e.hearing = nil
	}
}

func (e *ear) total() float64 {
	if e.hearing == nil {
		return e.spent
	}
	return e.spent + e.hearing.Seconds()
}
