package pipeline_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"vesper/ehr/sandbox"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
)

// reference is FHIR's, as the EHR keeps it.
type reference struct {
	Reference string `json:"reference"`
	Display   string `json:"display"`
}

// filed is what the tests read of a document in the EHR.
type filed struct {
	Subject struct {
		Reference string `json:"reference"`
	} `json:"subject"`
	Author        []reference `json:"author"`
	Authenticator reference   `json:"authenticator"`
	RelatesTo     []struct {
		Code   string `json:"code"`
		Target struct {
			Reference string `json:"reference"`
		} `json:"target"`
	} `json:"relatesTo"`
	Content []struct {
		Attachment struct {
			Data []byte `json:"data"`
		} `json:"attachment"`
	} `json:"content"`
}

// ask reads from the EHR without the client that is under test.
func (w *world) ask(path string, out any) {
	w.Helper()
	rec := httptest.NewRecorder()
	w.ehr.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/fhir/"+path, nil))
	if rec.Code != http.StatusOK {
		w.Fatalf("EHR answers %d to %s", rec.Code, path)
	}
	w.must(json.Unmarshal(rec.Body.Bytes(), out))
}

func (w *world) document(id string) (d filed) {
	w.Helper()
	w.ask(id, &d)
	return d
}

// stored is how many documents stand in the EHR for the world's patient.
func (w *world) stored() int {
	w.Helper()
	var b struct {
		Entry []json.RawMessage `json:"entry"`
	}
	w.ask("DocumentReference?patient="+strings.TrimPrefix(w.patient.EHRRef, "Patient/"), &b)
	return len(b.Entry)
}

// inEHR is how many documents stand in the EHR for the signed version of a dictation's note.
func (w *world) inEHR(id uuid.UUID) (n int) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		note, err := tx.NoteOf(ctx, id)
		if err != nil {
			return err
		}
		sig, err := tx.SignatureOf(ctx, note.ID)
		n = w.ehr.Count(noteSystem, fmt.Sprintf("%s/v%d", note.ID, sig.Version))
		return err
	})
	return n
}

// first injects a fault into the first n requests of a method.
func first(n int32, method string, f sandbox.Fault) func(*http.Request) sandbox.Fault {
	var seen atomic.Int32
	return func(r *http.Request) sandbox.Fault {
		if r.Method == method && !strings.HasSuffix(r.URL.Path, "/metadata") && seen.Add(1) <= n {
			return f
		}
		return sandbox.Fault{}
	}
}

func always(f sandbox.Fault) func(*http.Request) sandbox.Fault {
	return func(*http.Request) sandbox.Fault { return f }
}

func TestTheSignedBytesStandInTheEHR(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.awaiting()
	sig := w.sign(id)
	w.drain()
	w.wantState(id, pipeline.Delivered)
	d := w.delivery(id)
	if d.State != pipeline.DeliveryDelivered || d.ReadBackSHA != sig.TextSHA256 || d.EHRID == "" || d.ErrorCode != "" {
		t.Errorf("delivery %+v", d)
	}
	doc := w.document(d.EHRID)
	if got := doc.Content[0].Attachment.Data; string(got) != string(sig.Text) {
		t.Errorf("the EHR holds %q, signed was %q", got, sig.Text)
	}
	if doc.Subject.Reference != w.patient.EHRRef {
		t.Errorf("it stands on %s", doc.Subject.Reference)
	}
}

func TestTheEHRIsToldWhoWroteInItsOwnWordsOrByNameOnly(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.at(pipeline.Delivered)
	named := reference{Display: "Ana Rivera, MD"}
	doc := w.document(w.delivery(id).EHRID)
	if len(doc.Author) != 1 || doc.Author[0] != named || doc.Authenticator != named {
		t.Errorf("someone whom the EHR does not know: author %+v, authenticator %+v", doc.Author, doc.Authenticator)
	}
	testkit.Exec(t, w.admin, `UPDATE people SET ehr_ref = 'Practitioner/pr7' WHERE login = 'physician'`)
	id = w.at(pipeline.Delivered)
	named.Reference = "Practitioner/pr7"
	doc = w.document(w.delivery(id).EHRID)
	if len(doc.Author) != 1 || doc.Author[0] != named || doc.Authenticator != named {
		t.Errorf("someone whom it knows: author %+v, authenticator %+v", doc.Author, doc.Authenticator)
	}
}

