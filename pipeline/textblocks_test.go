package pipeline_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/fault"
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
