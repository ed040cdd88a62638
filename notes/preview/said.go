package preview

import (
	"strings"

	"vesper/transcribe"
)

// The pace of a dictation that was typed and not spoken, in seconds.
const (
	wordTime  = 0.3
	wordSound = 0.28
	lineTime  = 0.5
)

// Said makes a transcript of a dictation as typed text: what is said, word for word, with a pause at the end of each line.
func Said(text string) transcribe.Transcript {
	var t transcribe.Transcript
	at := 0.0
	for l := range strings.SplitSeq(text, "\n") {
		for _, w := range strings.Fields(l) {
			t.Words = append(t.Words, transcribe.Word{Text: w, Start: at, End: at + wordSound, Confidence: 1})
			at += wordTime
		}
		at += lineTime
	}
	t.Text, t.Audio.Seconds = text, at
	return t
}
