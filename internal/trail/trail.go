// Package trail lets each room say which steps of a dictation's way it takes, as OpenTelemetry spans. A span's provider
// comes along in the context, so there is no global state: where nobody traces, every call does nothing. Names are routes,
// stages, operations and tables; attributes are ids, codes, counts and sizes. No text of a person or a patient, no address
// and no statement's values belong into a span.
package trail

import (
	"context"
	"errors"
	"regexp"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/fault"
)

// scope names what makes the spans.
const scope = "vesper"

// Start begins a span under the one in ctx, or does nothing where ctx has none. The caller must call the end.
func Start(ctx context.Context, name string, kind trace.SpanKind, attrs ...attribute.KeyValue) (context.Context, func(error)) {
	parent := trace.SpanFromContext(ctx)
	if !parent.SpanContext().IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := parent.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...)) //nolint:spancheck // the caller ends it
	return ctx, func(err error) { End(span, err) }                                                                                //nolint:spancheck // as above
}

// Root begins a span with a provider: a request, or a stage of a job. parent is what an earlier step left (Parent), which
// the span then continues; "" begins a new trace. A nil provider traces nothing.
func Root(ctx context.Context, provider trace.TracerProvider, name, parent string, kind trace.SpanKind, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	if provider == nil {
		return ctx, trace.SpanFromContext(ctx)
	}
	if before := parse(parent); before.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, before)
	}
	return provider.Tracer(scope).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attrs...)) //nolint:spancheck // the caller ends it
}

// End closes a span with the code of what went wrong, never its text: causes may quote what was worked on.
func End(span trace.Span, err error) {
	if err != nil && span.IsRecording() {
		code := Code(err)
		span.SetAttributes(attribute.String("error.type", code))
		span.SetStatus(codes.Error, code)
	}
	span.End()
}

// Code is the stable name of an error, and "canceled" for what nobody waits for any more.
func Code(err error) string {
	if errors.Is(err, context.Canceled) {
		return "canceled"
	}
	return fault.As(err).Code
}

// Parent is the W3C traceparent of the span in ctx, to be kept beside work that goes on later; "" where nobody traces.
func Parent(ctx context.Context) string {
	s := trace.SpanContextFromContext(ctx)
	if !s.IsValid() || !s.IsSampled() {
		return ""
	}
	return "00-" + s.TraceID().String() + "-" + s.SpanID().String() + "-" + s.TraceFlags().String()
}

// Link points the span in ctx back to a trace that an earlier step left, unless it is the same trace.
func Link(ctx context.Context, parent string) {
	span, before := trace.SpanFromContext(ctx), parse(parent)
	if before.IsValid() && span.IsRecording() && before.TraceID() != span.SpanContext().TraceID() {
		span.AddLink(trace.Link{SpanContext: before})
	}
}

// Tracing says whether the span in ctx is kept: what only traces need may be left out otherwise.
func Tracing(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }

// ID is the trace that ctx belongs to, for the log; "" where nobody traces.
func ID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() && s.IsSampled() {
		return s.TraceID().String()
	}
	return ""
}

var form = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$`)

// parse reads what Parent wrote. What it cannot read is no parent.
func parse(parent string) trace.SpanContext {
	m := form.FindStringSubmatch(parent)
	if m == nil {
		return trace.SpanContext{}
	}
	id, err := trace.TraceIDFromHex(m[1])
	span, err2 := trace.SpanIDFromHex(m[2])
	if err != nil || err2 != nil {
		return trace.SpanContext{}
	}
	var flags trace.TraceFlags
	if m[3][1]&1 == 1 {
		flags = trace.FlagsSampled
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: flags, Remote: true})
}
