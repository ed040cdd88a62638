package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/notes"
	"vesper/pipeline"
)

// delivery is the one delivery of a dictation's note.
func (w *world) delivery(id uuid.UUID) pipeline.Delivery {
	w.Helper()
	d := w.deliveries(id)
	if len(d) != 1 {
		w.Fatalf("%d deliveries", len(d))
	}
	return d[0]
}

func (w *world) deliveries(id uuid.UUID) (out []pipeline.Delivery) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		n, err := tx.NoteOf(ctx, id)
		if err != nil {
			return err
		}
		out, err = tx.DeliveriesOf(ctx, n.ID)
		return err
	})
	return out
}

func TestASignatureCoversExactlyWhatWasShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	p, err := w.svc.SignaturePreview(ctx, w.as("physician"), id)
	w.must(err)
	if p.Preview == "" || p.Version == nil || p.Version.ContentHash != notes.ContentHash(p.Version.Document) || p.ContentHash != pipeline.Seen(p.Dictation, *p.Version) {
		t.Fatalf("preview %+v", p)
	}
	sig := w.sign(id)
	if sig.Version != p.Version.Number || sig.SignerID != w.people["physician"].ID || sig.Method != "password" || sig.Meaning != pipeline.Meaning {
		t.Errorf("signature %+v", sig)
	}
	if sig.CanonicalSHA256 != pipeline.SHA256(sig.Canonical) || sig.TextSHA256 != pipeline.SHA256(sig.Text) {
		t.Error("the hashes are not those of the bytes")
	}
	var st notes.SigningStatement
	w.must(json.Unmarshal(sig.Canonical, &st))
	if st.Text != string(sig.Text) || st.Patient.MRN != w.patient.MRN || st.DictationID != id.String() || st.Signer.Name != "Ana Rivera" || !st.SignedAt.Equal(sig.SignedAt) {
		t.Errorf("the statement says %+v", st)
	}
	for _, s := range p.Version.Document.Sections {
		if text := strings.TrimSpace(s.Text()); !bytes.Contains(sig.Text, []byte(text)) {
			t.Errorf("the signed text lacks %q", text)
		}
	}
	// But for the signature's time, the preview is the text that is signed.
	shown, signed := strings.Split(p.Preview, "Electronically signed")[0], strings.Split(string(sig.Text), "Electronically signed")[0]
	if shown != signed {
		t.Errorf("shown %q, signed %q", shown, signed)
	}
	if d := w.delivery(id); d.TextSHA256 != sig.TextSHA256 || d.State != pipeline.DeliveryPending || d.SignatureID != sig.ID {
		t.Errorf("delivery %+v", d)
	}
}

func TestWhatIsNotRightIsNotSigned(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	good := w.request(id)
	refused := func(who string, change func(*pipeline.SignRequest), kind fault.Kind, code string) {
		t.Helper()
		req := good
		if change != nil {
			change(&req)
		}
		_, err := w.svc.Sign(ctx, w.as(who), id, req)
		wantFault(t, err, kind, code)
		w.wantState(id, pipeline.AwaitingSignature)
		if n := w.rows("signatures") + w.rows("deliveries"); n != 0 {
			t.Fatalf("%s: %d signatures and deliveries", code, n)
		}
	}
	refused("physician", func(r *pipeline.SignRequest) { r.Password = "wrong-orchard-42" }, fault.Forbidden, "password_wrong")
	refused("physician", func(r *pipeline.SignRequest) { r.Password = "" }, fault.Forbidden, "password_wrong")
	refused("physician", func(r *pipeline.SignRequest) { r.ContentHash = strings.Repeat("0", 64) }, fault.Conflict, "content_changed")
	refused("physician", func(r *pipeline.SignRequest) { r.Version-- }, fault.Conflict, "version_conflict")
	refused("physician", func(r *pipeline.SignRequest) { r.Version = 99 }, fault.Conflict, "version_conflict")
	refused("other", nil, fault.Forbidden, "forbidden")
	refused("supervisor", nil, fault.Forbidden, "forbidden")
	if _, err := w.svc.SignaturePreview(ctx, w.as("other"), id); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("another physician reads it for signing: %v", err)
	}
	wrong := 0
	for _, e := range w.events(id) {
		if e.Action == "note.sign" && e.Outcome == "refused" && e.Detail["code"] == "password_wrong" {
			wrong++
		}
	}
	if wrong != 2 {
		t.Errorf("the record knows %d wrong passwords, want 2", wrong)
	}
	w.must(w.svc.SetPersonDisabled(ctx, w.as("admin"), w.people["other"].ID, true))
	_, err := w.svc.Sign(ctx, w.as("physician"), id, good)
	w.must(err)
	_, err = w.svc.Sign(ctx, w.as("physician"), id, good)
	wantFault(t, err, fault.Conflict, "state_changed")
}

