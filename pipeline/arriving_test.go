package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/transcribe"
)

// upload is a recording on its way in.
type upload struct {
	w    *world
	sub  pipeline.Submission
	file []byte
}

func (w *world) upload(file []byte) upload {
	sub := w.submission()
	sub.Upload = uuid.New()
	return upload{w, sub, file}
}

// arrives brings the file up to a share of it.
func (u upload) arrives(share float64) {
	u.w.Helper()
	_, err := u.w.svc.Arrive(context.Background(), u.w.as("physician"), u.sub, bytes.NewReader(u.file), int64(share*float64(len(u.file))))
	u.w.must(err)
}

// ends is the end of the upload: it becomes a dictation.
func (u upload) ends() pipeline.Receipt {
	u.w.Helper()
	sub := u.sub
	sub.Body = bytes.NewReader(u.file)
	r, err := u.w.svc.Submit(context.Background(), u.w.as("physician"), sub)
	u.w.must(err)
	return r
}

func (u upload) row() (state pipeline.ArrivingState, chunks int) {
	u.w.Helper()
	state = pipeline.ArrivingState(one[string](u.w, u.w.admin, `SELECT coalesce((SELECT state FROM arriving WHERE id = $1), 'gone')`, u.sub.Upload))
	return state, one[int](u.w, u.w.admin, `SELECT coalesce((SELECT chunks FROM arriving WHERE id = $1), 0)`, u.sub.Upload)
}

func (u upload) heard(chunks int) {
	u.w.Helper()
	testkit.Until(u.w, soon, "chunks are heard", func() bool { _, n := u.row(); return n >= chunks })
}

func (u upload) becomes(want pipeline.ArrivingState) {
	u.w.Helper()
	testkit.Until(u.w, soon, "the upload is "+string(want), func() bool { s, _ := u.row(); return s == want })
}

// listens lets a worker listen until stop is called.
func (w *world) listens(worker *pipeline.Worker) (stop func()) {
	w.Helper()
	l := pipeline.NewListener(worker, w.vault, 2)
	l.Every = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	stop = func() { cancel(); <-ended }
	w.Cleanup(stop)
	return stop
}

// atOnce is what a dictation's recording gives when it is transcribed in one go, with the terms that were frozen for it.
func (w *world) atOnce(e *ear, id uuid.UUID, file []byte) transcribe.Transcript {
	w.Helper()
	var settings map[string]json.RawMessage
	w.must(json.Unmarshal(w.jobs(id)[0].Settings, &settings))
	settings["terms"] = one[json.RawMessage](w, w.admin, `SELECT terms FROM job_terms WHERE job_id = $1`, w.jobs(id)[0].ID)
	if string(settings["terms"]) == "[]" {
		delete(settings, "terms")
	}
	raw, err := json.Marshal(settings)
	w.must(err)
	path := w.TempDir() + "/whole"
	w.must(os.WriteFile(path, file, 0o600))
	s, err := e.Decode(context.Background(), path)
	w.must(err)
	defer s.Close()
	t, err := e.Transcribe(context.Background(), s, pipeline.SHA256(file), raw, nil, func(int, int, []byte) error { return nil })
	w.must(err)
	return t
}

func (w *world) transcript(id uuid.UUID) (t transcribe.Transcript) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		_, t, err = tx.TranscriptOf(ctx, id)
		return err
	})
	return t
}

// wantSame fails the test unless the dictation's transcript is the one that the whole recording gives at once.
func (w *world) wantSame(e *ear, id uuid.UUID, file []byte) {
	w.Helper()
	got, want := w.transcript(id), w.atOnce(e, id, file)
	got.EngineSeconds, want.EngineSeconds, want.Settings = 0, 0, transcribe.Settings{} // which stand beside the job
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if len(want.Words) < 20 || !bytes.Equal(a, b) {
		w.Errorf("heard while it arrived:\n%s\nat once:\n%s", a, b)
	}
}

// wantNothingLeft fails the test unless no part, row or object of any upload is left once house was kept twice.
func (w *world) wantNothingLeft() {
	w.Helper()
	var parts []pipeline.ArrivingPart
	for _, id := range testkit.Column[uuid.UUID](w, w.admin, `SELECT id FROM arriving`) {
		w.in(func(ctx context.Context, tx pipeline.Tx) error {
			more, err := tx.ArrivingParts(ctx, id, 0)
			parts = append(parts, more...)
			return err
		})
	}
	k := &pipeline.ArrivingKeeper{Store: w.work, Parts: w.vault, Log: w.worker.Log}
	for range 2 {
		w.must(k.Once(context.Background(), time.Hour, 0))
	}
	for _, table := range []string{"arriving", "arriving_parts", "arriving_chunks", "arriving_terms"} {
		if n := w.rows(table); n != 0 {
			w.Errorf("%d rows are left in %s", n, table)
		}
	}
	if len(parts) == 0 {
		w.Error("there was nothing to clear away")
	}
	for _, p := range parts {
		if _, err := w.vault.GetPart(context.Background(), p); fault.KindOf(err) != fault.NotFound {
			w.Errorf("%s is left in the object store: %v", p.Key, err)
		}
	}
}

