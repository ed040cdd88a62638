package transcribe

import (
	"cmp"
	"context"
	"slices"
)

const (
	briefest   = 0.2       // s of speech that stands alone and is asked about again; a spoken "no" is not much longer
	fillMargin = 4800      // samples (0.3 s) on each side of what is asked about again
	fillWide   = 6 * 16000 // samples on each side when that was not enough
	fillMost   = 6         // stretches of a chunk that are asked about again
	loudGap    = 0.8       // s that a loud stretch lasts to be asked about again
	fillLogP   = -1.0      // mean log probability of words that are believed
)

// fill listens again, closely, to speech in a chunk that became no words: in the middle of a long text the model passes
// over a short answer after a heading, or over a faint sentence. What it hears then takes its place among the words.
func (r *run) fill(ctx context.Context, e *ear, c Chunk, a *attempt) error {
	if a.loudOnly || a.overNoise() {
		return nil
	}
	for n, gap := range c.gaps(a.words) {
		if n == fillMost {
			break
		}
		for _, margin := range []int{fillMargin, fillWide} {
			heard, err := r.hearGap(ctx, e, c, gap, margin)
			if err != nil {
				return err
			}
			a.again++
			if heard = a.news(c, gap, heard); len(heard) > 0 {
				a.words = append(a.words, heard...)
				slices.SortStableFunc(a.words, func(x, y rawWord) int { return cmp.Compare(x.end, y.end) })
				break
			}
		}
	}
	return nil
}

// gaps are the stretches of speech in a chunk, in seconds of the recording, that no word accounts for, and the long loud
// ones that may be speech.
func (c Chunk) gaps(words []rawWord) []Span {
	var covered []Span
	for _, w := range words {
		p := place(w, c)
		covered = append(covered, Span{Start: p.Start, End: p.End})
	}
	_, out := restOfSpeech(covered, c.Speech, briefest)
	for _, s := range c.Speech {
		if loud := (Span{Start: seconds(s.From), End: seconds(s.To)}); s.Loud && seconds(s.To-s.From) >= loudGap {
			if rest := without([]Span{loud}, covered, shortestSpan); len(rest) == 1 && rest[0] == loud {
				out = append(out, loud)
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return out
}

// hearGap decodes a gap with a margin and returns the words that lie in it, if they are to be believed.
func (r *run) hearGap(ctx context.Context, e *ear, c Chunk, gap Span, margin int) ([]rawWord, error) {
	from := max(0, c.inside(samplesOf(gap.Start))-margin)
	to := min(len(e.samples), c.inside(samplesOf(gap.End))+margin)
	s, err := e.decode(ctx, from, to, DecodeOptions{Beams: r.settings.Beams})
	if err != nil || len(s.Tokens) == 0 {
		return nil, err
	}
	a := attempt{segments: []segment{s}}
	a.evidence = gather(a.segments)
	a.speech, a.loudOnly = seconds(to-from), c.voiced(gap.Start, gap.End) == 0
	if !s.Ended || a.overNoise() || a.logp < fillLogP || a.evidence.trouble() == ReasonLoop || a.evidence.trouble() == ReasonTooFast {
		return nil, nil
	}
	if err := r.finish(ctx, e, &a); err != nil {
		return nil, err
	}
	why := verdicts(a, func(w rawWord) float64 { return c.voiced(c.At(w.start, false), c.At(w.until, true)) })
	var out []rawWord
	for i, w := range a.words {
		p := place(w, c)
		if mid := (p.Start + p.End) / 2; why[i] == "" && mid > gap.Start-fillSlack && mid < gap.End+fillSlack {
			out = append(out, w)
		}
	}
	return out, nil
}

const fillSlack = 0.1 // s that a word may reach out of the gap with its middle

func samplesOf(second float64) int { return int(second * 16000) }

// news is what was heard in a gap without what the words on its sides already say: their times are not exact, and the
// margins overlap with them.
func (a *attempt) news(c Chunk, gap Span, heard []rawWord) []rawWord {
	mid := (gap.Start + gap.End) / 2
	at := 0
	for at < len(a.words) && c.At(a.words[at].end, true) < mid {
		at++
	}
	before, after := normals(a.words[:at]), normals(a.words[at:])
	words := normals(heard)
	for n := min(len(words), len(before)); n > 0; n-- {
		if slices.Equal(words[:n], before[len(before)-n:]) {
			heard, words = heard[n:], words[n:]
			break
		}
	}
	for n := min(len(words), len(after)); n > 0; n-- {
		if slices.Equal(words[len(words)-n:], after[:n]) {
			heard = heard[:len(heard)-n]
			break
		}
	}
	return heard
}