func TestAnOpenDoubtBlocksTheSignature(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.reviewed()
	v := w.newest(id)
	w.must(w.svc.Send(ctx, w.as("editor"), id, v.Number))
	_, err := w.svc.Sign(ctx, w.as("physician"), id, w.request(id))
	wantFault(t, err, fault.Invalid, "not_ready")
	w.settleAll(w.as("physician"), id)
	w.sign(id)
	w.wantState(id, pipeline.Signed)
}

func TestSigningTwiceAtOnceIsOneSignatureAndOneDelivery(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.awaiting()
	req := w.request(id)
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.svc.Sign(context.Background(), w.as("physician"), id, req) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if fault.KindOf(err) != fault.Conflict {
			t.Errorf("the loser is told %v", err)
		}
	}
	jobs := 0
	for _, j := range w.jobs(id) {
		if j.Kind == pipeline.DeliverJob {
			jobs++
		}
	}
	if s, d := w.rows("signatures"), w.rows("deliveries"); won != 1 || s != 1 || d != 1 || jobs != 1 {
		t.Errorf("%d won, %d signatures, %d deliveries, %d jobs", won, s, d, jobs)
	}
	w.drain()
	w.wantState(id, pipeline.Delivered)
	if n := w.inEHR(id); n != 1 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}

func TestAnEditWhileThePhysicianReadsIsNotSigned(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id := w.awaiting()
	req := w.request(id)
	v := w.newest(id)
	_, err := w.svc.Save(ctx, w.as("physician"), id, v.Number, editedText(v.Document, "plan", "Something else."))
	w.must(err)
	_, err = w.svc.Sign(ctx, w.as("physician"), id, req)
	wantFault(t, err, fault.Conflict, "version_conflict")
	w.must(w.svc.Return(ctx, w.as("physician"), id, "Please check the plan."))
	_, err = w.svc.Sign(ctx, w.as("physician"), id, w.blind(id))
	wantFault(t, err, fault.Conflict, "state_changed")
}

// blind is a request for the newest version without having looked at it.
func (w *world) blind(id uuid.UUID) pipeline.SignRequest {
	v := w.newest(id)
	return pipeline.SignRequest{Version: v.Number, ContentHash: pipeline.Seen(w.dictation(id), v), Password: password}
}

// The words stay the same, but they stand on another patient, visit or kind of note than the physician looked at.
func TestWhatIsConfirmedIsThePatientTheVisitAndTheKindToo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	other := pipeline.Patient{ID: newID(), PracticeID: w.practice, MRN: "T-1002", Name: "Testwood, Hal", EHRRef: "Patient/p2"}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPatient(ctx, other) })
	id := w.awaiting()
	w.must(w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, &w.visit.ID, "progress"))
	for what, bind := range map[string]func() error{
		"patient": func() error { return w.svc.Bind(ctx, w.as("physician"), id, &other.ID, nil, "progress") },
		"visit":   func() error { return w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, nil, "progress") },
		"kind":    func() error { return w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, &w.visit.ID, "discharge") },
	} {
		looked := w.request(id)
		w.must(bind())
		_, err := w.svc.Sign(ctx, w.as("physician"), id, looked)
		if f := fault.As(err); f == nil || f.Code != "content_changed" {
			t.Errorf("another %s: %v", what, err)
		}
		w.must(w.svc.Bind(ctx, w.as("physician"), id, &w.patient.ID, &w.visit.ID, "progress"))
	}
	w.sign(id)
}

// An addendum has no recording, so no step may lead where only a recording leads on.
func TestAnAddendumIsReturnedCorrectedAndSentAgainAndNeverRejected(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	id, err := w.svc.Addendum(ctx, w.as("physician"), w.signed(), "The culture came back negative.")
	w.must(err)
	w.must(w.svc.Return(ctx, w.as("physician"), id, "Please give the date."))
	_, err = w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	wantFault(t, w.svc.Reject(ctx, w.as("editor"), id, "No sound."), fault.Conflict, "addendum_has_no_recording")
	w.wantState(id, pipeline.InReview)
	d, err := w.svc.Detail(ctx, w.as("editor"), id)
	w.must(err)
	if d.Can[access.Reject] || !d.Can[access.Edit] || !d.Can[access.Send] || !d.Can[access.Release] {
		t.Errorf("offered are %v", d.Can)
	}
	w.must(w.svc.Release(ctx, w.as("editor"), id))
	_, err = w.svc.Claim(ctx, w.as("second"), id)
	w.must(err)
	v := w.newest(id)
	v, err = w.svc.Save(ctx, w.as("second"), id, v.Number, editedText(v.Document, v.Document.Sections[0].Key, "The culture of Monday came back negative."))
	w.must(err)
	w.must(w.svc.Send(ctx, w.as("second"), id, v.Number))
	if sig := w.sign(id); !strings.Contains(string(sig.Text), "culture of Monday") {
		t.Errorf("signed is %q", sig.Text)
	}
	// Such a one cannot come to be any more, but one may stand in an old database.
	lost, err := w.svc.Addendum(ctx, w.as("physician"), *w.dictation(id).ParentID, "One more word.")
	w.must(err)
	testkit.Exec(t, w.admin, `BEGIN; SET LOCAL session_replication_role = replica; UPDATE dictations SET state = 'rejected' WHERE id = '`+lost.String()+`'; COMMIT`)
	wantFault(t, w.svc.Retry(ctx, w.as("supervisor"), lost, "Try again."), fault.Conflict, "addendum_has_no_recording")
	w.wantState(lost, pipeline.Rejected)
}

