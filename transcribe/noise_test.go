package transcribe

import (
	"strings"
	"testing"

	"vesper/transcribe/audio"
)

func TestWordsOverLaughterBetweenTwoSentencesAreStruckIfTheyAreDoubtful(t *testing.T) {
	t.Parallel()
	sec := audio.Rate
	c := Chunk{
		Pieces: []Piece{{0, 12 * sec}},
		Speech: []Region{{From: 0, To: 3 * sec}, {From: 5 * sec, To: 8 * sec, Loud: true}, {From: 9 * sec, To: 12 * sec}},
	}
	for logp, want := range map[float64]string{-1.4: "ha ha", -0.2: ""} {
		words := []rawWord{
			{text: "He", start: 1, end: 1.3, logp: -2},
			{text: "laughed.", start: 1.3, end: 2, logp: -2},
			{text: "ha", start: 5.5, end: 6, logp: logp},
			{text: "ha", start: 6, end: 6.6, logp: logp},
			{text: "Then", start: 9, end: 9.5, logp: -2},
		}
		why := make([]string, len(words))
		strikeNoise(c, words, why)
		var struck []string
		for i, w := range words {
			if why[i] != "" {
				struck = append(struck, w.text)
			}
		}
		if got := strings.Join(struck, " "); got != want {
			t.Errorf("at %v: struck %q, want %q", logp, got, want)
		}
	}
}

func TestFaintSpeechIsRaisedAndTheRestIsLeftAlone(t *testing.T) {
	t.Parallel()
	x := make([]float32, 9*audio.Rate)
	for i := range x {
		level := map[bool]float32{true: 0.3, false: 0.003}[i < 4*audio.Rate]
		x[i] = level * float32(1-2*(i/40%2))
	}
	c := Chunk{Pieces: []Piece{{0, len(x)}}, Speech: []Region{{From: 0, To: 4 * audio.Rate}, {From: 5 * audio.Rate, To: 9 * audio.Rate}}}
	y := even(x, c)
	for i := range x[:4*audio.Rate] {
		if x[i] != y[i] {
			t.Fatalf("loud sample %d was changed", i)
		}
	}
	if gain := decibel(y[6*audio.Rate:7*audio.Rate]) - decibel(x[6*audio.Rate:7*audio.Rate]); gain < 29.9 || gain > 30.1 {
		t.Errorf("40 dB below the rest, raised by %.1f dB, want 30", gain)
	}
	c.Speech = c.Speech[:1]
	if z := even(x, c); &z[0] != &x[0] {
		t.Error("a chunk of one level was copied")
	}
}