func TestALostAnswerIsLookedUpAndOneDocumentStands(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sandbox.Fault{
		"answer lost": {Lose: http.StatusBadGateway}, "answer cut": {Cut: true, CutAfter: 20}, "refused once": {Refuse: http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			id := w.signed()
			// The create's answer is lost, and so is that of every look-up of this attempt.
			var down atomic.Bool
			down.Store(true)
			w.ehrFaults.set(func(r *http.Request) sandbox.Fault {
				switch {
				case !down.Load() || strings.HasSuffix(r.URL.Path, "/metadata"):
					return sandbox.Fault{}
				case r.Method == http.MethodPost:
					return f
				default:
					return sandbox.Fault{Refuse: http.StatusServiceUnavailable}
				}
			})
			w.drain()
			w.wantState(id, pipeline.Signed)
			if d := w.delivery(id); d.State != pipeline.DeliveryUnknown || d.ErrorCode == "" {
				t.Errorf("delivery %+v", d)
			}
			down.Store(false)
			w.hurry()
			w.drain()
			w.wantState(id, pipeline.Delivered)
			if n := w.inEHR(id); n != 1 {
				t.Errorf("%d documents stand in the EHR", n)
			}
		})
	}
}

func TestALostAnswerThatCanBeLookedUpAtOnceNeedsNoSecondAttempt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.signed()
	w.ehrFaults.set(first(1, http.MethodPost, sandbox.Fault{Lose: http.StatusGatewayTimeout}))
	w.drain()
	w.wantState(id, pipeline.Delivered)
	if n := w.inEHR(id); n != 1 {
		t.Errorf("%d documents stand in the EHR", n)
	}
	for _, j := range w.jobs(id) {
		if j.Attempt != 1 {
			t.Errorf("%s took %d attempts", j.Kind, j.Attempt)
		}
	}
}

func TestWhatIsNotWhatWasSignedGoesToAPerson(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sandbox.Fault{"altered byte": {AlterByte: true}, "other patient": {OtherPatient: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			ctx := context.Background()
			id := w.signed()
			w.ehrFaults.set(func(r *http.Request) sandbox.Fault {
				if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/DocumentReference/") {
					return f
				}
				return sandbox.Fault{}
			})
			w.drain()
			w.wantState(id, pipeline.Signed)
			d := w.delivery(id)
			if d.State != pipeline.DeliveryRejected || d.ErrorCode != "ehr_copy_differs" || d.EHRID == "" {
				t.Errorf("delivery %+v", d)
			}
			jobs := w.jobs(id)
			if last := jobs[len(jobs)-1]; last.State != pipeline.JobDead || last.ErrorCode != "ehr_copy_differs" {
				t.Errorf("job %+v", last)
			}
			// Nobody tries again by himself; a person does, once the EHR is mended.
			w.hurry()
			w.drain()
			w.must(w.keeper.ReconcileOnce(ctx))
			if n := len(w.jobs(id)); n != len(jobs) {
				t.Errorf("%d jobs, want %d", n, len(jobs))
			}
			w.ehrFaults.set(nil)
			w.must(w.svc.Retry(ctx, w.as("supervisor"), id, "The EHR is mended."))
			wantFault(t, w.svc.Retry(ctx, w.as("supervisor"), id, "And once more."), fault.Conflict, "delivery_running")
			w.drain()
			w.wantState(id, pipeline.Delivered)
			if n := w.inEHR(id); n != 1 {
				t.Errorf("%d documents stand in the EHR", n)
			}
		})
	}
}

func TestAnEHRThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.signed()
	w.ehrFaults.set(always(sandbox.Fault{Refuse: http.StatusServiceUnavailable}))
	for range 3 {
		w.drain()
		w.hurry()
	}
	w.wantState(id, pipeline.Signed)
	w.ehrFaults.set(nil)
	if n := w.stored(); n != 0 {
		t.Fatalf("%d documents came through", n)
	}
	w.hurry()
	w.drain()
	w.wantState(id, pipeline.Delivered)
	if n := w.inEHR(id); n != 1 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}

