package transcribe

import (
	"cmp"
	"slices"
)

const (
	joinGap      = 0.6 // s between words that still count as one stretch of words
	unheardFrom  = 1.0 // s of speech between words that a person must hear
	aloneFrom    = 0.4 // s of speech that stands alone, without any word; a spoken "no" is not much longer
	wordReach    = 0.3 // s around a word that it accounts for, as word times are not exact
	shortestSpan = 0.001
)

// assemble puts the chunks together: all words in order, and spans that tile the recording.
func assemble(p Plan, results []ChunkResult) Transcript {
	t := Transcript{Words: []Word{}, Spans: []Span{}, Doubts: []Doubt{}}
	var struck, doubtful []Span
	for i, res := range results {
		if res.Trouble != "" {
			doubtful = append(doubtful, Span{Start: res.Start, End: res.End, Reason: res.Trouble})
		}
		words := res.Words
		if p.Chunks[i].Overlap && len(t.Words) > 0 {
			t.Words, words = mergeOverlap(t.Words, words, seconds(p.Chunks[i].Pieces[0].From+overlapSamples))
		}
		t.Doubts = append(timeDoubts(t.Doubts, t.Words), shiftDoubts(res.Doubts, len(res.Words)-len(words), len(t.Words))...)
		t.Words = append(t.Words, words...)
		struck = append(struck, res.Struck...)
	}
	end := round3(seconds(p.Samples))
	inOrderOfTime(t.Words, end)
	t.Text = joinWords(t.Words)
	t.Doubts = timeDoubts(t.Doubts, t.Words)
	t.Spans = distrust(tile(t.Words, struck, p.Speech, end), doubtful)
	return t
}

// inOrderOfTime makes word times monotonic and keeps them inside the recording, where rounding and seams bent them.
func inOrderOfTime(words []Word, end float64) {
	floor := 0.0
	for i := range words {
		w := &words[i]
		w.Start = min(max(w.Start, floor), end)
		w.End = min(max(w.End, w.Start), end)
		if i+1 < len(words) && words[i+1].Start < w.End {
			w.End = max(w.Start, words[i+1].Start)
		}
		floor = w.Start
	}
}

// mergeOverlap joins two chunks that share a second of running speech. Where both heard the same word there, the seam is
// at that word; else each side keeps what lies on its side of the cut.
func mergeOverlap(left, right []Word, cut float64) (l, r []Word) {
	const reach = 1.0 // s around the cut
	lo := len(left)
	for lo > 0 && left[lo-1].End > cut-reach {
		lo--
	}
	hi := 0
	for hi < len(right) && right[hi].Start < cut+reach {
		hi++
	}
	bestLen, bestL, bestR := 0, 0, 0
	for i := lo; i < len(left); i++ {
		for j := range hi {
			n := 0
			for i+n < len(left) && j+n < hi && normal(left[i+n].Text) == normal(right[j+n].Text) && normal(left[i+n].Text) != "" {
				n++
			}
			if n > bestLen {
				bestLen, bestL, bestR = n, i, j
			}
		}
	}
	if bestLen > 0 {
		return left[:bestL+bestLen], right[bestR+bestLen:]
	}
	keepL, keepR := len(left), 0
	for keepL > lo && left[keepL-1].Start+left[keepL-1].End > 2*cut {
		keepL--
	}
	for keepR < hi && right[keepR].Start+right[keepR].End <= 2*cut {
		keepR++
	}
	return left[:keepL], right[keepR:]
}

