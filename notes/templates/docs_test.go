package templates_test

import (
	"os"
	"strings"
	"testing"

	"vesper/notes/templates"
)

func TestTheGuideListsEveryWorkTypeAndItsExampleIsValid(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(raw)
	for _, tpl := range templates.All() {
		for _, want := range []string{"| `" + tpl.Key + "` | " + tpl.Name, tpl.LOINC.Code + " " + tpl.LOINC.Display} {
			if !strings.Contains(guide, want) {
				t.Errorf("docs/templates.md does not have %q", want)
			}
		}
	}
	_, example, _ := strings.Cut(guide, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	tpl, err := templates.Parse("wound.yaml", []byte(example))
	if err != nil || tpl.Key != "wound_check" {
		t.Errorf("the guide's example: %q, %v", tpl.Key, err)
	}
}
