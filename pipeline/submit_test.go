package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline"
)

func (w *world) rows(table string) int {
	w.Helper()
	return w.counter.Count(`SELECT count(*) FROM ` + table)
}

// wantNothing fails the test when anything was recorded of a recording, or its bytes still lie in the spool.
func (w *world) wantNothing() {
	w.Helper()
	for _, table := range []string{"dictations", "audio_objects", "jobs"} {
		if n := w.rows(table); n != 0 {
			w.Errorf("%d rows in %s", n, table)
		}
	}
	w.wantEmptySpool()
}

func (w *world) wantEmptySpool() {
	w.Helper()
	left, err := os.ReadDir(w.svc.SpoolDir)
	w.must(err)
	if len(left) != 0 {
		w.Errorf("%d files are left in the spool", len(left))
	}
}

func TestTheReceiptComesAfterTheObjectAndTheRow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := tone()
	sub := w.submission()
	sub.Body = bytes.NewReader(body)
	r, err := w.svc.Submit(context.Background(), w.as("physician"), sub)
	w.must(err)
	if r.SHA256 != pipeline.SHA256(body) || r.Bytes != int64(len(body)) || r.State != pipeline.Queued || r.Duplicate {
		t.Errorf("receipt %+v", r)
	}
	d := w.dictation(r.DictationID)
	if d.State != pipeline.Queued || d.PatientID == nil || *d.PatientID != w.patient.ID || d.DueAt.Before(d.ReceivedAt) {
		t.Errorf("dictation %+v", d)
	}
	var a pipeline.Audio
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		a, err = tx.AudioOf(ctx, d.ID, pipeline.Original)
		return err
	})
	stored, err := w.vault.Open(context.Background(), a)
	w.must(err)
	defer stored.Close()
	got, err := io.ReadAll(stored)
	w.must(err)
	if !bytes.Equal(got, body) {
		t.Error("the store holds other bytes")
	}
	if jobs := w.jobs(d.ID); len(jobs) != 1 || jobs[0].Kind != pipeline.TranscribeJob || jobs[0].State != pipeline.JobQueued {
		t.Errorf("jobs %+v", jobs)
	}
	w.wantEmptySpool()
}

func TestWithoutTheObjectStoreNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t)
	w := setup(t, on(own))
	own.StopS3()
	_, err := w.svc.Submit(context.Background(), w.as("physician"), w.submission())
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the store is away: %v", err)
	}
	w.wantNothing()
	own.StartS3()
	w.submit()

	// PostgreSQL goes away between the object and the row: the bytes are safe, but nobody is told so.
	w.svc.Objects = afterPut{w.svc.Objects, func() { own.StopPostgres(true) }}
	_, err = w.svc.Submit(context.Background(), w.as("physician"), w.submission())
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the database went away: %v", err)
	}
	own.StartPostgres()
	if n := w.rows("dictations"); n != 1 {
		t.Errorf("%d dictations, want the first one only", n)
	}
	w.wantEmptySpool()
}

// afterPut does something between the object store and the database.
type afterPut struct {
	pipeline.Objects
	then func()
}

func (a afterPut) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	out, err := a.Objects.Put(ctx, practice, audioID, r, size)
	a.then()
	return out, err
}

// mangled is a store that says it kept something else.
type mangled struct{ pipeline.Objects }

func (m mangled) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	out, err := m.Objects.Put(ctx, practice, audioID, r, size)
	out.SHA256 = strings.Repeat("0", 64)
	return out, err
}

func TestAStoreThatKeptOtherBytesIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.svc.Objects = mangled{w.svc.Objects}
	_, err := w.svc.Submit(context.Background(), w.as("physician"), w.submission())
	wantFault(t, err, fault.Unavailable, "object_store_mismatch")
	w.wantNothing()
}

func TestWhatIsNoRecordingIsRefusedWithWordsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	stranger := newID()
	cases := map[string]struct {
		change func(*pipeline.Submission)
		kind   fault.Kind
		code   string
	}{
		"an empty file":              {func(s *pipeline.Submission) { s.Body = strings.NewReader("") }, fault.Invalid, "audio_empty"},
		"a text":                     {func(s *pipeline.Submission) { s.Body = strings.NewReader("Dear colleague, I saw your patient.") }, "", ""},
		"one byte":                   {func(s *pipeline.Submission) { s.Body = strings.NewReader("R") }, "", ""},
		"too large":                  {func(s *pipeline.Submission) { s.Body = bytes.NewReader(make([]byte, 1<<20+1)) }, fault.TooLarge, "audio_too_large"},
		"a broken upload":            {func(s *pipeline.Submission) { s.Body = iotest.ErrReader(io.ErrUnexpectedEOF) }, fault.Invalid, "upload_cut"},
		"a full disk":                {func(s *pipeline.Submission) { s.Body = iotest.ErrReader(errors.New("no space left on device")) }, fault.Unavailable, "spool_unavailable"},
		"an unknown work type":       {func(s *pipeline.Submission) { s.WorkType = "poem" }, fault.NotFound, "work_type_unknown"},
		"an unknown record number":   {func(s *pipeline.Submission) { s.EncounterID, s.PatientMRN = nil, "X-9" }, fault.Invalid, "patient_unknown"},
		"an unknown patient":         {func(s *pipeline.Submission) { s.EncounterID, s.PatientID = nil, &stranger }, fault.NotFound, ""},
		"a visit of another patient": {func(s *pipeline.Submission) { s.PatientID = &stranger }, fault.Invalid, "encounter_of_other_patient"},
		"a canceled request":         {func(s *pipeline.Submission) { s.Body = iotest.ErrReader(context.Canceled) }, fault.Canceled, "canceled"},
	}
	for name, c := range cases {
		sub := w.submission()
		c.change(&sub)
		_, err := w.svc.Submit(context.Background(), w.as("physician"), sub)
		f := fault.As(err)
		if err == nil || c.kind != "" && f.Kind != c.kind || c.code != "" && f.Code != c.code || fault.Retryable(err) && c.kind == "" || f.Kind == fault.Internal {
			t.Errorf("%s: %v, want %s %s", name, err, c.kind, c.code)
		}
		if err != nil && f.Public == "" {
			t.Errorf("%s: no words for the sender", name)
		}
	}
	w.wantNothing()
}

