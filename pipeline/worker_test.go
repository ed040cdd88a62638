package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
	"vesper/transcribe"
)

func TestADictationIsTranscribedDraftedAndCanBeHeard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.submit()
	bells := w.bells()
	if len(bells) != 1 {
		t.Fatalf("%d doorbells", len(bells))
	}
	w.must(w.worker.Do(ctx, bells[0])) // one doorbell is enough for both stages
	w.wantState(id, pipeline.Drafted)
	d := w.detail(id)
	if d.Version == nil || d.Version.Kind != pipeline.EngineDraft || d.Version.ContentHash != notes.ContentHash(d.Version.Document) || d.Transcript == nil {
		t.Fatalf("detail %+v", d)
	}
	if plan, _ := d.Version.Document.Section("plan"); !strings.Contains(plan.Text(), "twice daily for 10 days") {
		t.Errorf("the plan reads %q", plan.Text())
	}
	r, a, err := w.svc.OpenAudio(ctx, w.as("editor"), id, pipeline.Playback)
	w.must(err)
	defer r.Close()
	raw, err := io.ReadAll(r)
	w.must(err)
	if a.Rendition != pipeline.Playback || !bytes.HasPrefix(raw, []byte("RIFF")) || a.Seconds < 0.2 {
		t.Errorf("playback %+v holds %q", a, raw)
	}
	for _, j := range w.jobs(id) {
		if j.State != pipeline.JobDone || j.Attempt != 1 {
			t.Errorf("job %+v", j)
		}
	}
	w.must(w.worker.Do(ctx, bells[0])) // a doubled doorbell
	if runs, _ := w.engine.history(); runs != 1 {
		t.Errorf("the engine ran %d times", runs)
	}
	left, err := os.ReadDir(w.worker.TempDir)
	w.must(err)
	if len(left) != 0 {
		t.Errorf("%d files are left beside the worker", len(left))
	}
}

func TestBeforeThereIsAPlaybackTheOriginalIsHeard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r, a, err := w.svc.OpenAudio(context.Background(), w.as("physician"), w.submit(), "whatever")
	w.must(err)
	defer r.Close()
	if a.Rendition != pipeline.Original {
		t.Errorf("opened %s", a.Rendition)
	}
}

func TestUnusableRecordingsGoBackToTheirAuthorWithTheReason(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.svc.Prober = unsure{}
	id := w.submit(func(s *pipeline.Submission) {
		s.Body = strings.NewReader("This is a text that calls itself a recording.")
	})
	w.drain()
	if d := w.dictation(id); d.State != pipeline.Rejected || d.Reason == "" {
		t.Errorf("%s, %q", d.State, d.Reason)
	}
	if j := w.jobs(id); len(j) != 1 || j[0].State != pipeline.JobDead || j[0].Attempt != 1 {
		t.Errorf("jobs %+v", j)
	}
	w.engine.edit(func(t *transcribe.Transcript) {
		t.Words, t.Text, t.Spans = nil, "", []transcribe.Span{{Start: 0, End: 0.25, Kind: transcribe.SpanSilence}}
	})
	silent := w.submit()
	w.drain()
	if d := w.dictation(silent); d.State != pipeline.Rejected || !strings.Contains(d.Reason, "No speech") {
		t.Errorf("%s, %q", d.State, d.Reason)
	}
	// Speech that nobody could make out is not silence: a person must listen.
	w.engine.edit(func(t *transcribe.Transcript) {
		t.Spans = []transcribe.Span{{Start: 0, End: 0.25, Kind: transcribe.SpanUnheard}}
	})
	mumbled := w.submit()
	w.drain()
	w.wantState(mumbled, pipeline.Drafted)
	if v := w.newest(mumbled); len(v.Document.Blanks) != 1 {
		t.Errorf("blanks %+v", v.Document.Blanks)
	}
}

func unavailable() error {
	return fault.New(fault.Unavailable, "engine_busy", "The engine is busy.")
}

func TestWhatCanPassIsTriedAgainLater(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 3 {
			return unavailable()
		}
		return nil
	})
	id := w.submit()
	w.drain()
	w.wantState(id, pipeline.Queued)
	j := w.jobs(id)[0]
	if j.State != pipeline.JobQueued || j.Attempt != 1 || j.ErrorCode != "engine_busy" || !j.RunAfter.After(time.Now().Add(-time.Second)) {
		t.Errorf("job %+v", j)
	}
	w.engine.set(nil)
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Drafted)
	if _, resumed := w.engine.history(); len(resumed) != 2 || resumed[0] != 0 || resumed[1] != 2 {
		t.Errorf("the runs were given %v saved chunks, want none and then two", resumed)
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	t.Parallel()
	for attempt := 1; attempt < 200; attempt++ {
		whole := min(time.Second<<min(attempt-1, 30), 5*time.Minute)
		if got := pipeline.Backoff(attempt); got < whole/2 || got > whole {
			t.Errorf("attempt %d waits %s, want %s to %s", attempt, got, whole/2, whole)
		}
	}
}