func TestAWorkerThatWakesUpLateDoesNotUndoADelivery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	asleep, wake := make(chan struct{}), make(chan struct{})
	var posts atomic.Int32
	w.ehrFaults.set(func(r *http.Request) sandbox.Fault {
		if r.Method == http.MethodPost && posts.Add(1) == 1 {
			close(asleep)
			<-wake
			return sandbox.Fault{Refuse: http.StatusConflict}
		}
		return sandbox.Fault{}
	})
	done := make(chan error, 1)
	bells := w.bells()
	go func() { done <- w.worker.Do(ctx, bells[0]) }()
	<-asleep
	second := w.newWorker("worker-2", w.worker.Log)
	for _, b := range w.takenUp() {
		w.must(second.Do(ctx, b))
	}
	w.wantState(id, pipeline.Delivered)
	close(wake)
	w.must(<-done)
	w.wantState(id, pipeline.Delivered)
	if d := w.delivery(id); d.State != pipeline.DeliveryDelivered || d.ErrorCode != "" {
		t.Errorf("the late worker wrote %+v", d)
	}
	if n := w.inEHR(id); n != 1 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}

func TestAWorkerThatWakesUpLateDoesNotUndoARefusal(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	asleep, wake := make(chan struct{}), make(chan struct{})
	var posts atomic.Int32
	w.ehrFaults.set(func(r *http.Request) sandbox.Fault {
		switch {
		case r.Method != http.MethodPost:
			return sandbox.Fault{}
		case posts.Add(1) == 1:
			close(asleep)
			<-wake
			return sandbox.Fault{Refuse: http.StatusServiceUnavailable}
		default:
			return sandbox.Fault{Refuse: http.StatusUnprocessableEntity}
		}
	})
	done := make(chan error, 1)
	bells := w.bells()
	go func() { done <- w.worker.Do(ctx, bells[0]) }()
	<-asleep
	second := w.newWorker("worker-2", w.worker.Log)
	for _, b := range w.takenUp() {
		w.must(second.Do(ctx, b))
	}
	refused := w.delivery(id)
	if refused.State != pipeline.DeliveryRejected {
		t.Fatalf("the second worker left it %s", refused.State)
	}
	before := w.count()
	close(wake)
	w.must(<-done)
	if d := w.delivery(id); d != refused {
		t.Errorf("the late worker made %+v of %+v", d, refused)
	}
	if n := w.count(); n != before {
		t.Errorf("the late worker wrote %d events", n-before)
	}
}

// lateStart lets another worker take a run over before it begins.
type lateStart struct {
	pipeline.Store
	meanwhile func()
}

func (s lateStart) ClaimJob(ctx context.Context, id uuid.UUID, worker string) (pipeline.Job, error) {
	job, err := s.Store.ClaimJob(ctx, id, worker)
	if err == nil {
		s.meanwhile()
	}
	return job, err
}

func TestAWorkerThatStartsLateDoesNotSendWhatAPersonMustLookAt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.signed()
	var posts atomic.Int32
	w.ehrFaults.set(func(r *http.Request) sandbox.Fault {
		if r.Method == http.MethodPost {
			posts.Add(1)
			return sandbox.Fault{Refuse: http.StatusUnprocessableEntity}
		}
		return sandbox.Fault{}
	})
	second := w.newWorker("worker-2", w.worker.Log)
	w.worker.Store = lateStart{w.work, func() {
		w.expireLeases()
		w.must(w.keeper.ReapOnce(ctx))
		for _, b := range w.bells() {
			w.must(second.Do(ctx, b))
		}
	}}
	w.must(w.worker.Do(ctx, w.bells()[0]))
	if d := w.delivery(id); d.State != pipeline.DeliveryRejected || posts.Load() != 1 {
		t.Errorf("the note was sent %d times and is %s", posts.Load(), d.State)
	}
}

func TestAnotherTargetThanTheOneSignedForGoesToAPerson(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.svc.Target = "the old EHR"
	id := w.signed()
	w.drain()
	w.wantState(id, pipeline.Signed)
	jobs := w.jobs(id)
	if last := jobs[len(jobs)-1]; last.State != pipeline.JobDead || last.ErrorCode != "target_changed" {
		t.Errorf("job %+v", last)
	}
}
