package whisper

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"vesper/internal/trail"
)

// Watch is told what becomes of calls and children, for metrics. Implementations MUST NOT block and MUST be safe for
// concurrent use.
type Watch interface {
	Call(call string, took time.Duration, err error)
	Started()
	Lost(reason string) // crashed, timeout, or unavailable: it did not start
}

type unwatched struct{}

func (unwatched) Call(string, time.Duration, error) {}
func (unwatched) Started()                          {}
func (unwatched) Lost(string)                       {}

// calls are the names of requests, for people who watch.
var calls = map[kind]string{kindLoad: "load", kindSpeech: "speech", kindEncode: "encode", kindDecode: "decode", kindScore: "score", kindAlign: "align"}

// watched makes one call in a child that the caller holds, counts it and makes its span.
func (p *Pool) watched(ctx context.Context, c *process, k kind, payload []byte) (kind, []byte, error) {
	inner, end := trail.Start(ctx, "engine "+calls[k], trace.SpanKindInternal)
	began := time.Now()
	answer, body, err := c.call(inner, p.cfg.CallTimeout, k, payload)
	p.cfg.Watch.Call(calls[k], time.Since(began), err)
	end(err)
	return answer, body, err
}
