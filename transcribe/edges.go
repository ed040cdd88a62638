package transcribe

import (
	"math"
	"slices"
	"strings"

	"vesper/transcribe/audio"
)

// The figures of word edges. They come from words that were synthesised apart and laid end to end with known gaps.
const (
	alignLag  = 0.13             // s by which alignment ends a word too early, on average
	hopLength = audio.Rate / 100 // samples (10 ms) that loudness is measured in
	edgeReach = 25               // hops on each side of a boundary in which a gap is looked for
	edgeDip   = 22.0             // dB below the words beside it that a gap is quieter
	edgeLeast = 3                // hops; a shorter dip is part of a consonant
	edgeNear  = 0.5              // hops of length that a gap must have more for each hop it lies further away
)

// edges moves the boundary between two words into the gap between them, if there is one near: alignment knows which word
// comes when, the sound knows where it begins and ends.
func edges(words []rawWord, c Chunk, samples []float32) {
	keepBefore(words, c)
	hops := loudnessOf(samples)
	for i := 1; i < len(words); i++ {
		a, b := &words[i-1], &words[i]
		if b.start < a.end-0.001 || b.start-a.end > 1 {
			continue
		}
		at := hop(a.end)
		lo, hi := max(hop(a.start)+edgeLeast, at-edgeReach), min(hop(b.end)-edgeLeast, at+edgeReach, len(hops))
		if hi-lo < edgeLeast {
			continue
		}
		from, to, ok := gapNear(hops, lo, hi, at)
		if !ok {
			continue
		}
		a.end = float64(from) / 100
		a.until = max(a.until, a.end)
		b.start = max(float64(to)/100, a.end)
		b.after = b.start
	}
}

// keepBefore takes back the lag where it carries the end of a word into the stretch of speech after it.
func keepBefore(words []rawWord, c Chunk) {
	for i := range words {
		w := &words[i]
		for k := 1; k < len(c.Speech); k++ {
			last, at := seconds(c.inside(c.Speech[k-1].To)), seconds(c.inside(c.Speech[k].From))
			if w.end <= last || w.end-alignLag >= at+minOverlap || w.start >= last {
				continue
			}
			w.end = last
			if i+1 < len(words) {
				words[i+1].start, words[i+1].after = min(words[i+1].start, at), min(words[i+1].after, at)
			}
		}
	}
}

func hop(second float64) int { return int(math.Round(second * 100)) }

func loudnessOf(samples []float32) []float64 {
	out := make([]float64, 0, len(samples)/hopLength+1)
	for at := 0; at < len(samples); at += hopLength {
		out = append(out, decibel(samples[at:min(len(samples), at+hopLength)]))
	}
	return out
}

// gapNear finds the quiet run among hops lo…hi that is long and near to a boundary. The run may reach out of them.
func gapNear(hops []float64, lo, hi, at int) (from, to int, ok bool) {
	around := slices.Clone(hops[max(0, lo-edgeReach):min(len(hops), hi+edgeReach)])
	slices.Sort(around)
	bar := around[len(around)*4/5] - edgeDip
	best := -math.MaxFloat64
	for i := lo; i < hi; i++ {
		if hops[i] > bar {
			continue
		}
		end := i
		for end < len(hops) && hops[end] <= bar {
			end++
		}
		away := max(0, i-at, at-end)
		if score := float64(end-i) - edgeNear*float64(away); end-i >= edgeLeast && score > best {
			best, from, to, ok = score, i, end, true
		}
		i = end
	}
	return from, to, ok && best > 0
}

const (
	pullGap  = 0.3 // s of pause before a word that closes a sentence, though the sentence was not closed before the pause
	pullNext = 0.1 // s at most to the word after it
	pullMost = 0.5 // s that such a word lasts at most
)

// pullBack moves the last word of a sentence to where the sentence stopped, when alignment has it behind the pause, right
// before the first word of the next.
func pullBack(words []Word) {
	for i := 1; i+1 < len(words); i++ {
		before, w, next := &words[i-1], &words[i], &words[i+1]
		if !closes(w.Text) || strings.HasSuffix(w.Text, ",") || closes(before.Text) || w.Start-before.End < pullGap || next.Start-w.End > pullNext || w.End-w.Start > pullMost {
			continue
		}
		next.Start, w.End = w.Start, before.End
		share := float64(len(before.Text)) / float64(len(before.Text)+len(w.Text))
		before.End = round3(before.Start + (before.End-before.Start)*share)
		w.Start = before.End
	}
}

// closes says that a word ends a sentence or a part of one.
func closes(text string) bool {
	return strings.HasSuffix(text, ".") || strings.HasSuffix(text, ",") || strings.HasSuffix(text, "?")
}
