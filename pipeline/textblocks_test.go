package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
	"vesper/notes"
	"vesper/pipeline"
)

// addAndRemoveBlock adds a text to the physician's list and takes it out again.
func addAndRemoveBlock(w *world, a access.Actor, _ uuid.UUID) error {
	ctx := context.Background()
	b, err := w.svc.AddTextBlock(ctx, a, pipeline.TextBlock{Name: "consent", Text: "Risks were discussed."})
	if err != nil {
		return err
	}
	return w.svc.RemoveTextBlock(ctx, a, b.ID)
}

func TestPhysiciansKeepTextsOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	b, err := w.svc.AddTextBlock(ctx, w.as("physician"), pipeline.TextBlock{
		Name: " heart \t exam ", Also: []string{"cardiac exam", "heart exam", ""}, Text: " Regular rhythm.\r\nNo murmur. ",
	})
	w.must(err)
	if b.Name != "heart exam" || strings.Join(b.Also, "|") != "cardiac exam" || b.Text != "Regular rhythm.\nNo murmur." || b.AuthorID != w.people["physician"].ID {
		t.Errorf("added: %+v", b)
	}
	_, err = w.svc.AddTextBlock(ctx, w.as("physician"), pipeline.TextBlock{Name: "HEART exam", Text: "x"})
	wantFault(t, err, fault.Conflict, "block_exists")
	for name, text := range map[string]string{"x": "text", "...": "text", "lungs": " ", strings.Repeat("long ", 20): "text"} {
		if _, err := w.svc.AddTextBlock(ctx, w.as("physician"), pipeline.TextBlock{Name: name, Text: text}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q %q: %v", name, text, err)
		}
	}
	for _, who := range []string{"editor", "supervisor", "admin", "compliance"} {
		_, err := w.svc.AddTextBlock(ctx, w.as(who), pipeline.TextBlock{Name: "lungs", Text: "Clear."})
		wantFault(t, err, fault.Forbidden, "forbidden")
	}
	if err := w.svc.RemoveTextBlock(ctx, w.as("other"), b.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("another physician removed it: %v", err)
	}
	if got, err := w.svc.TextBlocks(ctx, w.as("other")); err != nil || len(got) != 0 {
		t.Errorf("another physician sees %v, %v", got, err)
	}
	w.must(w.svc.RemoveTextBlock(ctx, w.as("physician"), b.ID))
	got, err := w.svc.TextBlocks(ctx, w.as("physician"))
	w.must(err)
	if len(got) != 0 {
		t.Errorf("after removing: %v", got)
	}
	_, err = w.svc.AddTextBlock(ctx, w.as("physician"), pipeline.TextBlock{Name: "heart exam", Text: "Normal."})
	w.must(err)
}

func TestADraftInsertsTheTextThatItsAuthorApproved(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := context.Background()
	b, err := w.svc.AddTextBlock(ctx, w.as("physician"), pipeline.TextBlock{Name: "heart exam", Text: "Regular rhythm. No murmur."})
	w.must(err)
	_, err = w.svc.AddTextBlock(ctx, w.as("other"), pipeline.TextBlock{Name: "lung exam", Text: "Clear."})
	w.must(err)
	w.recite("Subjective, colon. She eats well, period. Insert my normal heart exam, period. Insert my normal lung exam, period. He walks, period.")
	id := w.reviewed()
	doc := w.newest(id).Document
	var inserted []notes.Run
	for _, s := range doc.Sections {
		for _, r := range s.Runs {
			if r.Source.Kind == notes.FromBlock {
				inserted = append(inserted, r)
			}
		}
	}
	if len(inserted) != 1 || !strings.Contains(inserted[0].Text, b.Text) || inserted[0].Source.By != b.AuthorID.String() ||
		inserted[0].Source.Version != b.ID.String() || !inserted[0].Source.At.Equal(b.AddedAt) {
		t.Fatalf("inserted %+v for %+v\n%s", inserted, b, notes.Text(doc))
	}
	if text := notes.Text(doc); strings.Contains(text, "Clear.") || !strings.Contains(text, "lung exam") {
		t.Errorf("somebody else's text: %s", text)
	}
	var taken string
	for _, one := range notes.Restorable(doc) {
		if one.Command == "insert my normal" {
			taken = one.ID
		}
	}
	v, err := w.svc.Restore(ctx, w.as("editor"), id, w.newest(id).Number, taken)
	w.must(err)
	if text := notes.Text(v.Document); strings.Contains(text, "Regular rhythm") || !strings.Contains(text, "nsert my normal heart exam") {
		t.Errorf("after putting back: %s", text)
	}
	_, err = w.svc.Restore(ctx, w.as("editor"), id, v.Number, "w99-99")
	wantFault(t, err, fault.NotFound, "nothing_to_restore")
}
