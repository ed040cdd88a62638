package notes_test

import (
	"strings"
	"testing"

	"vesper/notes/templates"
)

func TestStatementsThatSoundLikeHeadingsStayInTheText(t *testing.T) {
	t.Parallel()
	for _, tpl := range templates.All() {
		for _, said := range []string{
			"No complications.", "No drug allergies.", "No allergies to medications.", "No family history.", "No known allergies.", "No medications.",
			"No surgical history.", "Mild complications.", "No findings.", "No past medical history.", "No social history.", "No specimens.", "No impression.",
			"No drains.", "No comparison.", "Stable condition.", "Good condition.", "No home medications.", "No follow up.", "Normal examination.", "Minimal blood loss.",
		} {
			text := ""
			for _, s := range filled(draft(t, tpl.Key, "He is well. "+said+" He eats.")) {
				text += s.Text + "\n"
			}
			if !strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSuffix(said, "."))) {
				t.Errorf("%s: %q is gone from %q", tpl.Key, said, text)
			}
		}
	}
}
