package notes_test

import (
	"strings"
	"testing"

	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// heard makes a transcript of a script as an engine would: a line is a breath, words are 0.3 s, and the pause after a line
// is 0.5 s. Marks in the script are the engine's.
func heard(script string) transcribe.Transcript {
	var t transcribe.Transcript
	at := 0.5
	for _, line := range strings.Split(script, "\n") {
		for _, w := range strings.Fields(line) {
			t.Words = append(t.Words, transcribe.Word{Text: w, Start: at, End: at + 0.28, Confidence: 0.95})
			at += 0.3
		}
		at += 0.5
	}
	t.Audio.Seconds = at
	t.Spans = []transcribe.Span{{Start: 0, End: at, Kind: transcribe.SpanWords}}
	return t
}

func template(t *testing.T, name string) templates.Template {
	t.Helper()
	tpl, err := templates.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func draft(t *testing.T, workType, script string) notes.Document {
	t.Helper()
	doc, err := notes.Draft(heard(script), template(t, workType), notes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func notesSpan(start, end float64) transcribe.Span {
	return transcribe.Span{Start: start, End: end, Kind: transcribe.SpanUnheard, Reason: "no_words"}
}

func templateOf(t interface{ Fatal(...any) }) templates.Template {
	tpl, err := templates.Find("progress")
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}
