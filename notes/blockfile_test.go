package notes_test

import (
	"strings"
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/notes"
)

func TestAFileOfTextsIsReadOrSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	got, err := notes.ReadTextBlocks([]byte("- name: heart  exam\n  also: [cardiac exam]\n  text: |\n    Regular rhythm.\n    No murmur.\n"), "texts.yaml", time.Unix(9, 0))
	if err != nil || len(got) != 1 || got[0].Name != "heart exam" || got[0].Text != "Regular rhythm.\nNo murmur." || got[0].ApprovedBy != "texts.yaml" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"- name: x\n  txt: y", "- name: x", "- text: y", "name: x", "- {name: a b, text: x}\n- {name: c, also: [a b], text: y}"} {
		if _, err := notes.ReadTextBlocks([]byte(bad), "f", time.Time{}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := notes.ReadTextBlocks([]byte("- name: x\n  txt: y"), "f", time.Time{}); err == nil || !strings.Contains(fault.As(err).Public, "2") {
		t.Errorf("no line is named: %v", err)
	}
}