func TestWhatDoesNotPassComesBeforeAPersonAndCanBeOrderedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.engine.set(func(context.Context, int) error { return unavailable() })
	id := w.submit()
	for range 5 {
		w.drain()
		w.hurry()
	}
	d := w.dictation(id)
	if d.State != pipeline.Failed || d.Reason != "The engine is busy." {
		t.Fatalf("%s, %q", d.State, d.Reason)
	}
	if j := w.jobs(id); len(j) != 1 || j[0].State != pipeline.JobDead || j[0].Attempt != 5 {
		t.Errorf("jobs %+v", j)
	}
	w.drain()
	w.wantState(id, pipeline.Failed)
	w.engine.set(nil)
	w.must(w.svc.Retry(context.Background(), w.as("admin"), id, "More workers."))
	w.drain()
	w.wantState(id, pipeline.Drafted)
	if j := w.jobs(id); j[1].Gen != 1 || j[1].Kind != pipeline.TranscribeJob {
		t.Errorf("jobs %+v", j)
	}
}

// brokenTx fails where drafts are written.
type brokenTx struct{ pipeline.Tx }

func (brokenTx) InsertVersion(context.Context, pipeline.Version) (pipeline.Version, error) {
	return pipeline.Version{}, fault.New(fault.Invalid, "template_broken", "The template cannot be used.")
}

type brokenStore struct{ pipeline.Store }

func (s brokenStore) InTx(ctx context.Context, practice uuid.UUID, fn func(context.Context, pipeline.Tx) error) error {
	return s.Store.InTx(ctx, practice, func(ctx context.Context, tx pipeline.Tx) error { return fn(ctx, brokenTx{tx}) })
}

func TestOrderedAgainWorkGoesOnFromTheLastGoodStage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.Store = brokenStore{w.work}
	id := w.submit()
	w.drain()
	if d := w.dictation(id); d.State != pipeline.Failed || d.Reason != "The template cannot be used." {
		t.Fatalf("%s, %q", d.State, d.Reason)
	}
	w.worker.Store = w.work
	w.must(w.svc.Retry(context.Background(), w.as("supervisor"), id, "The template is mended."))
	w.wantState(id, pipeline.Transcribed)
	w.drain()
	w.wantState(id, pipeline.Drafted)
	if runs, _ := w.engine.history(); runs != 1 {
		t.Errorf("the engine ran %d times; the transcript was there", runs)
	}
}

func TestAStageThatBreaksDownDoesNotTakeTheWorkerAlong(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.engine.set(func(context.Context, int) error { panic("while working on " + canary) })
	id := w.submit()
	w.drain()
	w.wantState(id, pipeline.Queued)
	if j := w.jobs(id)[0]; j.ErrorCode != "stage_panicked" || j.Attempt != 1 {
		t.Errorf("job %+v", j)
	}
	if logs := w.logs.String(); strings.Contains(logs, canary) || !strings.Contains(logs, "TestAStageThatBreaksDown") {
		t.Errorf("the log should name the place and not the patient:\n%s", logs)
	}
	w.engine.set(nil)
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Drafted)
}

func TestAnotherWorkerTakesOverAndTheLateResultIsRefused(t *testing.T) {
	t.Parallel()
	for name, when := range map[string]int{"in the middle": 3, "with the whole result in its hands": chunksOfRecital + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			ctx := context.Background()
			asleep, wake := make(chan struct{}), make(chan struct{})
			first := true
			w.engine.set(func(_ context.Context, chunk int) error {
				if chunk == when && first {
					first = false
					close(asleep)
					<-wake // stopped dead: no heartbeat reaches it, no cancellation either
				}
				return nil
			})
			id := w.submit()
			bells := w.bells()
			late := make(chan error, 1)
			go func() { late <- w.worker.Do(ctx, bells[0]) }()
			<-asleep
			again := w.takenUp()
			if len(again) != 1 || again[0].JobID != bells[0].JobID || again[0].DispatchNo <= bells[0].DispatchNo {
				t.Fatalf("rung %+v, then %+v", bells, again)
			}
			second := w.newWorker("worker-2", w.worker.Log)
			w.must(second.Do(ctx, again[0]))
			w.wantState(id, pipeline.Drafted)
			close(wake)
			w.must(<-late)
			w.wantState(id, pipeline.Drafted)
			if _, resumed := w.engine.history(); len(resumed) != 2 || resumed[1] != when-1 {
				t.Errorf("the runs were given %v saved chunks", resumed)
			}
			if n := w.rows("transcripts"); n != 1 {
				t.Errorf("%d transcripts", n)
			}
			if !strings.Contains(w.logs.String(), "lease lost") {
				t.Error("the log does not tell of the late result")
			}
			if v := w.newest(id); len(v.Document.Sections) == 0 || v.Number != 1 {
				t.Errorf("version %d with %d sections", v.Number, len(v.Document.Sections))
			}
		})
	}
}

