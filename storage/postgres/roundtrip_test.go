package postgres_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, d)
	}
}

func TestADictationAndItsRecordingReadBackAsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.receive(func(d *pipeline.Dictation) { d.ClientKey = "key-1"; d.Priority = pipeline.Stat })
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.Dictation(ctx, d.ID)
		w.must(err)
		if got.UpdatedAt.IsZero() || got.UpdatedAt.Location() != time.UTC {
			t.Errorf("updated at %v", got.UpdatedAt)
		}
		got.UpdatedAt = d.UpdatedAt
		same(t, "dictation", got, d)
		a, err := tx.AudioOf(ctx, d.ID, pipeline.Original)
		w.must(err)
		same(t, "audio", a, audioFor(d, d.ID.String()))
		_, err = tx.AudioOf(ctx, d.ID, pipeline.Playback)
		wantFault(t, err, fault.NotFound, "not_found")
		w.must(tx.SetAudioSeconds(ctx, a.ID, 12.5))
		for _, find := range []func() (*pipeline.Dictation, error){
			func() (*pipeline.Dictation, error) { return tx.FindByClientKey(ctx, w.physician.ID, "key-1") },
			func() (*pipeline.Dictation, error) { return tx.FindBySHA256(ctx, w.physician.ID, a.SHA256) },
		} {
			if found, err := find(); err != nil || found == nil || found.ID != d.ID {
				t.Errorf("found %v, %v", found, err)
			}
		}
		for _, find := range []func() (*pipeline.Dictation, error){
			func() (*pipeline.Dictation, error) { return tx.FindByClientKey(ctx, w.physician.ID, "key-2") },
			func() (*pipeline.Dictation, error) { return tx.FindByClientKey(ctx, w.physician.ID, "") },
			func() (*pipeline.Dictation, error) { return tx.FindBySHA256(ctx, w.editor.ID, a.SHA256) },
		} {
			if found, err := find(); err != nil || found != nil {
				t.Errorf("found %v, %v; want nothing", found, err)
			}
		}
		return nil
	})
}

func TestTheSameClientKeyOrTheSameBytesOfOneAuthorConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, _ := w.receive(func(d *pipeline.Dictation) { d.ClientKey = "key-1" })
	again := func(key, content string) error {
		audio := id()
		d := pipeline.Dictation{ID: id(), AuthorID: w.physician.ID, AudioID: &audio, ClientKey: key}
		return w.try(func(ctx context.Context, tx pipeline.Tx) error {
			if err := tx.InsertDictation(ctx, d); err != nil {
				return err
			}
			d.PracticeID = w.practice
			return tx.InsertAudio(ctx, audioFor(d, content))
		})
	}
	wantFault(t, again("key-1", "other"), fault.Conflict, "client_key_taken")
	wantFault(t, again("key-2", first.ID.String()), fault.Conflict, "audio_already_received")
	w.must(again("", "other"))
	w.must(again("", "third")) // no key at all is no key taken
}

func TestATranscriptReadsBackAsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.draft()
	var job uuid.UUID
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		st, got, err := tx.TranscriptOf(ctx, d.ID)
		w.must(err)
		same(t, "transcript", got, speech())
		if st.DictationID != d.ID || st.At.IsZero() || st.PracticeID != w.practice {
			t.Errorf("stored transcript: %+v", st)
		}
		job = st.JobID
		return nil
	})
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertTranscript(ctx, pipeline.StoredTranscript{DictationID: d.ID, JobID: job}, speech())
	}), fault.Conflict, "transcript_exists")
}

func TestVersionsReadBackAndFollowEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, n := w.draft()
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	doc := document("second")
	doc.Sections[0].Runs[0].Source.At, doc.Sections[0].Runs[0].Source.By = &at, w.editor.ID.String()
	doc.FollowUps = nil // nil and empty stay apart, or the content hash would change
	v := pipeline.Version{NoteID: n.ID, Number: 2, Kind: pipeline.EditorEdit, Document: doc, ContentHash: "h2", By: &w.editor.ID}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		saved, err := tx.InsertVersion(ctx, v)
		w.must(err)
		got, err := tx.Version(ctx, n.ID, 2)
		w.must(err)
		saved.ByName = w.editor.Name
		same(t, "version", got, saved)
		same(t, "document", got.Document, doc)
		all, err := tx.Versions(ctx, n.ID)
		w.must(err)
		if len(all) != 2 || all[0].Number != 1 || all[1].Number != 2 {
			t.Errorf("versions: %+v", all)
		}
		note, err := tx.Note(ctx, n.ID)
		w.must(err)
		n.Latest = 2
		same(t, "note", note, n)
		return nil
	})
	for _, number := range []int{1, 2, 4} {
		v.Number, v.ID = number, uuid.Nil
		wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.InsertVersion(ctx, v); return err }),
			fault.Conflict, "version_conflict")
	}
	v.NoteID = id()
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { _, err := tx.InsertVersion(ctx, v); return err }),
		fault.NotFound, "not_found")
}

