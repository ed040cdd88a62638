package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/pipeline"
)

// arriving is an open upload with one part that is ready.
func (w *world) arriving() pipeline.ArrivingPart {
	w.Helper()
	p := pipeline.ArrivingPart{
		PracticeID: w.practice, Upload: uuid.New(), Size: 10, Key: "arriving/" + uuid.NewString(), SealedKey: []byte("key"), SHA256: strings.Repeat("0", 64),
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		_, made, err := tx.OpenArriving(ctx, pipeline.Arriving{ID: p.Upload, AuthorID: w.physician.ID, Settings: []byte(`{}`)})
		if err == nil && !made {
			w.Error("the upload was there before")
		}
		if err == nil {
			err = tx.AddPart(ctx, p)
		}
		if err == nil {
			err = tx.PartReady(ctx, p)
		}
		return err
	})
	return p
}

func TestPartsFollowOneAnotherAndCountOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.arriving()
	again := func(p pipeline.ArrivingPart) error {
		return w.try(func(ctx context.Context, tx pipeline.Tx) error {
			if err := tx.AddPart(ctx, p); err != nil {
				return err
			}
			return tx.PartReady(ctx, p)
		})
	}
	wantFault(t, again(p), fault.Conflict, "arriving_closed")
	next := p
	next.Number, next.Key = 1, p.Key+"-1"
	wantFault(t, again(next), fault.Conflict, "arriving_closed") // not at the place where the first one ends
	next.Offset = 10
	w.must(w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.AddPart(ctx, next) }))
	stale := next
	next.SealedKey = []byte("another try")
	w.must(w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.AddPart(ctx, next) }))
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.PartReady(ctx, stale) }), fault.Conflict, "arriving_closed")
	w.must(w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.PartReady(ctx, next) }))
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		parts, err := tx.ArrivingParts(ctx, p.Upload, 1)
		if len(parts) != 1 || string(parts[0].SealedKey) != "another try" {
			t.Errorf("parts %+v", parts)
		}
		return err
	})
}

func TestOnlyTheHolderOfTheLeaseSavesWhatItHears(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	p := w.arriving()
	ctx := context.Background()
	a, err := w.work.ClaimArriving(ctx, "one")
	w.must(err)
	if a == nil || a.ID != p.Upload || a.Bytes != 10 || a.Parts != 1 {
		t.Fatalf("claimed %+v", a)
	}
	if b, err := w.work.ClaimArriving(ctx, "two"); b != nil || err != nil {
		t.Fatalf("claimed twice: %+v %v", b, err)
	}
	save := func(token uuid.UUID, n int) error {
		return w.work.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
			if err := tx.FreezeArrivingTerms(ctx, a.ID, token, []lexicon.Term{{Text: "zanterpel"}}); err != nil {
				return err
			}
			return tx.SaveHeard(ctx, a.ID, token, n, 12.5, []byte(`{}`))
		})
	}
	w.must(save(a.LeaseToken, 1))
	wantFault(t, save(uuid.New(), 2), fault.Conflict, "arriving_fenced")
	w.super(`UPDATE arriving SET lease_until = now() - interval '1 second'`)
	b, err := w.work.ClaimArriving(ctx, "two")
	w.must(err)
	if b == nil || b.Chunks != 1 || b.Heard != 12.5 || b.Attempt != 2 {
		t.Fatalf("claimed %+v", b)
	}
	wantFault(t, save(a.LeaseToken, 2), fault.Conflict, "arriving_fenced")
	wantFault(t, w.work.BeatArriving(ctx, a.ID, a.LeaseToken), fault.Conflict, "arriving_fenced")
	w.must(w.work.BeatArriving(ctx, b.ID, b.LeaseToken))
	w.must(w.work.ReleaseArriving(ctx, a.ID, a.LeaseToken, 0, "late", true)) // changes nothing
	d, _ := w.receive()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		return tx.ReceiveArriving(ctx, a.ID, w.physician.ID, d.ID)
	})
	w.must(save(b.LeaseToken, 2)) // what is heard until the transcription begins counts too
	w.must(w.work.InTx(ctx, w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		taken, err := tx.TakeArriving(ctx, d.ID)
		if taken == nil || taken.Chunks != 2 {
			t.Errorf("taken %+v", taken)
		}
		return err
	}))
	wantFault(t, save(b.LeaseToken, 3), fault.Conflict, "arriving_fenced")
}