func TestAStoppedWorkerGivesItsWorkBackAtOnceAndPaysNoAttempt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, stop := context.WithCancel(context.Background())
	w.engine.set(func(ctx context.Context, chunk int) error {
		if chunk == 4 {
			stop()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	id := w.submit()
	w.must(w.worker.Do(ctx, w.bells()[0]))
	if j := w.jobs(id)[0]; j.State != pipeline.JobQueued || j.Attempt != 0 || j.ErrorCode != "stopped" {
		t.Errorf("job %+v", j)
	}
	w.engine.set(nil)
	w.drain() // without waiting
	w.wantState(id, pipeline.Drafted)
	if _, resumed := w.engine.history(); resumed[len(resumed)-1] != 3 {
		t.Errorf("resumed with %v saved chunks", resumed)
	}
}

// swapped hands out other bytes than were put in.
type swapped struct{ pipeline.Objects }

type nopSeekCloser struct{ *bytes.Reader }

func (nopSeekCloser) Close() error { return nil }

func (swapped) Open(context.Context, pipeline.Audio) (io.ReadSeekCloser, error) {
	return nopSeekCloser{bytes.NewReader(tone())}, nil
}

func TestARecordingThatIsNotTheReceivedOneIsNotTranscribed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.worker.Objects = swapped{w.vault}
	id := w.submit()
	w.drain()
	if d := w.dictation(id); d.State != pipeline.Failed || !strings.Contains(d.Reason, "not the one that was received") {
		t.Errorf("%s, %q", d.State, d.Reason)
	}
	if runs, _ := w.engine.history(); runs != 0 {
		t.Error("it was transcribed")
	}
}

func TestSettingsAreThoseOfTheDayTheWorkWasOrdered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	w.svc.Settings = func() (raw json.RawMessage, err error) { return []byte(`{"model":"newer"}`), nil }
	later := w.submit()
	w.drain()
	for id, want := range map[uuid.UUID]string{id: `"recited"`, later: `"newer"`} {
		if s := string(w.jobs(id)[0].Settings); !strings.Contains(s, want) {
			t.Errorf("settings %s, want %s", s, want)
		}
	}
	used := testkit.Column[string](t, w.admin, `SELECT settings_sha FROM transcripts ORDER BY dictation_id = $1 DESC`, id)
	if len(used) != 2 || used[0] == used[1] {
		t.Errorf("the transcripts name the settings %v", used)
	}
}

func TestWorkOfAnUnknownKindWaitsForANewerWorker(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit()
	bell := w.bells()[0]
	testkit.Exec(t, w.admin, `ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check; UPDATE jobs SET kind = 'translate'`)
	bell.Kind = "translate"
	w.must(w.worker.Do(context.Background(), bell))
	w.hurry()
	if rung := w.bells(); len(rung) != 0 {
		t.Errorf("this relay rings for what its workers do not know: %+v", rung)
	}
	if j := w.jobs(id)[0]; j.State != pipeline.JobQueued || j.Attempt != 0 {
		t.Errorf("job %+v", j)
	}

	// A newer worker died over it as often as is borne: that too is for newer workers to settle.
	testkit.Exec(t, w.admin, `UPDATE jobs SET state = 'running', crashes = 100, lease_token = gen_random_uuid(), lease_until = now() - interval '1 second'`)
	w.must(w.keeper.ReapOnce(t.Context()))
	if j, d := w.jobs(id)[0], w.dictation(id); j.State != pipeline.JobRunning || d.State != pipeline.Queued {
		t.Errorf("an old keeper made the job %s and its dictation %s", j.State, d.State)
	}

	// The newer worker is there.
	testkit.Exec(t, w.admin, `UPDATE jobs SET kind = 'transcribe', state = 'queued', crashes = 0, lease_token = NULL, lease_until = NULL, dispatched_at = NULL`)
	w.drain()
	if d := w.dictation(id); d.State != pipeline.Drafted {
		t.Errorf("%s, %q", d.State, d.Reason)
	}
}
