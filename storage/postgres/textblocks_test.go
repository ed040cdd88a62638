package postgres_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/pipeline"
)

func TestATextBlockIsFoundAsItStoodAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := pipeline.TextBlock{ID: id(), AuthorID: w.physician.ID, Name: "heart exam", Also: []string{"cardiac exam"}, Text: "Regular rhythm."}
	insert := func(b pipeline.TextBlock) error {
		return w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.InsertTextBlock(ctx, b) })
	}
	at := func(when time.Time) (out []pipeline.TextBlock) {
		w.in(func(ctx context.Context, tx pipeline.Tx) (err error) {
			out, err = tx.TextBlocks(ctx, w.physician.ID, when)
			return err
		})
		return out
	}
	w.must(insert(b))
	wantFault(t, insert(pipeline.TextBlock{AuthorID: w.physician.ID, Name: "Heart Exam", Text: "x"}), fault.Conflict, "block_exists")
	got := at(time.Time{})
	if len(got) != 1 || got[0].Name != b.Name || got[0].Text != b.Text || !reflect.DeepEqual(got[0].Also, b.Also) || got[0].AddedAt.IsZero() {
		t.Fatalf("stored: %+v", got)
	}
	added := got[0].AddedAt
	w.in(func(ctx context.Context, tx pipeline.Tx) error { return tx.RemoveTextBlock(ctx, b.ID) })
	if got := at(time.Time{}); len(got) != 0 {
		t.Errorf("a retired text is offered: %+v", got)
	}
	if got := at(added); len(got) != 1 {
		t.Errorf("at the time of its approval: %+v", got)
	}
	if got := at(added.Add(-time.Second)); len(got) != 0 {
		t.Errorf("before it was approved: %+v", got)
	}
	wantFault(t, w.try(func(ctx context.Context, tx pipeline.Tx) error { return tx.RemoveTextBlock(ctx, b.ID) }), fault.NotFound, "not_found")
	w.must(insert(pipeline.TextBlock{AuthorID: w.physician.ID, Name: "heart exam", Text: "Normal."}))
	for _, change := range []string{"UPDATE text_blocks SET text = 'x'", "DELETE FROM text_blocks", "UPDATE text_blocks SET removed_at = NULL"} {
		if _, err := w.raw(w.logins.Serve, w.practice, change); err == nil {
			t.Errorf("%s was let through", change)
		}
	}
}
