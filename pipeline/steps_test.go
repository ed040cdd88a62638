package pipeline_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
)

// tone is a WAV file of a quarter of a second that no other call returns.
func tone() []byte {
	const n = 4000
	id := newID()
	var b bytes.Buffer
	b.WriteString("RIFF")
	_ = binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	_ = binary.Write(&b, binary.LittleEndian, struct {
		Size                   uint32
		Format, Channels       uint16
		Rate, Bytes            uint32
		BlockAlign, SampleBits uint16
	}{16, 1, 1, 16000, 32000, 2, 16})
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		v := int16(8000 * math.Sin(float64(i)/20))
		if i < 16 {
			v = int16(id[i]) // makes the bytes unique
		}
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	return b.Bytes()
}

// submission is a new recording of the world's physician about the world's patient.
func (w *world) submission() pipeline.Submission {
	return pipeline.Submission{EncounterID: &w.visit.ID, WorkType: "progress", Filename: "note.wav", ContentType: "audio/wav", Body: bytes.NewReader(tone())}
}

// submit sends a new recording in.
func (w *world) submit(change ...func(*pipeline.Submission)) uuid.UUID {
	w.Helper()
	sub := w.submission()
	for _, c := range change {
		c(&sub)
	}
	r, err := w.svc.Submit(context.Background(), w.as("physician"), sub)
	w.must(err)
	return r.DictationID
}

// bells rings for everything that is due and returns the doorbells.
func (w *world) bells() []pipeline.Doorbell {
	w.Helper()
	var out []pipeline.Doorbell
	_, err := w.work.Dispatch(context.Background(), 100, func(_ context.Context, b pipeline.Doorbell) error {
		out = append(out, b)
		return nil
	})
	w.must(err)
	return out
}

// drain does all the work that is due now, as one worker.
func (w *world) drain() {
	w.Helper()
	for {
		bells := w.bells()
		if len(bells) == 0 {
			return
		}
		for _, b := range bells {
			w.must(w.worker.Do(context.Background(), b))
		}
	}
}

// hurry makes queued work due at once that waits for its next attempt, or for an answer to its doorbell.
func (w *world) hurry() {
	w.Helper()
	testkit.Exec(w, w.admin, `UPDATE jobs SET run_after = now(), dispatched_at = NULL WHERE state = 'queued'`)
}

// takenUp lets the lease of the one job that runs end, and returns the doorbells that another worker hears. The run's last
// heartbeat may come in between; then it is done again.
func (w *world) takenUp() []pipeline.Doorbell {
	w.Helper()
	for range 5 {
		if n := w.expireLeases(); n != 1 {
			w.Fatalf("%d running jobs", n)
		}
		w.must(w.keeper.ReapOnce(context.Background()))
		if bells := w.bells(); len(bells) > 0 {
			return bells
		}
	}
	w.Fatal("the job was not taken up")
	return nil
}

// expireLeases makes every running job look abandoned.
func (w *world) expireLeases() int64 {
	w.Helper()
	return testkit.Exec(w, w.admin, `UPDATE jobs SET lease_until = now() - interval '1 second' WHERE state = 'running'`)
}

// expireClaims makes every hold run out.
func (w *world) expireClaims() {
	w.Helper()
	testkit.Exec(w, w.admin, `UPDATE claims SET until = now() - interval '1 second' WHERE ended_at IS NULL`)
}

func (w *world) dictation(id uuid.UUID) (d pipeline.Dictation) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		d, err = tx.Dictation(ctx, id)
		return err
	})
	return d
}

// wantState fails the test unless the dictation is in the state.
func (w *world) wantState(id uuid.UUID, want pipeline.State) {
	w.Helper()
	if d := w.dictation(id); d.State != want {
		w.Fatalf("the dictation is %s (%s), want %s", d.State, d.Reason, want)
	}
}

func (w *world) jobs(id uuid.UUID) (jobs []pipeline.Job) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		jobs, err = tx.Jobs(ctx, id)
		return err
	})
	return jobs
}

// events are those about one object, oldest first.
func (w *world) events(subject uuid.UUID) (events []audit.Event) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		events, err = tx.Events(ctx, subject)
		return err
	})
	return events
}

// count is the number of events of the practice.
func (w *world) count() int {
	w.Helper()
	return w.counter.Count(`SELECT count(*) FROM audit_events`)
}

// drafted brings a new dictation to drafted.
func (w *world) drafted(change ...func(*pipeline.Submission)) uuid.UUID {
	w.Helper()
	id := w.submit(change...)
	w.drain()
	w.wantState(id, pipeline.Drafted)
	return id
}

// reviewed brings a new dictation into the editor's hands.
func (w *world) reviewed(change ...func(*pipeline.Submission)) uuid.UUID {
	w.Helper()
	id := w.drafted(change...)
	_, err := w.svc.Claim(context.Background(), w.as("editor"), id)
	w.must(err)
	return id
}

