package transcribe

import (
	"math"
	"math/rand/v2"
	"testing"

	"vesper/transcribe/audio"
)

func TestABoundaryMovesIntoTheGapBetweenTwoWords(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 4*audio.Rate)
	gap := func(i int) bool { at := seconds(i); return at > 1.2 && at < 1.4 || at > 2.5 && at < 2.53 }
	for i := range x {
		if x[i] = float32(0.1 * rng.NormFloat64()); gap(i) {
			x[i] /= 1000
		}
	}
	c := Chunk{Pieces: []Piece{{0, len(x)}}, Speech: []Region{{From: 0, To: len(x)}}}
	words := []rawWord{{text: "left", start: 0.5, end: 1.1, until: 1.15}, {text: "knee", start: 1.1, end: 2}, {text: "pain", start: 2, end: 3}}
	edges(words, c, x)
	if a, b := words[0], words[1]; math.Abs(a.end-1.2) > 0.02 || math.Abs(b.start-1.4) > 0.02 {
		t.Errorf("ends at %.2f, begins at %.2f; the gap is 1.20–1.40", a.end, b.start)
	}
	if words[1].end != 2 || words[2].start != 2 {
		t.Errorf("without a gap near, the boundary moved to %.2f and %.2f", words[1].end, words[2].start)
	}
}

func TestTheLastWordBeforeAPauseEndsBeforeIt(t *testing.T) {
	t.Parallel()
	sec := audio.Rate
	c := Chunk{
		Pieces: []Piece{{0, 2 * sec}, {9 * sec, 12 * sec}}, // the pause is left out: its seam is at 2 s of the chunk
		Speech: []Region{{From: 0, To: 2*sec - sec/10}, {From: 9*sec + sec/10, To: 12 * sec}},
	}
	words := []rawWord{{text: "night.", start: 1.2, end: 2.13, until: 2.2}, {text: "Her", after: 2.13, start: 2.2, end: 2.8, until: 2.8}}
	edges(words, c, make([]float32, c.Samples()))
	a, b := place(words[0], c), place(words[1], c)
	if a.End > 2 || b.Start < 9 {
		t.Errorf("%+v, then %+v; speech stops at 1.9 and begins again at 9.1", a, b)
	}
	late := []Word{{Text: "night.", Start: 1.2, End: 1.6}}
	if reach(late, c.Speech); late[0].End != 1.9 {
		t.Errorf("the last word ends at %v, the speech at 1.9", late[0].End)
	}
}

func TestTheLastWordOfASentenceComesBackFromBehindThePause(t *testing.T) {
	t.Parallel()
	words := []Word{{Text: "a", Start: 45, End: 45.6}, {Text: "night.", Start: 54, End: 54.2}, {Text: "Her", Start: 54.2, End: 54.3}, {Text: "mood", Start: 54.3, End: 55}}
	if pullBack(words); words[0].End != 45.086 || words[1].Start != 45.086 || words[1].End != 45.6 || words[2].Start != 54 {
		t.Errorf("%+v", words)
	}
	answer := []Word{{Text: "fever?", Start: 45, End: 45.6}, {Text: "No.", Start: 54, End: 54.2}, {Text: "His", Start: 54.2, End: 54.3}}
	if pullBack(answer); answer[1].Start != 54 {
		t.Errorf("an answer after a pause was moved: %+v", answer)
	}
}

func TestNoWordIsLeftWithoutTimeBesideAnother(t *testing.T) {
	t.Parallel()
	words := []Word{
		{Text: "Milo", Start: 0.5, End: 1},
		{Text: "is", Start: 1.184, End: 1.224},
		{Text: "a", Start: 1.124, End: 1.224},
		{Text: "boy", Start: 1.224, End: 1.6},
		{Text: "with", Start: 1.224, End: 1.7},
		{Text: "pain", Start: 1.7, End: 2},
	}
	spread(words)
	separate(words)
	inOrderOfTime(words, 3)
	for _, w := range words {
		if w.End-w.Start < shortest-0.001 {
			t.Errorf("%+v", words)
		}
	}
}