// tile covers 0…end without gap or overlap. Where claims meet, struck text wins, so that it is never lost, then words, then
// unheard speech; the rest is silence. What is a word is said by the list of words, not by the spans.
func tile(words []Word, struck []Span, speech []Region, end float64) []Span {
	claims := joinStruck(struck, end)
	heard := wordStretches(words)
	more, unheard := restOfSpeech(append(slices.Clone(claims), wordTimes(words)...), speech, aloneFrom)
	claims = append(claims, without(heard, claims, shortestSpan)...)
	claims = append(claims, without(unheard, claims, shortestSpan)...)
	claims = append(claims, without(more, claims, shortestSpan)...)
	slices.SortStableFunc(claims, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return fillSilence(joinWordSpans(claims), end)
}

func wordTimes(words []Word) []Span {
	out := make([]Span, len(words))
	for i, w := range words {
		out[i] = Span{Start: w.Start, End: w.End}
	}
	return out
}

// restOfSpeech shares out the speech that words and struck text do not cover: short rests belong to the words beside them,
// long ones, and speech that stands alone for so many seconds without any word, must be heard by a person.
func restOfSpeech(covered []Span, speech []Region, alone float64) (more, unheard []Span) {
	for _, r := range speech {
		if r.Loud {
			continue
		}
		whole := Span{Start: round3(seconds(r.From)), End: round3(seconds(r.To)), Kind: SpanUnheard, Reason: ReasonNoWords}
		for _, rest := range without([]Span{whole}, covered, shortestSpan) {
			length, bar := rest.End-rest.Start, unheardFrom
			if rest == whole {
				bar = alone
			}
			if rest.Start > whole.Start {
				length -= wordReach
			}
			if rest.End < whole.End {
				length -= wordReach
			}
			switch {
			case length >= bar:
				unheard = append(unheard, rest)
			case rest != whole:
				more = append(more, Span{Start: rest.Start, End: rest.End, Kind: SpanWords})
			}
		}
	}
	return more, unheard
}

// joinWordSpans joins word spans that touch.
func joinWordSpans(claims []Span) []Span {
	var out []Span
	for _, c := range claims {
		if n := len(out); n > 0 && c.Kind == SpanWords && out[n-1].Kind == SpanWords && out[n-1].Reason == c.Reason && c.Start-out[n-1].End < shortestSpan/2 {
			out[n-1].End = max(out[n-1].End, c.End)
			continue
		}
		out = append(out, c)
	}
	return out
}

// joinStruck sorts struck spans, keeps them inside the recording and joins those that overlap.
func joinStruck(struck []Span, end float64) []Span {
	sorted := slices.Clone(struck)
	slices.SortStableFunc(sorted, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	var out []Span
	for _, s := range sorted {
		s.Start = max(0, min(s.Start, round3(end-shortest)))
		s.End = min(max(s.End, s.Start+shortestSpan), end)
		if n := len(out); n > 0 && s.Start < out[n-1].End {
			last := &out[n-1]
			last.End, last.Text = max(last.End, s.End), last.Text+" "+s.Text
			continue
		}
		out = append(out, s)
	}
	return out
}

// wordStretches joins words that follow each other closely. A stretch breaks where speech between words was not heard:
// the gap is then longer than joinGap, because words are trimmed to a plausible length.
func wordStretches(words []Word) []Span {
	var out []Span
	for _, w := range words {
		if n := len(out); n > 0 && w.Start-out[n-1].End <= joinGap {
			out[n-1].End = max(out[n-1].End, w.End)
			continue
		}
		out = append(out, Span{Start: w.Start, End: max(w.End, w.Start), Kind: SpanWords})
	}
	return out
}

// without cuts the taken stretches out of spans and keeps the remains that last at least shortest seconds.
func without(spans, taken []Span, shortest float64) []Span {
	sorted := slices.Clone(taken)
	slices.SortFunc(sorted, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	var out []Span
	for _, s := range spans {
		rest := s
		for _, t := range sorted {
			if t.End <= rest.Start || t.Start >= rest.End {
				continue
			}
			if piece := rest; t.Start-rest.Start >= shortest {
				piece.End = t.Start
				out = append(out, piece)
			}
			if rest.Start = t.End; rest.Start >= rest.End {
				break
			}
		}
		if rest.End-rest.Start >= shortest {
			out = append(out, rest)
		}
	}
	return out
}

func fillSilence(claims []Span, end float64) []Span {
	out := make([]Span, 0, 2*len(claims)+1)
	at := 0.0
	for _, c := range claims {
		c.Start, c.End = max(c.Start, at), min(c.End, end)
		if c.End <= c.Start {
			continue
		}
		if c.Start > at {
			out = append(out, Span{Start: at, End: c.Start, Kind: SpanSilence})
		}
		out = append(out, c)
		at = c.End
	}
	if at < end {
		out = append(out, Span{Start: at, End: end, Kind: SpanSilence})
	}
	return out
}
