package transcribe

import (
	"context"
	"slices"
	"strings"
)

// Words that change what happens to the patient are held against the words they are taken for. Both readings are scored
// over the same audio; where the text as heard does not win by a clear margin, the place is reported with both readings.
// What counts as clear was fitted on minimal pairs, see docs.

// risky is a doubt before its place in the recording is known.
type risky struct {
	from, to int // tokens of the segment
	kind     DoubtKind
	heard    string
	other    string
	margin   float64
	repaired bool
}

// question is a reading to be scored.
type question struct {
	risky
	tokens []int
}

// questions lists the other readings of all risk words.
func (r *run) questions(words []said) []question {
	var out []question
	for _, w := range words {
		bare := trimmed(w.text)
		at := strings.Index(w.text, bare)
		if bare == "" || at < 0 {
			continue
		}
		for _, o := range confusables(bare) {
			text := w.text[:at] + o.text + w.text[at+len(bare):]
			out = append(out, question{risky{w.from, w.to, o.kind, bare, o.text, 0, false}, r.engine.Encode(" " + text)})
		}
	}
	return out
}

// doubt scores the other readings of the risk words of a segment and keeps those that come too near.
func (r *run) doubt(ctx context.Context, e *ear, s *segment) error {
	asked := r.questions(saidWords(s.Tokens))
	if len(asked) == 0 {
		return nil
	}
	base := s.IDs()
	edits := make([]Edit, len(asked))
	for i, q := range asked {
		edits[i] = Edit{At: q.from, Tokens: behind(q.tokens, base, q.to)}
	}
	scores, err := e.hearing.Score(ctx, e.context, base, edits)
	if err != nil {
		return err
	}
	for i, q := range asked {
		q.margin = sum(scores.Base[q.from:min(len(base), q.to+suffixTokens)]) - sum(scores.Edits[i])
		if q.margin < clearMargin[q.kind] {
			s.doubts = append(s.doubts, q.risky)
		}
	}
	return nil
}

// addDoubts adds what is doubted about a word; a doubt about several words grows with each.
func addDoubts(all []Doubt, w Word, about []risky) []Doubt {
	for _, d := range about {
		if n := slices.IndexFunc(all, func(o Doubt) bool {
			return o.Kind == d.kind && o.Heard == d.heard && o.Other == d.other && w.Start-o.End < 2
		}); n >= 0 && d.to-d.from > 1 {
			all[n].End = max(all[n].End, w.End)
			continue
		}
		all = append(all, Doubt{w.Start, w.End, d.kind, d.heard, d.other, round3(d.margin), d.repaired})
	}
	return all
}

// behind is a reading and a few tokens of the text after it.
func behind(tokens, base []int, to int) []int {
	out := append([]int{}, tokens[:min(len(tokens), longestEdit-suffixTokens)]...)
	return append(out, base[to:min(len(base), to+suffixTokens)]...)
}

// clearMargin is the margin, in nats, from which a reading stands.
var clearMargin = map[DoubtKind]float64{
	DoubtNumber: 4, DoubtUnit: 4, DoubtFrequency: 4, DoubtNegation: 4, DoubtSide: 4, DoubtPrefix: 4, DoubtDrug: 4,
}
