package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/internal/telemetry"
	"vesper/pipeline"
	"vesper/pipeline/tasks"
)

// sick is a pulse in which everything is wrong.
func sick() pipeline.Pulse {
	return pipeline.Pulse{Counts: []pipeline.Count{
		{Measure: pipeline.PulseQueue, A: "draft", B: "routine", Value: 2},
		{Measure: pipeline.PulseQueueDue, A: "draft", B: "routine", Value: 1},
		{Measure: pipeline.PulseQueue, A: "transcribe", B: "stat", Value: 4},
		{Measure: pipeline.PulseQueueDue, A: "transcribe", B: "stat", Value: 4},
		{Measure: pipeline.PulseQueueAge, A: "transcribe", B: "stat", Value: 200},
		{Measure: pipeline.PulseDead, A: "deliver", B: "ehr_refused", Value: 2},
		{Measure: pipeline.PulseUnattended, Value: 1},
		{Measure: pipeline.PulseDeliveries, A: "rejected", Value: 1},
		{Measure: pipeline.PulseAuditLag, Value: 90},
		{Measure: pipeline.PulseDead, A: "transcribe", B: pipeline.CodeQuarantined, Value: 1},
		{Measure: pipeline.PulseFindings, A: "object_missing", Value: 2},
		{Measure: pipeline.PulseMessages, A: "dead", Value: 1},
		{Measure: pipeline.PulseSpeed, Value: 4},
		{Measure: pipeline.PulseWait, Value: 240},
		{Measure: pipeline.PulseTurnaround, A: "stat", B: "over", Value: 3},
		{Measure: pipeline.PulseTurnaround, A: "stat", B: "waiting", Value: 2},
		{Measure: pipeline.PulseOpen, A: "in_review", B: "stat", Value: 3},
	}}
}

func sickReport() report {
	r := report{At: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC), Services: []serviceHealth{{"PostgreSQL", true, "version 15", ""}, {"Redis", false, "it cannot be reached", "Start Redis."}}}
	r.fill(sick(), []pipeline.RunningJob{{Kind: pipeline.TranscribeJob, Priority: pipeline.Stat, Attempt: 2, Worker: "box", LeaseLeft: -5 * time.Second}})
	r.DiskFree = 1 << 30
	return r
}

func TestWhatNeedsAPersonIsSaid(t *testing.T) {
	t.Parallel()
	r := sickReport()
	r.judge(nil, nil, true)
	all := strings.Join(r.Needs, "\n")
	for _, want := range []string{
		"Start Redis.", "No worker is running; 5 jobs", "deliver stopped for 2 dictations (ehr_refused)", "refused 1 signed note", "1 dictation without", "1m30s behind", "1.1 GB",
		"transcribe broke down each time for 1 dictation", "found 2 things", "1 message could not be sent",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said in:\n%s", want, all)
		}
	}
	r.Needs, r.Load.Workers = nil, 1
	r.judge(nil, nil, true)
	if all := strings.Join(r.Needs, "\n"); !strings.Contains(all, "No worker has an engine yet; 5 jobs") {
		t.Errorf("a worker without an engine is not told of in:\n%s", all)
	}
	var well report
	well.fill(pipeline.Pulse{Counts: []pipeline.Count{{Measure: pipeline.PulseWorkers, Value: 1}, {Measure: pipeline.PulseSlots, Value: 2}}}, nil)
	well.judge(nil, nil, false)
	if len(well.Needs) != 0 {
		t.Errorf("of nothing it says %v", well.Needs)
	}
	well.judge(fault.New(fault.Unavailable, "database_unavailable", "x"), errors.New("x"), false)
	if len(well.Needs) != 1 || !strings.Contains(well.Needs[0], "database_unavailable") {
		t.Errorf("without a database it says %v", well.Needs)
	}
}

