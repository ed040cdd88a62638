package transcribe

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Numbers, units, negations and sides that were misheard as something that no table knows. The model says itself what else
// it would have written at each place, with what probability. Where that is a number, a unit, a negation or a side of
// another meaning than what stands there, the place is doubted, with that reading. See also misfit, which asks where such a
// word would have to stand and does not.

// reading is what else could stand in the place of a token.
type reading struct {
	text string
	logp float64
}

// The figures were fitted on the dictations for fitting: at these, 98 of 100 doses, numbers, negations and sides there are right
// or reported, and 4 of 100 right ones are reported too.
const (
	plainRival  = 0.03 // probability of a risk word in the place of another word
	shakyRival  = 0.05 // of another word of the same kind in the place of a risk word
	longerRival = 0.08 // of a number that begins one word earlier
	lostPointAt = 0.05 // of "point" in the place of another word before a number
	gapRival    = 0.15 // of a risk word where there is only punctuation
	unsureLog   = -0.9 // log probability that a risk word means what stands there
	unheardLog  = -1.8 // the same, where no other word of the kind is likely either
	unsureNoisy = 1.0  // by how much more of that is forgiven for each nat that the text around it is surer
)

// unsure lists the doubts that the readings of single tokens give rise to. rivals are those of the tokens, as far as known.
func unsure(words []said, tokens []Token, rivals [][]reading) []risky {
	if len(rivals) != len(tokens) {
		return nil
	}
	u := doubter{words, tokens, rivals, meanLog(tokens)}
	var out []risky
	for i, w := range words {
		var found []risky
		if class := riskClass(w.text); class != "" {
			found = append(found, u.shaky(i, class)...)
		} else {
			found = append(found, u.hidden(i)...)
		}
		out = append(out, append(found, u.gap(i)...)...)
	}
	return out
}

// doubter looks at the words of one segment.
type doubter struct {
	words  []said
	tokens []Token
	rivals [][]reading
	clear  float64 // mean log probability of the segment
}

func meanLog(tokens []Token) float64 { return Decoding{Tokens: tokens}.AvgLogProb() }

// shaky doubts a risk word that the model holds for hardly likelier than others. Other spellings of the same count for it.
func (u doubter) shaky(i int, class DoubtKind) []risky {
	w := u.words[i]
	worst, best := 0.0, reading{logp: math.Inf(-1)}
	for t := w.from; t < w.to; t++ {
		heard := meaning(string(u.tokens[t].Text))
		inner := t+1 < w.to && isSpoken(u.tokens[t+1].Text) && heard == "."
		if !isSpoken(u.tokens[t].Text) && !inner {
			continue
		}
		same := math.Exp(u.tokens[t].LogP)
		top := reading{logp: math.Inf(-1)}
		for _, r := range u.rivals[t] {
			switch m := meaning(r.text); {
			case alike(m, heard):
				same += math.Exp(r.logp)
			case riskClass(r.text) != class:
			case r.logp > top.logp:
				top = reading{u.with(i, t, r.text), r.logp}
			}
		}
		if lp := math.Log(min(1, same)); lp < worst {
			worst, best = lp, top
		}
	}
	few := best.logp < math.Log(shakyRival) && worst > unheardLog
	if best.text == "" || few || worst > unsureLog-unsureNoisy*(u.clear-usualLog) {
		return nil
	}
	return []risky{{from: w.from, to: w.to, kind: class, heard: trimmed(w.text), other: best.text, margin: worst - best.logp}}
}

