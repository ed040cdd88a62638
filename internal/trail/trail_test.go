package trail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/fault"
	"vesper/internal/trail"
)

func tracing(t *testing.T) (trace.TracerProvider, *tracetest.SpanRecorder) {
	t.Helper()
	r := tracetest.NewSpanRecorder()
	p := sdk.NewTracerProvider(sdk.WithSpanProcessor(r))
	t.Cleanup(func() { _ = p.Shutdown(context.WithoutCancel(t.Context())) })
	return p, r
}

func TestALaterStepContinuesWhatAnEarlierOneLeft(t *testing.T) {
	t.Parallel()
	provider, r := tracing(t)
	ctx, upload := trail.Root(context.Background(), provider, "upload", "", trace.SpanKindServer)
	left := trail.Parent(ctx)
	trail.End(upload, nil)
	ctx, stage := trail.Root(context.Background(), provider, "stage", left, trace.SpanKindConsumer)
	inner, end := trail.Start(ctx, "engine", trace.SpanKindInternal)
	trail.Link(inner, left) // the same trace: nothing to point at
	end(nil)
	trail.End(stage, nil)
	_, signing := trail.Root(context.Background(), provider, "sign", "", trace.SpanKindServer)
	trail.Link(trace.ContextWithSpan(context.Background(), signing), left)
	trail.End(signing, nil)

	spans := r.Ended()
	if len(spans) != 4 {
		t.Fatalf("%d spans", len(spans))
	}
	up, engine, staged, sign := spans[0], spans[1], spans[2], spans[3]
	if staged.Parent().SpanID() != up.SpanContext().SpanID() || engine.Parent().SpanID() != staged.SpanContext().SpanID() || trail.ID(ctx) != up.SpanContext().TraceID().String() {
		t.Error("the trace is torn")
	}
	if len(engine.Links()) != 0 || len(sign.Links()) != 1 || sign.Links()[0].SpanContext.TraceID() != up.SpanContext().TraceID() || sign.Parent().IsValid() {
		t.Error("links do not point where they should")
	}
}

func TestWithoutAProviderNothingHappens(t *testing.T) {
	t.Parallel()
	ctx, span := trail.Root(context.Background(), nil, "upload", "", trace.SpanKindServer)
	ctx, end := trail.Start(ctx, "engine", trace.SpanKindInternal)
	end(errors.New("x"))
	trail.Link(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if trail.Parent(ctx) != "" || trail.ID(ctx) != "" || trail.Tracing(ctx) || span.IsRecording() {
		t.Error("something is traced")
	}
}

func TestASpanTellsTheCodeOfAFailureAndNotItsWords(t *testing.T) {
	t.Parallel()
	provider, r := tracing(t)
	for _, err := range []error{
		fault.Wrap(errors.New("Quillfeather"), fault.Invalid, "audio_empty", "Quillfeather"), fmt.Errorf("Quillfeather: %w", context.Canceled), errors.New("Quillfeather"),
	} {
		_, span := trail.Root(context.Background(), provider, "stage", "nonsense", trace.SpanKindConsumer)
		trail.End(span, err)
	}
	want := []string{"audio_empty", "canceled", "internal"}
	for i, s := range r.Ended() {
		if s.Status().Code != codes.Error || s.Status().Description != want[i] || len(s.Attributes()) != 1 || s.Attributes()[0].Value.AsString() != want[i] || len(s.Events()) != 0 {
			t.Errorf("span %d says %+v %+v", i, s.Status(), s.Attributes())
		}
	}
}
