package telemetry

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/fault"
)

// Traces sends spans to the receiver that the standard variables name (OTEL_EXPORTER_OTLP_ENDPOINT and its kin), by OTLP
// over HTTP. Without a receiver, or with OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none, it returns a nil provider:
// then nothing is traced and nothing is paid. The caller must call stop, which sends what is left.
func Traces(ctx context.Context, version string, log *slog.Logger) (provider trace.TracerProvider, stop func(context.Context) error, err error) {
	if !wanted(os.Getenv) {
		return nil, func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "otel_config", "Traces cannot be sent. Check the OTEL_ variables.")
	}
	// What the SDK could find out about process and host is not asked for: command lines may hold passwords.
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "vesper"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "otel_config", "Traces cannot be sent. Check OTEL_RESOURCE_ATTRIBUTES.")
	}
	otel.SetErrorHandler(newSeldom(log)) // the library offers a package variable only
	p := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return p, p.Shutdown, nil
}

// wanted reads the standard's switches.
func wanted(env func(string) string) bool {
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") || strings.EqualFold(env("OTEL_TRACES_EXPORTER"), "none") {
		return false
	}
	return env("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// seldom logs that spans are lost, once a minute at most: a receiver that is away must not fill the log.
type seldom struct {
	log  *slog.Logger
	mu   sync.Mutex
	last time.Time
}

func newSeldom(log *slog.Logger) *seldom { return &seldom{log: log} }

// Handle implements otel.ErrorHandler.
func (s *seldom) Handle(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.last) < time.Minute {
		return
	}
	s.last = time.Now()
	s.log.Warn("traces are not sent", "err", err)
}
