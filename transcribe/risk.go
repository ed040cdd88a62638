package transcribe

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
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

// askBelow is the log probability of a word below which it is asked about. Of two thousand questions about likelier words
// one fell under its margin.
const askBelow = -0.1

// questions lists the other readings of the risk words that are not sure. In "120/80" and "31-year-old" each number is asked
// about on its own.
func (r *run) questions(words []said) []question {
	var out []question
	for i, w := range words {
		bare := trimmed(w.text)
		at := strings.Index(w.text, bare)
		if bare == "" || at < 0 || w.logp > askBelow {
			continue
		}
		ask := func(from, to int) {
			for _, o := range confusables(w.text[from:to]) {
				text := w.text[:from] + o.text + w.text[to:]
				out = append(out, question{risky{w.from, w.to, o.kind, bare, trimmed(text), 0, false}, i, r.engine.Encode(" " + text)})
			}
		}
		if notDigit(rune(bare[0])) {
			ask(at, at+len(bare))
			continue
		}
		for _, p := range numberParts.FindAllStringIndex(w.text, mostParts) {
			ask(p[0], p[1])
		}
	}
	return out
}

// numberParts finds the numbers in a word.
var numberParts = regexp.MustCompile(`\d+(?:[.,]\d+)*`)

const mostParts = 3 // numbers of one word that are asked about

// addDoubts adds what is doubted about the last word; a doubt about several words grows with each.
func addDoubts(all []Doubt, words []Word, about []risky) []Doubt {
	at := len(words) - 1
	for _, d := range about {
		heard, other := strings.ToValidUTF8(d.heard, "\uFFFD"), strings.ToValidUTF8(d.other, "\uFFFD")
		n := slices.IndexFunc(all, func(o Doubt) bool {
			return o.Last == at-1 && o.Kind == d.kind && o.Heard == heard && o.Other == other
		})
		if n >= 0 && d.to-d.from > 1 {
			all[n].Last = at
			continue
		}
		all = append(all, Doubt{First: at, Last: at, Kind: d.kind, Heard: heard, Other: other, Margin: round3(d.margin), Repaired: d.repaired})
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

// clearMargin is the margin, in nats, from which a reading stands. On the minimal pairs and dictations for fitting they ask
// about 3 of 100 numbers and units, 6 of 100 prefixes and hardly any other word (bench/asr/fit).
var clearMargin = map[DoubtKind]float64{
	DoubtNumber: 3.5, DoubtUnit: 4, DoubtFrequency: 4, DoubtNegation: 4, DoubtSide: 5, DoubtPrefix: 2,
}

// secondMargin is how much less likely the second reading may be, in nats, and still be reported.
const secondMargin = 5.0

// secondReading says that the second pass heard other figures or other risk words here. Such a change is never made; it is
// reported with both readings.
func (p proposal) secondReading() bool {
	return p.Second && (p.Guarded || p.Figures) && p.Alone > -secondMargin && p.Told > -secondMargin && risksOf(p.heard) != risksOf(p.text)
}

// risksOf are the risk words of a text in one form, so that "four hours" and "4 hours", "class III" and "class 3" read the same.
func risksOf(text string) string {
	var out []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '/' }) {
		if n := slices.Index(roman, trimmed(w)); n >= 0 {
			w = strconv.Itoa(n + 1)
		}
		if riskClass(w) != "" {
			out = append(out, meaning(w))
		}
	}
	return strings.Join(out, " ")
}

var roman = []string{"I ", "II", "III", "IV"} // the first is more often a pronoun

// riskKind is what kind of risk the difference of two readings is.
func riskKind(a, b string) DoubtKind {
	if figures(risksOf(a)) != figures(risksOf(b)) {
		return DoubtNumber
	}
	for _, text := range []string{a, b} {
		for w := range strings.FieldsSeq(text) {
			if !guardedWords[strings.ToLower(trimmed(w))] {
				continue
			}
			if o := confusables(trimmed(w)); len(o) > 0 {
				return o[0].kind
			}
		}
	}
	return DoubtNumber
}
