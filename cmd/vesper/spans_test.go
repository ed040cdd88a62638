package main_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"vesper/internal/testkit"
)

// receiver takes spans by OTLP over HTTP, as an operator's collector would.
type receiver struct {
	url   string
	mu    sync.Mutex
	bytes bytes.Buffer
	spans []*tracev1.Span
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var in collector.ExportTraceServiceRequest
		if err != nil || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &in) != nil {
			http.Error(w, "that is no OTLP", http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bytes.Write(body)
		for _, resource := range in.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				r.spans = append(r.spans, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

// raw is all that was sent.
func (r *receiver) raw() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes.String()
}

func (r *receiver) all() []*tracev1.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*tracev1.Span(nil), r.spans...)
}

// named finds the spans of a name whose attributes hold a text.
func named(spans []*tracev1.Span, name, attribute string) (out []*tracev1.Span) {
	for _, s := range spans {
		if s.GetName() == name && (attribute == "" || strings.Contains(s.String(), attribute)) {
			out = append(out, s)
		}
	}
	return out
}

// of are the spans of one trace.
func of(spans []*tracev1.Span, trace []byte) (out []*tracev1.Span) {
	for _, s := range spans {
		if bytes.Equal(s.GetTraceId(), trace) {
			out = append(out, s)
		}
	}
	return out
}

// connect fails the test unless the dictation's way is one trace from the upload to the draft, and a second one, which
// points back to it, from the signature to the EHR.
func (r *receiver) connect(t *testing.T, dictation string) {
	t.Helper()
	var drafted, delivered []*tracev1.Span
	defer func() {
		if t.Failed() {
			names := map[string]int{}
			for _, s := range r.all() {
				names[s.GetName()]++
			}
			t.Logf("%d drafts and %d deliveries of this dictation among %v", len(drafted), len(delivered), names)
		}
	}()
	testkit.Until(t, 20*time.Second, "the spans of all stages arrive", func() bool {
		drafted, delivered = named(r.all(), "stage draft", dictation), named(r.all(), "stage deliver", dictation)
		return len(drafted) == 1 && len(delivered) == 1
	})
	first, second := of(r.all(), drafted[0].GetTraceId()), of(r.all(), delivered[0].GetTraceId())
	whole(t, "upload", first, "http POST /api/v1/dictations", "stage transcribe", "audio decode", "engine transcribe", "engine encode",
		"engine decode", "s3 PUT", "s3 GET", "sql INSERT jobs", "stage draft", "sql INSERT note_versions")
	whole(t, "signature", second, "http POST /api/v1/dictations/{id}/signature", "sql INSERT signatures", "stage deliver", "ehr POST", "ehr GET")
	points := false
	for _, s := range second {
		for _, l := range s.GetLinks() {
			points = points || bytes.Equal(l.GetTraceId(), first[0].GetTraceId())
		}
	}
	if !points {
		t.Error("the signature does not point back to the upload")
	}
}

// whole fails the test unless a trace has one root, no span whose parent is missing, and each of the names.
func whole(t *testing.T, what string, spans []*tracev1.Span, names ...string) {
	t.Helper()
	have, roots := map[string]bool{}, 0
	for _, s := range spans {
		have[hex.EncodeToString(s.GetSpanId())] = true
	}
	for _, s := range spans {
		if len(s.GetParentSpanId()) == 0 {
			roots++
		} else if !have[hex.EncodeToString(s.GetParentSpanId())] {
			t.Errorf("%s: the span %s has lost its parent", what, s.GetName())
		}
	}
	if roots != 1 {
		t.Errorf("%s: the trace has %d roots", what, roots)
	}
	for _, name := range names {
		if len(named(spans, name, "")) == 0 {
			t.Errorf("%s: the trace has no span %q", what, name)
		}
	}
}