func TestAStartIsNoLackOfWorkers(t *testing.T) {
	t.Parallel()
	r := report{Starting: true, DiskFree: 1 << 40}
	r.judge(nil, nil, true)
	if text := (view{}).text(r); len(r.Needs) > 0 || !strings.Contains(text, "Starting: no worker has reported yet.") || strings.Contains(text, "Nothing needs a person") {
		t.Errorf("right after the start it needs %v and says\n%s", r.Needs, text)
	}
	r.Load.Workers, r.Load.Slots = 1, 1
	r.judge(nil, nil, true)
	if text := (view{}).text(r); !strings.Contains(text, "Nothing needs a person") {
		t.Errorf("with a worker it says\n%s", text)
	}
	r.Starting, r.Load.Workers = false, 0
	r.judge(nil, nil, true)
	if len(r.Needs) != 1 || !strings.Contains(r.Needs[0], "No worker is running") {
		t.Errorf("later it needs %v", r.Needs)
	}
}

func TestStatIsShownFirstAndTheWaitIsToldFromWhatWasMeasured(t *testing.T) {
	t.Parallel()
	m := telemetry.New("test")
	m.Stage(pipeline.StageRun{Kind: pipeline.TranscribeJob, Priority: pipeline.Stat, Outcome: "done", Code: "ok", Took: 60 * time.Second})
	m.Stage(pipeline.StageRun{Kind: pipeline.DraftJob, Priority: pipeline.Stat, Outcome: "done", Code: "ok", Took: 120 * time.Second})
	m.Transcribed(90*time.Second, 30*time.Second)
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	scraped := telemetry.Scraped{}
	for _, f := range families {
		scraped[f.GetName()] = f
	}
	r := sickReport()
	r.Workers = []tasks.Seen{{Host: "box", Slots: 2}}
	r.measure(scraped)
	if len(r.Queue) != 2 || r.Queue[0].Priority != "stat" || r.Queue[0].Expected != 120 || r.Queue[1].Expected != 180 || r.Engine.Speed != 3 {
		t.Errorf("queue %+v engine %+v", r.Queue, r.Engine)
	}
	text := view{}.text(r)
	for _, want := range []string{"about 2 min", "each 4.0 × real time", "1 recording at 3.0 × since the start", "one more routine recording waits about 4 min", "2 object missing", "1 dead", "3 late, 2 with the physician", "25 s ago, lost", "3 in review", "Redis BAD"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not shown in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\033") {
		t.Error("colours outside of a terminal")
	}
}

func TestALiveReportFitsTheScreenAndGoesOverTheOneBefore(t *testing.T) {
	t.Parallel()
	r := sickReport()
	r.judge(nil, nil, true)
	screen := view{colour: true, width: 40, height: 12}.over(r)
	if !strings.HasPrefix(screen, "\033[H") || !strings.HasSuffix(screen, "\033[J") || strings.Contains(screen, "\033[2J") {
		t.Errorf("the screen is wiped: %q", screen)
	}
	lines := strings.Split(strings.TrimSuffix(screen, "\033[J"), "\r\n")
	if len(lines) != 12 { // eleven, and the empty rest
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines[:len(lines)-1] {
		plain := line
		for _, code := range []string{"\033[H", "\033[K", "\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"} {
			plain = strings.ReplaceAll(plain, code, "")
		}
		if len([]rune(plain)) > 40 {
			t.Errorf("a line of %d: %q", len([]rune(plain)), plain)
		}
		if strings.Count(line, "\033[3")+strings.Count(line, "\033[1m")+strings.Count(line, "\033[2m") != strings.Count(line, "\033[0m") {
			t.Errorf("a colour runs out of its line: %q", line)
		}
	}
}

func TestStatusNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	c := statusCmd{Data: t.TempDir()}
	if _, err := c.open(&runtime{ctx: t.Context(), out: io.Discard, errOut: io.Discard}); fault.As(err).Code != "not_running" {
		t.Errorf("%v", err)
	}
	if colourful(nil) || colourful(os.Stdin) && os.Getenv("NO_COLOR") != "" {
		t.Error("colours where none are wanted")
	}
}