func TestARecordingThatCannotBeJudgedNowIsKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.svc.Prober = unsure{}
	w.wantState(w.submit(), pipeline.Queued)
}

type unsure struct{}

func (unsure) Probe(context.Context, string) error {
	return fault.New(fault.Unavailable, "ffmpeg_missing", "Install ffmpeg.")
}

func TestTheAuthorMustBeAnActivePhysician(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, author := range []string{"editor", "supervisor", "compliance"} {
		sub := w.submission()
		sub.AuthorID = w.people[author].ID
		_, err := w.svc.Submit(context.Background(), w.as("supervisor"), sub)
		wantFault(t, err, fault.Invalid, "author_not_physician")
	}
	w.must(w.svc.SetPersonDisabled(context.Background(), w.as("admin"), w.people["physician"].ID, true))
	sub := w.submission()
	sub.AuthorID = w.people["physician"].ID
	_, err := w.svc.Submit(context.Background(), w.as("supervisor"), sub)
	wantFault(t, err, fault.Invalid, "author_not_physician")
	w.wantNothing()
}

func TestTheSameKeyOrTheSameBytesAreTheSameDictation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx, body := context.Background(), tone()
	puts := 0
	w.svc.Objects = afterPut{w.svc.Objects, func() { puts++ }}
	send := func(who, key string, body []byte) (pipeline.Receipt, error) {
		sub := w.submission()
		sub.EncounterID, sub.PatientMRN = nil, w.patient.MRN
		sub.ClientKey, sub.Body = key, bytes.NewReader(body)
		return w.svc.Submit(ctx, w.as(who), sub)
	}
	first, err := send("physician", "k1", body)
	w.must(err)
	for name, key := range map[string]string{"same key and bytes": "k1", "same bytes, other key": "k2", "same bytes, no key": ""} {
		again, err := send("physician", key, body)
		if err != nil || !again.Duplicate || again.DictationID != first.DictationID || again.SHA256 != first.SHA256 || !again.ReceivedAt.Equal(first.ReceivedAt.Truncate(1000)) {
			t.Errorf("%s: %+v, %v; first %+v", name, again, err, first)
		}
	}
	_, err = send("physician", "k1", tone())
	wantFault(t, err, fault.Conflict, "client_key_reused")
	colleague, err := send("other", "k1", body)
	w.must(err)
	if colleague.Duplicate || colleague.DictationID == first.DictationID {
		t.Error("two authors share a dictation")
	}
	if n := w.rows("dictations"); n != 2 || puts != 2 {
		t.Errorf("%d dictations and %d objects, want 2 of each", n, puts)
	}
}

func TestTwentyIdenticalUploadsAtOnceAreOneDictation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := tone()
	for name, key := range map[string]string{"by key": "k", "by bytes": ""} {
		before := w.rows("dictations")
		var wg sync.WaitGroup
		receipts := make(chan pipeline.Receipt, 20)
		for range 20 {
			wg.Go(func() {
				sub := w.submission()
				sub.ClientKey, sub.Body = key, bytes.NewReader(body)
				r, err := w.svc.Submit(context.Background(), w.as("physician"), sub)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				receipts <- r
			})
		}
		wg.Wait()
		close(receipts)
		ids, fresh := map[uuid.UUID]bool{}, 0
		for r := range receipts {
			ids[r.DictationID] = true
			if !r.Duplicate {
				fresh++
			}
		}
		if n := w.rows("dictations") - before; len(ids) != 1 || fresh != 1 || n != 1 {
			t.Errorf("%s: %d ids, %d called new, %d rows", name, len(ids), fresh, n)
		}
		body = tone()
	}
	w.wantEmptySpool()
}

func TestOneKeyForTwoRecordingsAtOnceIsToldToOneOfThem(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for range 5 {
		key := newID().String()
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				sub := w.submission()
				sub.ClientKey = key
				_, err := w.svc.Submit(context.Background(), w.as("physician"), sub)
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if a == nil {
			a, b = b, a
		}
		if b != nil {
			t.Fatalf("both failed: %v, %v", a, b)
		}
		wantFault(t, a, fault.Conflict, "client_key_reused")
	}
}

func TestFileNamesAndTypesAreCleanedBeforeTheyAreKept(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.submit(func(s *pipeline.Submission) {
		s.Filename, s.ContentType = "../../etc/\x00pass\nwd/..\\visit\x7f "+strings.Repeat("ü", 200)+".wav", "text/html; charset=utf-8"
	})
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		a, err := tx.AudioOf(ctx, id, pipeline.Original)
		if strings.ContainsAny(a.Filename, "/\\\x00\n\x7f") || len(a.Filename) > 120 || !strings.HasPrefix(a.Filename, "visit ü") {
			t.Errorf("file name %q", a.Filename)
		}
		if a.ContentType != "application/octet-stream" {
			t.Errorf("content type %q", a.ContentType)
		}
		return err
	})
}
