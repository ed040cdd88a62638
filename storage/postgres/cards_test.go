package postgres_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/pipeline"
)

func (w *world) cards(f pipeline.Filter) (ids []uuid.UUID) {
	w.Helper()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		ids = nil
		cards, err := tx.Cards(ctx, f)
		for _, c := range cards {
			ids = append(ids, c.ID)
		}
		return err
	})
	return ids
}

func TestACardShowsWhatAListNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, job := w.receive()
	run := w.claim(job)
	w.must(w.work.SaveChunk(ctxb(), job, run.LeaseToken, 0, 3, json.RawMessage(`{}`)))
	w.must(w.work.SaveChunk(ctxb(), job, run.LeaseToken, 1, 3, json.RawMessage(`{}`)))
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		w.must(tx.SetAudioSeconds(ctx, *d.AudioID, 42.5))
		c, err := tx.Card(ctx, d.ID)
		w.must(err)
		if c.AuthorName != w.physician.Name || c.PatientName != w.patient.Name || c.MRN != w.patient.MRN || c.Seconds != 42.5 ||
			c.Done != 2 || c.Total != 3 || c.ClaimedBy != nil || c.Obstacles != 0 {
			t.Errorf("card: %+v", c)
		}
		return nil
	})
	n, _ := w.draft()
	_, err := w.hold(n.ID, w.editor, time.Minute)
	w.must(err)
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		c, err := tx.Card(ctx, n.ID)
		w.must(err)
		if c.Obstacles != 2 || c.ClaimedBy == nil || *c.ClaimedBy != w.editor.ID || c.ClaimedName != w.editor.Name || c.State != pipeline.Drafted {
			t.Errorf("card: %+v", c)
		}
		note, err := tx.NoteOf(ctx, n.ID)
		w.must(err)
		clean := document("clean")
		clean.Blanks, clean.Flags = nil, nil
		_, err = tx.InsertVersion(ctx, pipeline.Version{NoteID: note.ID, Number: 2, Kind: pipeline.EditorEdit, Document: clean, ContentHash: "h", By: &w.editor.ID})
		w.must(err)
		c, err = tx.Card(ctx, n.ID)
		w.must(err)
		if c.Obstacles != 0 {
			t.Errorf("a clean newest version has %d obstacles", c.Obstacles)
		}
		return nil
	})
}

func TestCardsAreFilteredAndOrderedAsWorkIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := time.Now().UTC().Truncate(time.Microsecond)
	receive := func(minute, dueHours int, p pipeline.Priority) uuid.UUID {
		d, _ := w.receive(func(d *pipeline.Dictation) {
			d.ReceivedAt, d.Priority = base.Add(time.Duration(minute)*time.Minute), p
			d.DueAt = base.Add(time.Duration(dueHours) * time.Hour)
		})
		return d.ID
	}
	late, soon, stat := receive(0, 20, pipeline.Routine), receive(1, 2, pipeline.Routine), receive(2, 30, pipeline.Stat)
	drafted, _ := w.draft()
	mine, _ := w.draft()
	theirs, _ := w.draft()
	for _, h := range []struct {
		d uuid.UUID
		p pipeline.Person
	}{{mine.ID, w.editor}, {theirs.ID, w.second}} {
		_, err := w.hold(h.d, h.p, time.Minute)
		w.must(err)
	}
	queued := []pipeline.State{pipeline.Queued}
	same(t, "work", w.cards(pipeline.Filter{States: queued}), []uuid.UUID{stat, soon, late})
	same(t, "newest", w.cards(pipeline.Filter{States: queued, Newest: true}), []uuid.UUID{stat, soon, late})
	same(t, "page", w.cards(pipeline.Filter{States: queued, Limit: 1, Offset: 1}), []uuid.UUID{soon})
	same(t, "for the editor", w.cards(pipeline.Filter{States: []pipeline.State{pipeline.Drafted, pipeline.InReview}, ForEditor: &w.editor.ID}),
		[]uuid.UUID{drafted.ID, mine.ID})
	both := pipeline.Filter{States: []pipeline.State{pipeline.Drafted, pipeline.Queued}, Author: &w.physician.ID}
	all := w.cards(both)
	if len(all) != 6 || all[0] != stat || all[1] != soon {
		t.Errorf("several states are not merged in the order of work: %v", all)
	}
	for offset := range 6 {
		both.Limit, both.Offset = 2, offset
		same(t, "page of several states", w.cards(both), all[offset:min(offset+2, 6)])
	}
	same(t, "no state", w.cards(pipeline.Filter{States: []pipeline.State{"' OR true --"}}), []uuid.UUID(nil))
	w.super(`UPDATE dictations SET updated_at = now() - interval '2 days' WHERE id = '` + soon.String() + `'`)
	moved := w.cards(pipeline.Filter{States: queued, MovedSince: time.Now().Add(-24 * time.Hour)})
	same(t, "moved since yesterday, the last first", moved, []uuid.UUID{stat, late})
	kept, _ := w.draft()
	e := id()
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		if _, err := tx.AddEscalation(ctx, pipeline.Escalation{ID: e, DictationID: kept.ID, Rule: "a-rule", Episode: "1"}); err != nil {
			return err
		}
		return tx.Assign(ctx, pipeline.Assignment{DictationID: kept.ID, PersonID: w.editor.ID, EscalationID: e, Until: time.Now().Add(time.Hour)})
	})
	work := []pipeline.State{pipeline.Drafted, pipeline.InReview}
	same(t, "what is assigned before the rest", w.cards(pipeline.Filter{States: work, ForEditor: &w.editor.ID}), []uuid.UUID{kept.ID, drafted.ID, mine.ID})
	same(t, "the page after it", w.cards(pipeline.Filter{States: work, ForEditor: &w.editor.ID, Limit: 1, Offset: 1}), []uuid.UUID{drafted.ID})
	same(t, "for another editor in its place", w.cards(pipeline.Filter{States: work, ForEditor: &w.second.ID}), []uuid.UUID{drafted.ID, theirs.ID, kept.ID})
	loads := func() map[uuid.UUID]int {
		out := map[uuid.UUID]int{}
		w.in(func(ctx context.Context, tx pipeline.Tx) error {
			editors, err := tx.EditorLoads(ctx)
			for _, e := range editors {
				out[e.ID] = e.Load
			}
			return err
		})
		return out
	}
	same(t, "in hand", loads(), map[uuid.UUID]int{w.editor.ID: 2, w.second.ID: 1})
	w.super(`SET session_replication_role = replica; UPDATE dictations SET state = 'queued' WHERE id = '` + kept.ID.String() + `'`)
	same(t, "in hand while what is assigned is no draft", loads(), map[uuid.UUID]int{w.editor.ID: 1, w.second.ID: 1})
	w.super(`SET session_replication_role = replica; UPDATE dictations SET state = 'drafted' WHERE id = '` + kept.ID.String() + `'`)
	if n := len(w.cards(pipeline.Filter{Author: &w.physician.ID})); n != 7 {
		t.Errorf("the author sees %d", n)
	}
	if n := len(w.cards(pipeline.Filter{Author: &w.editor.ID})); n != 0 {
		t.Errorf("another author sees %d", n)
	}
	w.in(func(ctx context.Context, tx pipeline.Tx) error {
		counts, err := tx.Counts(ctx, nil)
		w.must(err)
		same(t, "counts", counts, map[pipeline.State]int{pipeline.Queued: 3, pipeline.Drafted: 4})
		none, err := tx.Counts(ctx, &w.editor.ID)
		w.must(err)
		same(t, "counts of another author", none, map[pipeline.State]int{})
		return nil
	})
}
