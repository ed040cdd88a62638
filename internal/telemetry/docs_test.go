package telemetry_test

import (
	_ "github.com/VictoriaMetrics/metricsql"
	_ "github.com/prometheus/client_golang/prometheus/testutil/promlint"
	_ "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)