func TestAnotherPracticeSeesNothingOfWhatArrives(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	p := w.arriving()
	a, err := w.work.ClaimArriving(context.Background(), "one")
	w.must(err)
	w.must(w.work.InTx(context.Background(), w.practice, func(ctx context.Context, tx pipeline.Tx) error {
		if err := tx.FreezeArrivingTerms(ctx, a.ID, a.LeaseToken, nil); err != nil {
			return err
		}
		return tx.SaveHeard(ctx, a.ID, a.LeaseToken, 1, 1, []byte(`{}`))
	}))
	other := w.newPractice("Harbor Clinic")
	for _, table := range []string{"arriving", "arriving_parts", "arriving_chunks", "arriving_terms"} {
		for _, login := range []string{w.logins.Serve, w.logins.Work} {
			if n, err := w.raw(login, other, "SELECT * FROM "+table); err == nil && n != 0 {
				t.Errorf("%s: another practice sees %d rows", table, n)
			}
		}
		if n, err := w.raw(w.logins.Work, w.practice, "SELECT * FROM "+table); err != nil || n != 1 {
			t.Errorf("%s: the own practice sees %d rows, %v", table, n, err)
		}
		n, err := w.raw(w.logins.Work, uuid.Nil, "SELECT * FROM "+table)
		if err != nil || n > 0 && table != "arriving" {
			t.Errorf("%s: across practices a worker sees %d rows, %v", table, n, err)
		}
	}
	for _, table := range []string{"arriving_chunks", "arriving_terms"} { // words of patients: the web server has no use for them
		_, err := w.raw(w.logins.Serve, w.practice, "SELECT * FROM "+table)
		wantState(t, err, "42501")
	}
	err = w.serve.InTx(context.Background(), other, func(ctx context.Context, tx pipeline.Tx) error {
		_, _, err := tx.OpenArriving(ctx, pipeline.Arriving{ID: p.Upload, AuthorID: w.physician.ID, Settings: []byte(`{}`)})
		return err
	})
	if err == nil {
		t.Error("another practice opened the same upload")
	}
	w.super(`UPDATE arriving SET active_at = now() - interval '2 hours'`)
	idle, err := w.work.IdleArriving(context.Background(), time.Hour)
	w.must(err)
	if len(idle) != 1 || idle[0].ID != p.Upload {
		t.Fatalf("idle: %+v", idle)
	}
	var dropped []bool
	for _, practice := range []uuid.UUID{other, w.practice, w.practice} {
		var gone bool
		w.must(w.work.InTx(context.Background(), practice, func(ctx context.Context, tx pipeline.Tx) (err error) {
			gone, err = tx.DropIdleArriving(ctx, p.Upload, time.Hour)
			return err
		}))
		dropped = append(dropped, gone)
	}
	same(t, "dropped from another practice, its own, and again", dropped, []bool{false, true, false})
	for range 2 {
		purge, err := w.work.ClosedArriving(context.Background(), 0)
		w.must(err)
		if len(purge) != 1 || purge[0].PracticeID != w.practice {
			t.Fatalf("to purge: %+v", purge)
		}
		w.must(w.work.InTx(context.Background(), w.practice, func(ctx context.Context, tx pipeline.Tx) error { return tx.StrikeArriving(ctx, p.Upload) }))
		w.must(w.work.PurgedArriving(context.Background(), p.Upload))
	}
	if n, err := w.raw(w.logins.Work, w.practice, "SELECT * FROM arriving"); err != nil || n != 0 {
		t.Errorf("%d rows are left, %v", n, err)
	}
}