// one is the one value that a query answers.
func one[T any](w testing.TB, database, sql string, args ...any) T {
	w.Helper()
	return testkit.Column[T](w, database, sql, args...)[0]
}

func TestARecordingHeardWhileItArrivesGivesTheTranscriptOfTheWhole(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := newEar(w)
	w.listens(w.worker)
	u := w.upload(speech(70))
	for share := 0.2; share < 0.95; share += 0.1 {
		u.arrives(share)
	}
	u.heard(3)
	d := u.ends()
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
	u.becomes(pipeline.ArrivingDone)
	all := e.voice.count()
	w.wantSame(e, d.DictationID, u.file)
	if whole := e.voice.count() - all; all != whole {
		t.Errorf("the engine was used %d times, at once it is %d", all, whole)
	}
	results := []string{}
	for _, ev := range slices.Concat(w.events(u.sub.Upload), w.events(d.DictationID)) {
		results = append(results, ev.Action+" "+ev.Detail["result"])
	}
	for _, want := range []string{"dictation.submit arriving", "dictation.process listening", "dictation.process heard_early"} {
		if !slices.Contains(results, want) {
			t.Errorf("the record %q lacks %q", results, want)
		}
	}
	w.wantNothingLeft()
}

func TestTheListenerOfAKilledWorkerIsReplacedAndFenced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := newEar(w)
	stuck := make(chan struct{})
	wake := sync.OnceFunc(func() { close(stuck) })
	defer wake()
	hung := make(chan struct{}, 100)
	u := w.upload(speech(90))
	e.voice.set(func(context.Context, int) error {
		if _, n := u.row(); n > 0 {
			hung <- struct{}{}
			<-stuck
		}
		return nil
	})
	first := w.listens(w.worker)
	u.arrives(0.9)
	<-hung

	// Another process: its engine is well. The first one's lease has run out.
	other := w.newWorker("worker-2", w.worker.Log)
	well := &ear{w.engine, &voice{}}
	other.Recogniser = well
	_, before := u.row()
	w.listens(other)
	testkit.Until(t, soon, "the other worker takes it up", func() bool { // whatever heartbeat of the first one is still on its way
		testkit.Exec(t, w.admin, `UPDATE arriving SET lease_until = now() - interval '1 second' WHERE worker = 'worker-1'`)
		return one[string](t, w.admin, `SELECT worker FROM arriving WHERE id = $1`, u.sub.Upload) == "worker-2"
	})
	u.heard(before + 1)
	wake() // the first one wakes up and tells of results that nobody wants any more
	first()
	w.worker = other
	d := u.ends()
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
	w.wantSame(well, d.DictationID, u.file)
	w.wantNothingLeft()
}

func TestAnotherWorkersTranscriptionTakesOverWhatWasHeard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	newEar(w)
	w.listens(w.worker)
	u := w.upload(speech(70))
	u.arrives(0.95)
	u.heard(2)
	d := u.ends()
	listener, other := w.worker.Listener, &ear{w.engine, &voice{}}
	w.worker = w.newWorker("worker-2", w.worker.Log)
	w.worker.Recogniser = other
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
	all := other.voice.count()
	w.wantSame(other, d.DictationID, u.file)
	if whole := other.voice.count() - all; all >= whole {
		t.Errorf("the other worker heard %d parts of %d", all, whole)
	}
	testkit.Until(t, soon, "the listener has stopped", func() bool { return !listener.Listens(u.sub.Upload) })
	w.wantNothingLeft()
}

func TestAnUploadWhoseSenderVanishedIsClearedAway(t *testing.T) {
	t.Parallel()
	w := setup(t)
	newEar(w)
	stop := w.listens(w.worker)
	u := w.upload(speech(60))
	u.arrives(0.9)
	u.heard(1)
	stop() // as a shut-down: the lease is free at once
	if n := one[int](t, w.admin, `SELECT count(*) FROM arriving WHERE lease_token IS NOT NULL`); n != 0 {
		t.Error("the lease was not given back")
	}
	testkit.Exec(t, w.admin, `UPDATE arriving SET active_at = now() - interval '2 hours'`)
	w.wantNothingLeft()
	var ends []string
	for _, e := range w.events(u.sub.Upload) {
		if e.Detail["result"] == "dropped" {
			ends = append(ends, e.Action+" "+e.ActorRole+" "+e.Detail["code"])
		}
	}
	if !slices.Equal(ends, []string{"dictation.process system idle"}) {
		t.Errorf("of its end the record says %q", ends)
	}
	// Whoever comes back finds the ordinary way.
	if _, err := w.svc.Arrive(context.Background(), w.as("physician"), u.sub, bytes.NewReader(u.file), 1000); err != nil {
		t.Fatal(err)
	}
	d := u.ends()
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
}

