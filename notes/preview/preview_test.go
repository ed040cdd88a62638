package preview_test

import (
	"strings"
	"testing"

	"vesper/notes"
	"vesper/notes/preview"
	"vesper/notes/templates"
)

const said = `chief complaint colon cough period
vital signs colon blood pressure one twenty over eighty comma pulse seventy period
physical examination colon lungs colon clear period
plan colon number one rest <i>now period
`

func filled(t *testing.T) preview.Preview {
	t.Helper()
	tpl, err := templates.Find("hp")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := notes.Draft(preview.Said(said), tpl, notes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return preview.Preview{Template: tpl, Note: &doc}
}

func wants(t *testing.T, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			t.Errorf("%q is not in\n%s", text, got)
		}
	}
}

func TestAnEmptyPreviewShowsWhatEachSectionAsksFor(t *testing.T) {
	t.Parallel()
	for _, tpl := range templates.All() {
		var text, page strings.Builder
		p := preview.Preview{Template: tpl}
		if err := p.Text(&text); err != nil {
			t.Fatal(err)
		}
		if err := p.HTML(&page); err != nil {
			t.Fatal(err)
		}
		wants(t, text.String(), tpl.Name, tpl.LOINC.Code, "required", "said as")
		wants(t, page.String(), tpl.LOINC.Code, "</html>")
	}
}

func TestAFilledPreviewShowsTheNoteAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	var text, page strings.Builder
	p := filled(t)
	if err := p.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := p.HTML(&page); err != nil {
		t.Fatal(err)
	}
	wants(t, text.String(), "CHIEF COMPLAINT\nCough.", "Blood pressure: 120/80\nPulse: 70", "nothing was dictated", "TO SETTLE")
	wants(t, page.String(), "<th scope=\"row\">Blood pressure</th><td>120/80</td>", "<b>Lungs:</b>", "Nothing was dictated", "&lt;i&gt;")
	if strings.Contains(page.String(), "<i>") {
		t.Error("the page takes dictated text for markup")
	}
}
