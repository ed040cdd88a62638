package pipeline_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/pipeline"
)

func TestWhoMayNotSubmitMayNotLetAnUploadBeHeard(t *testing.T) {
	t.Parallel()
	w := setup(t)
	u := w.upload(speech(1))
	for _, who := range []string{"editor", "other", "compliance"} {
		sub := u.sub
		sub.AuthorID = w.people["physician"].ID
		sub.Body = bytes.NewReader(u.file)
		_, want := w.svc.Submit(context.Background(), w.as(who), sub)
		_, got := w.svc.Arrive(context.Background(), w.as(who), sub, bytes.NewReader(u.file), 100)
		gone := w.svc.Withdraw(context.Background(), w.as(who), sub)
		if fault.As(got).Code != fault.As(want).Code || fault.As(gone).Code != fault.As(want).Code || want == nil {
			t.Errorf("%s: submit %v, arrive %v, withdraw %v", who, want, got, gone)
		}
	}
	u.arrives(0.5)
	// A physician cannot add to another one's upload, or end it.
	sub := u.sub
	sub.EncounterID = nil
	_, err := w.svc.Arrive(context.Background(), w.as("other"), sub, bytes.NewReader(u.file), int64(len(u.file)))
	wantFault(t, err, fault.Conflict, "arriving_closed")
	w.must(w.svc.Withdraw(context.Background(), w.as("other"), sub))
	u.becomes(pipeline.ArrivingOpen)
}

// arrive is the first piece of an upload.
func arrive(w *world, a access.Actor, _ uuid.UUID) error {
	u := w.upload(speech(1))
	_, err := w.svc.Arrive(context.Background(), a, u.sub, bytes.NewReader(u.file), 1000)
	return err
}

func arriveAndWithdraw(w *world, a access.Actor, _ uuid.UUID) error {
	u := w.upload(speech(1))
	if _, err := w.svc.Arrive(context.Background(), a, u.sub, bytes.NewReader(u.file), 1000); err != nil {
		return err
	}
	return w.svc.Withdraw(context.Background(), a, u.sub)
}
