package telemetry_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"vesper/internal/telemetry"
	"vesper/internal/trail"
)

func TestTheMetricsKeepToPrometheusWays(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(busy(t, &source{}).Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "vesper_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestWhatHappenedIsCounted(t *testing.T) {
	t.Parallel()
	text := scrape(t, busy(t, &source{}))
	for _, line := range []string{
		`vesper_stage_runs_total{code="ok",kind="transcribe",outcome="done",priority="stat"} 1`,
		`vesper_stage_runs_total{code="ehr_busy",kind="deliver",outcome="failed",priority="routine"} 1`,
		`vesper_stage_attempts_sum{kind="transcribe"} 2`,
		`vesper_keeper_failures_total{round="sequence"} 1`,
		`vesper_keeper_failures_total{round="escalate"} 1`,
		`vesper_keeper_failures_total{round="purge"} 0`,
		`vesper_keeper_failures_total{round="other"} 1`,
		`vesper_http_requests_total{method="POST",route="/api/v1/dictations",status="201"} 1`,
		`vesper_http_requests_total{method="other",route="none",status="405"} 1`,
		`vesper_uploads_total{code="audio_empty"} 1`,
		`vesper_engine_speed_ratio_sum 3`,
		`vesper_engine_failures_total{reason="other"} 1`,
		`vesper_engine_failures_total{reason="timeout"} 0`,
		`vesper_ehr_request_seconds_count{method="GET",outcome="2xx"} 1`,
		`vesper_object_store_request_seconds_count{method="GET",outcome="error"} 1`,
		`vesper_relay_rings_total{outcome="failed"} 1`,
		`vesper_jobs_requeued_total 2`,
		`vesper_job_retries_total{code="ehr_busy"} 1`,
		`vesper_turnaround_used_ratio_sum{priority="stat"} 0.5`,
		`vesper_queue_jobs{kind="transcribe",priority="stat"} 3`,
		`vesper_turnaround_open{priority="stat",used="0-50"} 2`,
		`vesper_dead_jobs{code="other",kind="draft"} 1`,
		`vesper_pulse_up 1`,
		`vesper_workers 4`,
		`vesper_engine_slots 4`,
		`vesper_engine_slot_speed_ratio 4`,
		`vesper_queue_expected_wait_seconds 4`,
		`vesper_recording_findings{kind="object_missing"} 2`,
		`vesper_purges_waiting{reason="object_locked"} 1`,
		`vesper_messages_unsent{state="dead"} 3`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if strings.Contains(text, canary) {
		t.Error("a person's word came into a label")
	}
}

func TestLabelsDoNotGrowWithoutEnd(t *testing.T) {
	t.Parallel()
	m := telemetry.New("test")
	for i := range 10_000 {
		m.Lost(fmt.Sprintf("reason_%d", i))
	}
	if n := strings.Count(scrape(t, m), "vesper_engine_failures_total{"); n > 70 {
		t.Errorf("%d series", n)
	}
}

func TestTheDatabaseIsAskedNowAndThenAndMayBeAway(t *testing.T) {
	t.Parallel()
	s := &source{}
	m := telemetry.New("test")
	m.Watch(s)
	scrape(t, m)
	scrape(t, m)
	if n := s.asked.Load(); n != 1 {
		t.Errorf("two scrapes at once asked the database %d times", n)
	}
	away := &source{}
	away.fails.Store(true)
	m = telemetry.New("test")
	m.Watch(away)
	if text := scrape(t, m); !strings.Contains(text, "vesper_pulse_up 0\n") || strings.Contains(text, "vesper_queue_jobs") {
		t.Error("without the database old or no numbers are shown as new")
	}
}

func TestOnlyTheMetricsAreServedThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	m := busy(t, nil)
	go func() { done <- m.Serve(ctx, ln, slog.New(slog.DiscardHandler)) }()
	read, err := telemetry.Scrape(ctx, "http://"+ln.Addr().String()+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if n := read.Total("vesper_stage_runs_total", "kind", "deliver", "outcome", "failed"); n != 1 {
		t.Errorf("%g failed deliveries were read", n)
	}
	if mean := read.Mean("vesper_stage_seconds", "kind", "transcribe"); mean != 3 {
		t.Errorf("a mean of %g seconds was read", mean)
	}
	if _, err := telemetry.Scrape(ctx, "http://"+ln.Addr().String()+"/debug/pprof/"); err == nil {
		t.Error("something else is served as well")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLinesNameTheirRequestAndWithholdWords(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(telemetry.Log(slog.NewJSONHandler(&out, nil)))
	ctx := trail.WithRequest(context.Background(), "r-1")
	log.InfoContext(ctx, "stage", "job", 7, slog.Group("about", "patient", canary, "Text", canary))
	log.With("password", canary).WithGroup("x").InfoContext(ctx, "again", "request", "r-2", "filename", canary)
	if text := out.String(); strings.Contains(text, canary) || strings.Count(text, "withheld") != 4 ||
		strings.Count(text, `"request":"r-1"`) != 1 || strings.Count(text, `"request":"r-2"`) != 1 || !strings.Contains(text, `"job":7`) {
		t.Errorf("logged: %s", text)
	}
}

func TestOfAFailureOnlyItsCodeIsShown(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	busy(t, nil).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered with %d", w.Code)
	}
	if !slices.Contains(telemetry.Rounds, "reap") {
		t.Error("rounds have no names")
	}
}
