package telemetry

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"vesper/internal/trail"
)

// transport counts and traces exchanges with one outside service. Addresses stay out: paths hold keys and identifiers.
type transport struct {
	next    http.RoundTripper
	name    string
	seconds *prometheus.HistogramVec
}

// EHR counts and traces what goes to the EHR through next.
func (m *Metrics) EHR(next http.RoundTripper) http.RoundTripper {
	return transport{next, "ehr", m.ehrSeconds}
}

// ObjectStore counts and traces what goes to the object store through next.
func (m *Metrics) ObjectStore(next http.RoundTripper) http.RoundTripper {
	return transport{next, "s3", m.storeSeconds}
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, end := trail.Start(r.Context(), t.name+" "+r.Method, trace.SpanKindClient, attribute.String("http.request.method", r.Method))
	began := time.Now()
	res, err := t.next.RoundTrip(r.WithContext(ctx))
	outcome := "error"
	if err == nil {
		outcome = fmt.Sprintf("%dxx", res.StatusCode/100)
		if ctx != r.Context() { // the span is ours
			trace.SpanFromContext(ctx).SetAttributes(attribute.Int("http.response.status_code", res.StatusCode))
		}
	}
	t.seconds.WithLabelValues(r.Method, outcome).Observe(time.Since(began).Seconds())
	end(err)
	return res, err
}