func TestAnAddendumIsANewNoteThatFollowsTheSignedOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	parent := w.signed()
	before := w.newest(parent)
	_, err := w.svc.Addendum(ctx, w.as("physician"), parent, "  ")
	wantFault(t, err, fault.Invalid, "addendum_empty")
	_, err = w.svc.Addendum(ctx, w.as("physician"), parent, strings.Repeat("x", 100_001))
	wantFault(t, err, fault.TooLarge, "addendum_too_long")
	id, err := w.svc.Addendum(ctx, w.as("physician"), parent, "The culture came back negative.")
	w.must(err)
	d := w.dictation(id)
	if d.State != pipeline.AwaitingSignature || d.ParentID == nil || *d.ParentID != parent || d.AudioID != nil || d.PatientID == nil || *d.PatientID != w.patient.ID {
		t.Errorf("the addendum is %+v", d)
	}
	w.sign(id)

	// The addendum may come to a worker first; it then waits for the note that it adds to.
	for _, b := range w.bells() {
		if b.JobID == w.jobs(id)[0].ID {
			w.must(w.worker.Do(ctx, b))
		}
	}
	w.wantState(id, pipeline.Signed)
	w.hurry()
	w.drain()
	w.hurry()
	w.drain()
	w.wantState(parent, pipeline.Delivered)
	w.wantState(id, pipeline.Delivered)
	if v := w.newest(parent); v.Number != before.Number || v.ContentHash != before.ContentHash {
		t.Error("the signed note was touched")
	}
	related := w.document(w.delivery(id).EHRID).RelatesTo
	if len(related) != 1 || related[0].Code != "appends" || related[0].Target.Reference != w.delivery(parent).EHRID {
		t.Errorf("in the EHR the addendum relates to %+v, the note is %s", related, w.delivery(parent).EHRID)
	}
	if a := w.detail(parent).Addenda; len(a) != 1 || a[0] != id {
		t.Errorf("the note lists the addenda %v", a)
	}
	second, err := w.svc.Addendum(ctx, w.as("physician"), parent, "And another word.")
	w.must(err)
	if second == id {
		t.Error("a second addendum is the first one")
	}
	_, err = w.svc.Addendum(ctx, w.as("physician"), w.drafted(), "Too early.")
	wantFault(t, err, fault.Conflict, "not_signed")
}

func TestWithoutASignatureNothingIsDeliveredEvenByHand(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.awaiting()
	var note pipeline.Note
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		note, err = tx.NoteOf(ctx, id)
		return err
	})
	forged := pipeline.SHA256([]byte("forged"))
	_, err := testkit.TryExec(w.admin, `
		INSERT INTO deliveries (id, practice_id, note_id, signature_id, text_sha256, target, state) VALUES ($1, $2, $3, $4, $5, 'sandbox', 'pending')`,
		newID(), w.practice, note.ID, newID(), forged)
	if err == nil {
		t.Error("a superuser wrote a delivery without a signature")
	}
	if _, err := testkit.TryExec(w.admin, `UPDATE dictations SET state = 'signed' WHERE id = $1`, id); err == nil {
		t.Error("a superuser called an unsigned note signed")
	}
	// A job alone, however it came about, sends nothing.
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.AddJob(ctx, pipeline.Job{
			PracticeID: w.practice, DictationID: id, Kind: pipeline.DeliverJob, Priority: pipeline.Stat,
			InputSHA256: forged, Settings: json.RawMessage(`{}`), MaxAttempts: 3,
		})
		return err
	})
	w.drain()
	w.wantState(id, pipeline.AwaitingSignature)
	if n := w.stored(); n != 0 {
		t.Errorf("%d documents stand in the EHR", n)
	}
}
