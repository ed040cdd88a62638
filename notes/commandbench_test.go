package notes

import (
	"strings"
	"testing"
	"time"

	"vesper/notes/templates"
	"vesper/transcribe"
)

// mishearing is about 400 words as an engine writes them that hears the commands badly.
func mishearing() transcribe.Transcript {
	part := `Subjective, Kullen. Mrs. Hazel is a 62-year-old woman, Kamer, here for follow up of hypertension, Theriod.
She denies chest pain, coma, shortness of breath, Comet, or headache, Theriod. New pyrograph. Medications, colon. Lisinopril 40 mg daily,
Kamer. Metformin 1,000 mg twice daily, theriod. New Pedrograph, objective Kullen blood pressure 142 over 88, comma. Pulse 72, period.
Lungs, colon. Clear to auscultation bilaterally, period. Assessment, colon. Hypertension, Kameh, not at goal, guryad. Plan colon. Number one,
increase lisinopril to 40 mg daily, guryad. Number two, basic metabolic panel in two weeks, guryad. Correction, three weeks, period.
`
	var t transcribe.Transcript
	at := 0.0
	for _, w := range strings.Fields(strings.Repeat(part, 4)) {
		t.Words = append(t.Words, transcribe.Word{Text: w, Start: at, End: at + 0.3, Confidence: 0.9})
		at += 0.35
	}
	return t
}

func BenchmarkCommandsOfFourHundredWords(b *testing.B) {
	tpl, err := templates.Find("progress")
	if err != nil {
		b.Fatal(err)
	}
	tr := mishearing()
	newScanner(tr, tpl, Options{}).scan() // loads the lexicon
	b.ReportMetric(float64(len(tr.Words)), "words")
	for b.Loop() {
		newScanner(tr, tpl, Options{}).scan()
	}
}

// TestCommandsAreReadFast holds the time in which a dictation is read against ten milliseconds for 400 words, with room for
// a busy machine: the best of several runs counts.
func TestCommandsAreReadFast(t *testing.T) {
	tpl, err := templates.Find("progress")
	if err != nil {
		t.Fatal(err)
	}
	tr := mishearing()
	best := time.Hour
	for range 12 {
		begun := time.Now()
		newScanner(tr, tpl, Options{}).scan()
		best = min(best, time.Since(begun))
	}
	if limit := 40 * time.Millisecond; best > limit {
		t.Errorf("%d words took %v, more than %v", len(tr.Words), best, limit)
	}
}