// alike says that two meanings are one, or, of words, one the beginning of the other: a word may be cut into tokens in many ways.
func alike(a, b string) bool {
	return a == b || len(a) > 2 && len(b) > 2 && figures(a) == "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// usualLog is the mean log probability of a text that was heard neither well nor badly.
const usualLog = -0.3

// with is a word with another token at t. A reading that begins a word of its own ends this one.
func (u doubter) with(i, t int, text string) string {
	w := u.words[i]
	var b strings.Builder
	for k := w.from; k < t; k++ {
		b.Write(u.tokens[k].Text)
	}
	b.WriteString(text)
	for k := t + 1; k < w.to && !(t == w.from && meaning(text) != "" && notDigitIn(text)) && !startsWord([]byte(text)[min(1, len(text)):]); k++ {
		b.Write(u.tokens[k].Text)
	}
	return trimmed(b.String())
}

func notDigitIn(text string) bool { return figures(text) == "" }

// hidden doubts a plain word where a risk word would have been likely enough.
func (u doubter) hidden(i int) []risky {
	w := u.words[i]
	if p := u.point(i); p > lostPointAt {
		d := risky{from: w.from, to: u.words[i+1].to, kind: DoubtNumber, heard: joinSaid(u.words[i : i+2]), other: "point " + trimmed(u.words[i+1].text)}
		d.margin = u.tokens[w.from].LogP - math.Log(p)
		return []risky{d}
	}
	text, p := u.risk(i, w.from)
	if p < plainRival || len(text) < 2 && notDigitIn(text) || len(text) > 2 && notDigitIn(text) && strings.HasPrefix(strings.ToLower(w.text), strings.ToLower(text)) {
		return nil // a single letter, or the beginning of the word itself
	}
	d := risky{from: w.from, to: w.to, kind: riskClass(text), heard: trimmed(w.text), other: text, margin: u.tokens[w.from].LogP - math.Log(p)}
	if n := i + 1; n < len(u.words) && d.kind == DoubtNumber && riskClass(u.words[n].text) == DoubtNumber { // "he four": 34
		next := meaning(u.words[n].text)
		if m := meaning(text); p < longerRival || m == next || !strings.HasSuffix(m, next) {
			return nil
		}
		d.to, d.heard = u.words[n].to, d.heard+" "+trimmed(u.words[n].text)
	}
	return []risky{d}
}

// point is the probability that a word before a number is "point".
func (u doubter) point(i int) (p float64) {
	if i+1 == len(u.words) || riskClass(u.words[i+1].text) != DoubtNumber {
		return 0
	}
	for _, r := range u.rivals[u.words[i].from] {
		if strings.EqualFold(strings.TrimSpace(r.text), "point") {
			p += math.Exp(r.logp)
		}
	}
	return p
}

// gap doubts that nothing was said between two words, where a risk word would have been likely enough.
func (u doubter) gap(i int) []risky {
	w := u.words[i]
	for t := w.from + 1; t < w.to; t++ {
		if isSpoken(u.tokens[t].Text) || t+1 < w.to && isSpoken(u.tokens[t+1].Text) {
			continue
		}
		text, p := u.risk(i, t)
		if p < gapRival {
			continue
		}
		d := risky{from: w.from, to: w.to, kind: riskClass(text), heard: trimmed(w.text), margin: u.tokens[t].LogP - math.Log(p)}
		d.other = d.heard + " " + trimmed(text)
		return []risky{d}
	}
	return nil
}

// risk is the likeliest risk word among the readings of a token that begins a word, all spellings together, and its
// probability. What the word before or after says already is no other reading.
func (u doubter) risk(i, t int) (text string, p float64) {
	mass, spelt := map[string]float64{}, map[string]string{}
	for _, r := range u.rivals[t] {
		m := meaning(r.text)
		if !startsWord([]byte(r.text)) || riskClass(r.text) == "" || u.says(i-1, m) || u.says(i, m) || u.says(i+1, m) {
			continue
		}
		mass[m] += math.Exp(r.logp)
		if spelt[m] == "" {
			spelt[m] = strings.TrimSpace(r.text)
		}
	}
	for m, v := range mass {
		if v > p || v == p && spelt[m] < text {
			text, p = spelt[m], v
		}
	}
	return text, p
}

// says tells whether a word has, or begins with, a meaning.
func (u doubter) says(i int, m string) bool {
	if i < 0 || i >= len(u.words) {
		return false
	}
	w := meaning(u.words[i].text)
	return w == m || m != "" && figures(m) == m && strings.HasPrefix(w, m)
}

// doubtsOf gathers what is doubted about the words of a segment: what the questions and the second pass say, and, where they
// say nothing, what the readings of single tokens and the words around say.
func (r *run) doubtsOf(s *segment, suggested []proposal, asked []question) []risky {
	var out []risky
	for _, q := range asked {
		if q.margin < clearMargin[q.kind] {
			out = append(out, q.risky)
		}
	}
	slices.SortStableFunc(out, func(a, b risky) int { return cmp.Compare(a.margin, b.margin) })
	out = apart(nil, out)
	for _, p := range suggested {
		out = append(out, p.doubt())
	}
	words := saidWords(s.Tokens)
	return apart(apart(out, misfits(words)), unsure(words, s.Tokens, s.rivals))
}

// apart adds those doubts that touch no doubt about a risk word yet.
func apart(doubts, more []risky) []risky {
	for _, d := range more {
		if !slices.ContainsFunc(doubts, func(o risky) bool {
			return o.from < d.to && d.from < o.to && o.kind != DoubtTerm && o.kind != DoubtDrug
		}) {
			doubts = append(doubts, d)
		}
	}
	return doubts
}

// readings turns tokens into their texts.
func (r *run) readings(rivals [][]Rival) [][]reading {
	out := make([][]reading, len(rivals))
	for i, at := range rivals {
		for _, x := range at {
			out[i] = append(out[i], reading{string(r.engine.Bytes(x.ID)), x.LogP})
		}
	}
	return out
}
