package transcribe

import (
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
	word   int
	tokens []int
}

// questions lists the other readings of all risk words.
func (r *run) questions(words []said) []question {
	var out []question
	for i, w := range words {
		bare := trimmed(w.text)
		at := strings.Index(w.text, bare)
		if bare == "" || at < 0 {
			continue
		}
		for _, o := range confusables(bare) {
			text := w.text[:at] + o.text + w.text[at+len(bare):]
			out = append(out, question{risky{w.from, w.to, o.kind, bare, o.text, 0, false}, i, r.engine.Encode(" " + text)})
		}
	}
	return out
}

// addDoubts adds what is doubted about the last word; a doubt about several words grows with each.
func addDoubts(all []Doubt, words []Word, about []risky) []Doubt {
	at := len(words) - 1
	for _, d := range about {
		n := slices.IndexFunc(all, func(o Doubt) bool {
			return o.Last == at-1 && o.Kind == d.kind && o.Heard == d.heard && o.Other == d.other
		})
		if n >= 0 && d.to-d.from > 1 {
			all[n].Last = at
			continue
		}
		all = append(all, Doubt{First: at, Last: at, Kind: d.kind, Heard: d.heard, Other: d.other, Margin: round3(d.margin), Repaired: d.repaired})
	}
	return all
}

// shiftDoubts moves the doubts of a chunk to the words of the whole: of its words from cut on, which now begin at base.
func shiftDoubts(doubts []Doubt, cut, base int) []Doubt {
	var out []Doubt
	for _, d := range doubts {
		if d.First >= cut {
			d.First, d.Last = d.First-cut+base, d.Last-cut+base
			out = append(out, d)
		}
	}
	return out
}

// timeDoubts gives doubts the times of their words, and leaves out those whose words are gone.
func timeDoubts(doubts []Doubt, words []Word) []Doubt {
	out := []Doubt{}
	for _, d := range doubts {
		if d.First >= 0 && d.Last < len(words) && d.First <= d.Last {
			d.Start, d.End = words[d.First].Start, words[d.Last].End
			out = append(out, d)
		}
	}
	return out
}

// clearMargin is the margin, in nats, from which a reading stands.
var clearMargin = map[DoubtKind]float64{
	DoubtNumber: 4, DoubtUnit: 4, DoubtFrequency: 4, DoubtNegation: 4, DoubtSide: 4, DoubtPrefix: 4, DoubtDrug: 4,
}
