package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func (w *world) hold(dictation uuid.UUID, p pipeline.Person, d time.Duration) (c pipeline.Claim, err error) {
	err = w.try(func(ctx context.Context, tx pipeline.Tx) error {
		c, err = tx.AcquireClaim(ctx, dictation, p.ID, time.Now().Add(d))
		return err
	})
	return c, err
}

func (w *world) holder(dictation uuid.UUID) (c *pipeline.Claim) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		c, err = tx.ClaimOf(ctx, dictation)
		return err
	})
	return c
}

func TestAClaimIsExclusiveAndNamesItsHolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.draft()
	first, err := w.hold(d.ID, w.editor, time.Minute)
	w.must(err)
	if first.PersonName != w.editor.Name || first.Token == uuid.Nil || first.DictationID != d.ID {
		t.Errorf("claim: %+v", first)
	}
	_, err = w.hold(d.ID, w.second, time.Minute)
	wantFault(t, err, fault.Conflict, "claimed")
	if text := fault.As(err).Public; !strings.Contains(text, w.editor.Name) {
		t.Errorf("the holder is not named: %s", text)
	}
	renewed, err := w.hold(d.ID, w.editor, time.Hour)
	w.must(err)
	if renewed.Token != first.Token || !renewed.Until.After(first.Until) {
		t.Errorf("renewed: %+v", renewed)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.ReleaseClaim(ctx, d.ID, "released") })
	if c := w.holder(d.ID); c != nil {
		t.Errorf("released, but held: %+v", c)
	}
	taken, err := w.hold(d.ID, w.second, time.Minute)
	w.must(err)
	if taken.Token == first.Token {
		t.Error("a new claim has the old token")
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.ReleaseClaim(ctx, id(), "released") }) // nothing held is no error
}

func TestAnExpiredClaimIsTakenOverAndStaysInTheHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.draft()
	_, err := w.hold(d.ID, w.editor, -time.Second)
	w.must(err)
	if c := w.holder(d.ID); c != nil {
		t.Errorf("an expired claim is live: %+v", c)
	}
	c, err := w.hold(d.ID, w.second, time.Minute)
	w.must(err)
	if c.PersonID != w.second.ID {
		t.Errorf("held by %s", c.PersonName)
	}
	if n, err := w.raw(w.logins.Serve, w.practice, `SELECT * FROM claims WHERE dictation_id = $1`, d.ID); n != 2 || err != nil {
		t.Errorf("%d claims in the history, %v", n, err)
	}
	_, err = w.hold(d.ID, w.editor, time.Minute)
	wantFault(t, err, fault.Conflict, "claimed")
}

func TestOfManyPeopleAtOnceOneGetsTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, before := range []time.Duration{0, -time.Second} { // nobody holds it; somebody's claim has run out
		d, _ := w.draft()
		if before != 0 {
			_, err := w.hold(d.ID, w.physician, before)
			w.must(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		winners := map[uuid.UUID]bool{}
		for i := range 8 {
			person := []pipeline.Person{w.editor, w.second}[i%2]
			wg.Go(func() {
				c, err := w.hold(d.ID, person, time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					winners[c.PersonID] = true
				} else if fault.As(err).Code != "claimed" {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(winners) != 1 {
			t.Errorf("%d people hold it", len(winners))
		}
	}
}

func TestExpiredClaimsAreFoundInReviewOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	review := func(hold time.Duration) uuid.UUID {
		d, _ := w.draft()
		if hold != 0 {
			_, err := w.hold(d.ID, w.editor, hold)
			w.must(err)
		}
		w.in(func(ctx context.Context, tx pipeline.Tx) error {
			return tx.Move(ctx, d.ID, []pipeline.State{pipeline.Drafted}, pipeline.InReview, "")
		})
		return d.ID
	}
	expired, unheld := review(-time.Second), review(0)
	review(time.Minute)
	idle, _ := w.draft()
	_, err := w.hold(idle.ID, w.editor, -time.Second) // not in review: it waits in the queue
	w.must(err)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		got, err := tx.ExpiredClaims(ctx)
		same(t, "expired", got, []uuid.UUID{expired, unheld})
		return err
	})
}
