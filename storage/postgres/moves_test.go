package postgres_test

import (
	"context"
	"testing"
	"time"

	"vesper/notes"
	"vesper/pipeline"
)

func TestEveryChangeOfStateIsWrittenDownWhoeverMakesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, _ := w.receive()
	var before []pipeline.StateChange
	w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
		before, err = tx.Moves(ctx, d.ID)
		return err
	})
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Queued}, pipeline.Failed, "The disk is full."))
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Failed}, pipeline.Failed, "It is mended."))
		w.must(tx.Move(ctx, d.ID, []pipeline.State{pipeline.Failed}, pipeline.Failed, "It is mended.")) // says nothing new
		return nil
	})
	// As a person with the application's login would do it, past the program.
	_, err := w.raw(w.logins.Serve, w.practice, `UPDATE dictations SET state = 'queued', reason = '' WHERE id = $1`, d.ID)
	w.must(err)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		all, err := tx.Moves(ctx, d.ID)
		w.must(err)
		var got []pipeline.StateChange
		for _, m := range all[len(before):] {
			if time.Since(m.At) > time.Minute || m.At.Location() != time.UTC {
				t.Errorf("a step at %v", m.At)
			}
			m.At = time.Time{}
			got = append(got, m)
		}
		same(t, "steps", got, []pipeline.StateChange{
			{From: pipeline.Queued, To: pipeline.Failed, Reason: "The disk is full."},
			{From: pipeline.Failed, To: pipeline.Failed, Reason: "It is mended."},
			{From: pipeline.Failed, To: pipeline.Queued},
		})
		return nil
	})
	for _, login := range []string{w.logins.Serve, w.logins.Work} {
		_, err := w.raw(login, w.practice, `INSERT INTO state_changes (practice_id, dictation_id, from_state, to_state, reason)
			VALUES ($1, $2, 'queued', 'signed', '')`, w.practice, d.ID)
		wantState(t, err, "42501")
	}
	other := w.newPractice("Harbor Clinic")
	w.must(w.serve.InTx(context.Background(), other, func(ctx context.Context, tx pipeline.Tx) error {
		if all, err := tx.Moves(ctx, d.ID); err != nil || len(all) != 0 {
			t.Errorf("another practice sees %d steps (%v)", len(all), err)
		}
		return nil
	}))
}

func TestOnlyWhatNobodySettledIsAnObstacle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, n := w.draft()
	number := 1
	obstacles := func(doc notes.Document) (out int) {
		t.Helper()
		number++
		w.in(func(ctx context.Context, tx pipeline.Tx) error {
			_, err := tx.InsertVersion(ctx, pipeline.Version{NoteID: n.ID, Number: number, Kind: pipeline.EditorEdit, Document: doc, ContentHash: "h", By: &w.editor.ID})
			w.must(err)
			c, err := tx.Card(ctx, n.DictationID)
			out = c.Obstacles
			return err
		})
		return out
	}
	doc := document("text")
	doc.Blanks = nil
	doc.Flags = []notes.Flag{{ID: "a", Kind: "number"}, {ID: "b", Kind: "number"}}
	if got := obstacles(doc); got != 2 {
		t.Errorf("two open flags are %d obstacles", got)
	}
	doc.Flags[0].Settled = &notes.Settlement{}
	if got := obstacles(doc); got != 1 {
		t.Errorf("one of two flags is settled: %d obstacles", got)
	}
	doc.Flags[1].Settled = &notes.Settlement{}
	if got := obstacles(doc); got != 0 {
		t.Errorf("all flags are settled: %d obstacles", got)
	}
	doc.Blanks = []notes.Blank{{Start: 1, End: 2}}
	if got := obstacles(doc); got != 1 {
		t.Errorf("a blank is %d obstacles", got)
	}
	doc.Blanks, doc.Flags = nil, nil
	if got := obstacles(doc); got != 0 {
		t.Errorf("nothing is %d obstacles", got)
	}
}