func TestTwoWritersOfTheSameVersionMeetAndOneIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, n := w.draft()
	results := make(chan error, 2)
	write := func(before func()) {
		results <- w.try(func(ctx context.Context, tx pipeline.Tx) error {
			before()
			_, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: n.ID, Number: 2, Kind: pipeline.EditorEdit, Document: document("x"), ContentHash: "h", By: &w.editor.ID})
			return err
		})
	}
	var both sync.WaitGroup
	both.Add(2)
	meet := func() { both.Done(); both.Wait() }
	go write(meet)
	go write(meet)
	a, b := <-results, <-results
	if a == nil {
		a, b = b, a
	}
	if b != nil {
		t.Fatalf("both failed: %v, %v", a, b)
	}
	wantFault(t, a, fault.Conflict, "version_conflict")
}

func TestASignatureAndItsDeliveryReadBackAsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, s, v := w.sign()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.SignatureOf(ctx, s.NoteID)
		w.must(err)
		same(t, "signature", got, s)
		v.State, v.EHRID, v.EHRVersion, v.ReadBackSHA = pipeline.DeliveryDelivered, "DocumentReference/7", "1", v.TextSHA256
		w.must(tx.UpdateDelivery(ctx, v))
		all, err := tx.DeliveriesOf(ctx, s.NoteID)
		w.must(err)
		if len(all) != 1 {
			t.Fatalf("%d deliveries", len(all))
		}
		v.UpdatedAt = all[0].UpdatedAt
		same(t, "delivery", all[0], v)
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Signed}, pipeline.Delivered, ""))
		_, err = tx.SignatureOf(ctx, id())
		wantFault(t, err, fault.NotFound, "not_found")
		return nil
	})
}

func TestAnAddendumStartsFromASignedNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, s, _ := w.sign()
	add := pipeline.Dictation{
		ID: id(), AuthorID: w.physician.ID, PatientID: &w.patient.ID, ParentID: &d.ID, WorkType: "progress",
		State: pipeline.AwaitingSignature, Priority: pipeline.Routine,
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.InsertDictation(ctx, add))
		w.must(tx.InsertNote(ctx, pipeline.Note{DictationID: add.ID, ParentID: &s.NoteID, WorkType: "progress"}))
		ids, err := tx.AddendaOf(ctx, d.ID)
		w.must(err)
		same(t, "addenda", ids, []uuid.UUID{add.ID})
		card, err := tx.Card(ctx, add.ID)
		w.must(err)
		if card.AudioID != nil || card.ParentID == nil {
			t.Errorf("card of an addendum: %+v", card)
		}
		return nil
	})
	unsigned, _ := w.draft()
	add.ID, add.ParentID = id(), &unsigned.ID
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertDictation(ctx, add) }), fault.Conflict, "not_signed")
}

func TestPeoplePatientsAndVisitsReadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	starts := time.Now().UTC().Truncate(time.Microsecond)
	visit := pipeline.Encounter{ID: id(), PracticeID: w.practice, PatientID: w.patient.ID, AuthorID: w.physician.ID, Starts: starts, Title: "Follow-up", EHRRef: "Encounter/e1"}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		p, err := tx.Person(ctx, w.physician.ID)
		w.must(err)
		same(t, "person", p, w.physician)
		editors, err := tx.People(ctx, "editor")
		w.must(err)
		same(t, "editors", editors, []pipeline.Person{w.editor, w.second})
		all, err := tx.People(ctx, "")
		w.must(err)
		if len(all) != 3 {
			t.Errorf("%d people", len(all))
		}
		got, err := tx.Patient(ctx, w.patient.ID)
		w.must(err)
		same(t, "patient", got, w.patient)
		for search, want := range map[string]int{"": 1, "test": 1, "LYDIA 1001": 1, "lydia testa": 1, "ly 1001": 1, "te": 1, "T": 1, "ly": 0, "ly te": 1, "%": 0, "_": 0, "nobody": 0, "o'": 0, "yd": 0, "zz testa": 0} {
			found, err := tx.Patients(ctx, search, 10)
			w.must(err)
			if len(found) != want {
				t.Errorf("search %q finds %d, want %d", search, len(found), want)
			}
		}
		byMRN, err := tx.FindPatientByMRN(ctx, "T-1001")
		w.must(err)
		same(t, "patient by record number", byMRN, &w.patient)
		none, err := tx.FindPatientByMRN(ctx, "T-1")
		if none != nil || err != nil {
			t.Errorf("found %v, %v", none, err)
		}
		w.must(tx.InsertEncounter(ctx, visit))
		visit.PatientName, visit.MRN = w.patient.Name, w.patient.MRN // what reading adds
		e, err := tx.Encounter(ctx, visit.ID)
		w.must(err)
		same(t, "visit", e, visit)
		visits, err := tx.Encounters(ctx, w.physician.ID, starts, 10)
		w.must(err)
		same(t, "visits", visits, []pipeline.Encounter{visit})
		later, err := tx.Encounters(ctx, w.physician.ID, starts.Add(time.Second), 10)
		w.must(err)
		if len(later) != 0 {
			t.Errorf("later visits: %v", later)
		}
		w.must(tx.InsertWorkType(ctx, "progress", "Progress note", "11506-3", 24))
		return tx.InsertWorkType(ctx, "progress", "Progress note", "11506-3", 12)
	})
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{MRN: "T-1001", Name: "Other"})
	}), fault.Conflict, "mrn_taken")
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{MRN: "T-1002", Name: "Other", BirthDate: "30.4.1960"})
	}), fault.Invalid, "birth_date")
}

func TestSignInFindsAnAccountOfAnyPracticeByItsLogin(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	ctx := context.Background()
	other := w.newPractice("Harbor Clinic")
	admin := w.newPerson(other, "admin", "Iris Vale")
	p, hash, err := w.serve.FindLogin(ctx, "LOGIN-"+admin.Login[6:])
	w.must(err)
	same(t, "account", p, admin)
	if hash == "" {
		t.Error("no password hash")
	}
	w.must(w.serve.InTx(ctx, other, func(ctx context.Context, tx pipeline.Tx) error { return tx.SetPersonDisabled(ctx, admin.ID, true) }))
	if p, _, err := w.serve.FindLogin(ctx, admin.Login); err != nil || !p.Disabled {
		t.Errorf("disabled account: %+v, %v", p, err)
	}
	_, _, err = w.serve.FindLogin(ctx, "nobody")
	wantFault(t, err, fault.NotFound, "not_found")
	again := admin
	again.ID, again.PracticeID = id(), w.practice
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertPerson(ctx, again, "") }), fault.Conflict, "login_taken")
	practices, err := w.serve.Practices(ctx)
	w.must(err)
	if len(practices) != 2 || !slices.Contains(slices.Collect(maps.Values(practices)), other) {
		t.Errorf("practices: %v", practices)
	}
}

func TestTextThatCannotBeStoredIsTheSendersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, n := w.draft()
	err := w.try(func(ctx context.Context, tx pipeline.Tx) error {
		_, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: n.ID, Number: 2, Kind: pipeline.EditorEdit, Document: document("a\x00b"), ContentHash: "h", By: &w.editor.ID})
		return err
	})
	wantFault(t, err, fault.Invalid, "text_unstorable")
}

func TestErrorsHoldNoValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const canary = "Canary-Patient"
	err := w.try(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.InsertPatient(ctx, pipeline.Patient{ID: id(), MRN: w.patient.MRN, Name: canary})
	})
	text, _ := json.Marshal(err)
	for _, s := range []string{err.Error(), string(text), fault.As(err).Public} {
		if strings.Contains(s, canary) || strings.Contains(s, w.patient.MRN) {
			t.Errorf("the error quotes data: %s", s)
		}
	}
}