func TestAWithdrawnUploadIsForgotten(t *testing.T) {
	t.Parallel()
	w := setup(t)
	newEar(w)
	w.listens(w.worker)
	u := w.upload(speech(60))
	u.arrives(0.9)
	u.heard(1)
	w.must(w.svc.Withdraw(context.Background(), w.as("physician"), u.sub))
	u.becomes(pipeline.ArrivingDropped)
	_, err := w.svc.Arrive(context.Background(), w.as("physician"), u.sub, bytes.NewReader(u.file), int64(len(u.file)))
	wantFault(t, err, fault.Conflict, "arriving_closed")
	w.wantNothingLeft()
}

func TestWhatTurnsOutToBeNoSoundEndsQuietly(t *testing.T) {
	t.Parallel()
	w := setup(t)
	newEar(w)
	w.listens(w.worker)
	u := w.upload([]byte(strings.Repeat("This is a letter and no recording. ", 5000)))
	u.arrives(0.9)
	u.becomes(pipeline.ArrivingDropped)
	sub := u.sub
	sub.Body = bytes.NewReader(u.file)
	if _, err := w.svc.Submit(context.Background(), w.as("physician"), sub); fault.Retryable(err) || err == nil {
		t.Errorf("it was taken: %v", err)
	}
	w.wantNothingLeft()
}

func TestTheSameRecordingSentAgainIsHeardOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := newEar(w)
	w.listens(w.worker)
	u := w.upload(speech(60))
	u.arrives(0.9)
	u.heard(1)
	d := u.ends()
	again := w.upload(u.file)
	again.arrives(0.9)
	r := again.ends()
	if !r.Duplicate || r.DictationID != d.DictationID {
		t.Errorf("%+v", r)
	}
	again.becomes(pipeline.ArrivingDropped)
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
	w.wantSame(e, d.DictationID, u.file)
	w.wantNothingLeft()
}

func TestTwoUploadsAtOnceKeepApart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := newEar(w)
	w.listens(w.worker)
	a, b := w.upload(speech(50)), w.upload(speech(55))
	for _, share := range []float64{0.3, 0.6, 0.9} {
		a.arrives(share)
		b.arrives(share)
	}
	a.heard(1)
	b.heard(1)
	da, db := a.ends(), b.ends()
	w.drain()
	w.wantState(da.DictationID, pipeline.Drafted)
	w.wantState(db.DictationID, pipeline.Drafted)
	w.wantSame(e, da.DictationID, a.file)
	w.wantSame(e, db.DictationID, b.file)
	w.wantNothingLeft()
}

func TestListeningStepsBackWhileACompleteDictationWaits(t *testing.T) {
	t.Parallel()
	w := setup(t)
	e := newEar(w)
	stat := w.submit(func(s *pipeline.Submission) { s.Priority = pipeline.Stat; s.Body = bytes.NewReader(speech(30)) })
	w.listens(w.worker)
	u := w.upload(speech(60))
	u.arrives(0.9)
	testkit.Until(t, soon, "somebody listens", func() bool { return w.worker.Listener.Listens(u.sub.Upload) })
	testkit.Until(t, soon, "the listening asked for the engine", func() bool { return w.worker.Listener.Asked() })
	if n := e.voice.count(); n != 0 {
		t.Fatalf("the engine was used %d times for an upload while a dictation waits", n)
	}
	w.drain()
	w.wantState(stat, pipeline.Drafted)
	u.heard(1)
	d := u.ends()
	w.drain()
	w.wantState(d.DictationID, pipeline.Drafted)
}

func TestWhatWasHeardForAnotherContextIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *upload){
		"another patient": func(_ *world, u *upload) { u.sub.EncounterID = nil },
		"other bytes":     func(_ *world, u *upload) { u.file = speech(60) },
		"other settings": func(w *world, _ *upload) {
			w.svc.Settings = func() (json.RawMessage, error) { return json.RawMessage(`{"chunk_seconds":20}`), nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			e := newEar(w)
			w.listens(w.worker)
			u := w.upload(speech(60))
			u.arrives(0.9)
			u.heard(1)
			change(w, &u)
			d := u.ends()
			w.drain()
			w.wantState(d.DictationID, pipeline.Drafted)
			w.wantSame(e, d.DictationID, u.file)
			for _, ev := range w.events(d.DictationID) {
				if ev.Detail["result"] == "heard_early" {
					t.Error("what was heard was taken over")
				}
			}
			w.wantNothingLeft()
		})
	}
}
