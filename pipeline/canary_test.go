package pipeline_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"vesper/ehr/sandbox"
	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/transcribe"
)

// TestNoWordOfThePatientLeavesTheNote takes a dictation that names its patient through every stage, with everything that
// can go wrong on the way, and then looks for the name wherever it must not be.
func TestNoWordOfThePatientLeavesTheNote(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	redisURL := testkit.Redis(t)
	w.engine.edit(func(t *transcribe.Transcript) {
		t.Words = append([]transcribe.Word(nil), t.Words...)
		t.Words[0].Text = canary
		t.Text = strings.Replace(t.Text, "Milo", canary, 1)
		t.Spans = append([]transcribe.Span(nil), t.Spans...)
	})
	var failures atomic.Int32
	w.engine.set(func(_ context.Context, chunk int) error {
		if chunk == 2 && failures.Add(1) == 1 {
			return unavailable()
		}
		return nil
	})
	w.ehrFaults.set(first(1, http.MethodPost, sandbox.Fault{Refuse: http.StatusServiceUnavailable}))
	seen := []string{}
	w.worker.Chart = &chart{answer: says(lexicon.Term{Text: canary + "ol", Kind: lexicon.Generic})}
	w.alive(redisURL)
	id := w.submit(func(s *pipeline.Submission) { s.Filename = canary + ".wav" })
	seen = append(seen, everythingIn(t, redisURL))
	testkit.Until(t, soon, "the first attempt failed", func() bool { return failures.Load() > 0 })
	w.hurry()
	w.reaches(id, pipeline.Drafted)
	seen = append(seen, everythingIn(t, redisURL))

	var errs []error
	note := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("a step that should fail did not")
		}
		errs = append(errs, err)
	}
	_, err := w.svc.Claim(ctx, w.as("editor"), id)
	w.must(err)
	v := w.newest(id)
	if text, _ := v.Document.Section("subjective"); !strings.Contains(text.Text(), canary) {
		t.Fatalf("the note does not hold the name: %q", text.Text())
	}
	_, err = w.svc.Save(ctx, w.as("editor"), id, 7, editedText(v.Document, "plan", canary))
	note(err)
	_, err = w.svc.Save(ctx, w.as("second"), id, 1, editedText(v.Document, "plan", canary))
	note(err)
	_, err = w.svc.Save(ctx, w.as("editor"), id, 1, editedText(v.Document, "plan", canary+" \x00"))
	if err != nil {
		note(err)
	}
	_, err = w.svc.Settle(ctx, w.as("editor"), id, w.newest(id).Number, canary, canary)
	note(err)
	note(w.svc.Reject(ctx, w.as("second"), id, canary))
	_, err = w.svc.Submit(ctx, w.as("physician"), pipeline.Submission{PatientMRN: canary, Body: bytes.NewReader(tone())})
	note(err)
	_, err = w.svc.Submit(ctx, w.as("physician"), pipeline.Submission{WorkType: canary, Body: bytes.NewReader(tone())})
	note(err)
	_, err = w.svc.Patients(ctx, w.as("editor"), canary)
	w.must(err)
	_, err = w.svc.Login(ctx, canary, canary)
	note(err)
	w.must(w.svc.Send(ctx, w.as("editor"), id, w.settleAll(w.as("editor"), id)))
	req := w.request(id)
	req.Password = canary
	_, err = w.svc.Sign(ctx, w.as("physician"), id, req)
	note(err)
	w.sign(id)
	testkit.Until(t, soon, "the first delivery failed", func() bool { return w.delivery(id).ErrorCode != "" || w.dictation(id).State == pipeline.Delivered })
	w.hurry()
	w.reaches(id, pipeline.Delivered)
	seen = append(seen, everythingIn(t, redisURL))

	look := func(where, text string) {
		t.Helper()
		if i := strings.Index(text, canary); i >= 0 {
			t.Errorf("%s holds the patient's name: …%s…", where, text[max(0, i-200):min(len(text), i+100)])
		}
	}
	for _, err := range errs {
		look("an error", err.Error()+fault.As(err).Public)
	}
	look("the log", w.logs.String())
	for _, dump := range seen {
		look("Redis", dump)
	}
	if rows := testkit.Column[string](t, w.admin, `SELECT terms::text FROM job_terms`); len(rows) != 1 || !strings.Contains(rows[0], canary+"ol") {
		t.Errorf("the engine was not told of the patient's drug: %v", rows)
	}
	if !strings.Contains(seen[len(seen)-1], "asynq") {
		t.Error("nothing of the queue was looked at")
	}
	for _, table := range []string{"jobs", "job_chunks", "audit_events", "claims", "deliveries"} {
		for _, row := range testkit.Column[string](t, w.admin, fmt.Sprintf(`SELECT row_to_json(x)::text FROM %s x`, table)) {
			look("the table "+table, row)
		}
	}
}
