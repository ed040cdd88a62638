package notes_test

import (
	"strings"
	"testing"
	"time"

	"vesper/notes"
	"vesper/notes/templates"
)

// longScript is a dictation of about 400 words with all that takes time: commands, headings, numbers, names.
func longScript() string {
	part := `Subjective colon
Mrs. Winters is a sixty two year old woman here for follow up of hypertension period
she denies chest pain comma shortness of breath comma or headache period
medications colon lisinopril forty milligrams daily comma metformin one thousand milligrams twice daily period
objective colon blood pressure one forty two over eighty eight comma pulse seventy two period
lungs colon clear to auscultation bilaterally period
assessment colon hypertension comma not at goal period
plan colon number one increase lisinopril to forty milligrams daily period
number two basic metabolic panel in two weeks period
`
	return strings.Repeat(part, 4)
}

func BenchmarkDraftOfFourHundredWords(b *testing.B) {
	tpl, err := templates.Find("progress")
	if err != nil {
		b.Fatal(err)
	}
	tr := heard(longScript())
	b.ReportMetric(float64(len(tr.Words)), "words")
	for b.Loop() {
		if _, err := notes.Draft(tr, tpl, notes.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRebaseOfFourHundredWords(b *testing.B) {
	tpl, err := templates.Find("progress")
	if err != nil {
		b.Fatal(err)
	}
	doc, err := notes.Draft(heard(longScript()), tpl, notes.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var edited []notes.SectionText
	for _, s := range doc.Sections {
		edited = append(edited, notes.SectionText{Key: s.Key, Text: strings.ReplaceAll(s.Text(), "forty", "50") + " New words."})
	}
	for b.Loop() {
		notes.Rebase(doc, edited, "p1", time.Unix(0, 0))
	}
}