// detail is what the supervisor sees, who may see everything.
func (w *world) detail(id uuid.UUID) pipeline.Detail {
	w.Helper()
	d, err := w.svc.Detail(context.Background(), w.as("supervisor"), id)
	w.must(err)
	return d
}

// settleAll settles every open doubt of the newest version, as the actor.
func (w *world) settleAll(actor access.Actor, id uuid.UUID) int {
	w.Helper()
	v := w.detail(id).Version
	latest := v.Number
	for _, f := range v.Document.Flags {
		if f.Settled != nil {
			continue
		}
		next, err := w.svc.Settle(context.Background(), actor, id, latest, f.ID, "heard")
		w.must(err)
		latest = next.Number
	}
	return latest
}

// awaiting brings a new dictation before the physician, with every doubt settled.
func (w *world) awaiting(change ...func(*pipeline.Submission)) uuid.UUID {
	w.Helper()
	id := w.reviewed(change...)
	latest := w.settleAll(w.as("editor"), id)
	w.must(w.svc.Send(context.Background(), w.as("editor"), id, latest))
	w.wantState(id, pipeline.AwaitingSignature)
	return id
}

// request is what the physician sends after reading the preview.
func (w *world) request(id uuid.UUID) pipeline.SignRequest {
	w.Helper()
	p, err := w.svc.SignaturePreview(context.Background(), w.as("physician"), id)
	w.must(err)
	return pipeline.SignRequest{Version: p.Version.Number, ContentHash: p.ContentHash, Password: password}
}

// sign signs what waits for it.
func (w *world) sign(id uuid.UUID) pipeline.Signature {
	w.Helper()
	sig, err := w.svc.Sign(context.Background(), w.as("physician"), id, w.request(id))
	w.must(err)
	return sig
}

// signed brings a new dictation to signed, not delivered yet.
func (w *world) signed(change ...func(*pipeline.Submission)) uuid.UUID {
	w.Helper()
	id := w.awaiting(change...)
	w.sign(id)
	w.wantState(id, pipeline.Signed)
	return id
}

// at brings a new dictation to a state.
func (w *world) at(state pipeline.State) uuid.UUID {
	w.Helper()
	switch state {
	case pipeline.Queued:
		return w.submit()
	case pipeline.Transcribed:
		return w.transcribed()
	case pipeline.Drafted:
		return w.drafted()
	case pipeline.InReview:
		return w.reviewed()
	case pipeline.AwaitingSignature:
		return w.awaiting()
	case pipeline.Signed:
		return w.signed()
	case pipeline.Delivered:
		id := w.signed()
		w.drain()
		w.wantState(id, pipeline.Delivered)
		return id
	case pipeline.Rejected:
		id := w.reviewed()
		w.must(w.svc.Reject(context.Background(), w.as("editor"), id, "wind noise only"))
		return id
	case pipeline.Failed:
		return w.failed()
	default:
		w.Fatalf("no way to %s", state)
		return uuid.Nil
	}
}

// transcribed stops a new dictation between its two first stages: its draft waits for a worker.
func (w *world) transcribed() uuid.UUID {
	w.Helper()
	id := w.submit()
	w.halfway(id)
	w.wantState(id, pipeline.Transcribed)
	return id
}

// halfway does the transcription only: the worker goes away as soon as the draft's turn comes.
func (w *world) halfway(id uuid.UUID) {
	w.Helper()
	half := *w.worker
	half.Store = &onlyOneClaim{Store: w.work}
	own := w.jobs(id)[0].ID
	for _, b := range w.bells() {
		if b.JobID != own {
			continue // left from before
		}
		if err := half.Do(context.Background(), b); err != nil {
			w.Fatalf("dictation %s: %v", id, err)
		}
	}
}

// editedText is the sections' texts with one of them changed.
func editedText(doc notes.Document, key, text string) []notes.SectionText {
	var out []notes.SectionText
	for _, s := range doc.Sections {
		t := s.Text()
		if s.Key == key {
			t = text
		}
		out = append(out, notes.SectionText{Key: s.Key, Text: t})
	}
	return out
}

// soon is how long the tests wait for what happens by itself.
const soon = 20 * time.Second

// onlyOneClaim lets a worker do one job and then shuts the door.
type onlyOneClaim struct {
	pipeline.Store
	claimed bool
}

func (s *onlyOneClaim) ClaimJob(ctx context.Context, id uuid.UUID, worker string) (pipeline.Job, error) {
	if s.claimed {
		return pipeline.Job{}, fault.New(fault.Conflict, "job_taken", "closed by the test")
	}
	s.claimed = true
	return s.Store.ClaimJob(ctx, id, worker)
}

// failed brings a new dictation to failed: its stage ends with an error that trying again cannot mend.
func (w *world) failed() uuid.UUID {
	w.Helper()
	w.engine.set(func(context.Context, int) error {
		return fault.New(fault.NotFound, "recording_damaged", "The stored recording is not the one that was received.")
	})
	defer w.engine.set(nil)
	id := w.submit()
	w.drain()
	w.wantState(id, pipeline.Failed)
	return id
}
