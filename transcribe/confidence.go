package transcribe

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// The probability that a model gives its own tokens is no probability of being right: it is too sure of words in noise, and
// not sure enough of words that it could have written in several ways. A logistic map over a few features, fitted on the
// dictations for fitting, makes one of it. For a word heard with equal surroundings it grows with the probability.

// weights are of the map; all its features but the first and the last are log probabilities.
var weights = struct{ base, odds, mean, around, before, behind, noWord float64 }{3.51, 0.56, 1.71, 3.27, 0.43, 0.79, -1.77}

// confidence is the probability that word i was said as it is written. A repaired term has been judged as a whole already.
func (r *run) confidence(words []rawWord, i int) float64 {
	w := words[i]
	if slices.ContainsFunc(w.doubts, func(d risky) bool { return d.repaired }) {
		return w.p
	}
	lowest := func(k int) float64 {
		if k < 0 || k >= len(words) {
			return 0
		}
		return max(math.Log(words[k].p), -3)
	}
	p := clamp(w.p, 0.001, 1)
	z := weights.base + weights.odds*clamp(math.Log(p/(1.001-p)), -4, 6) + weights.mean*max(w.logp, -4) + weights.around*w.around +
		weights.before*lowest(i-1) + weights.behind*lowest(i+1)
	if !r.isWord(w.text) {
		z += weights.noWord
	}
	return 1 / (1 + math.Exp(-z))
}

// isWord says that a text is a figure, a word of plain English or of the lexicon.
func (r *run) isWord(text string) bool {
	t := strings.ToLower(trimmed(text))
	return strings.ContainsFunc(t, unicode.IsDigit) || lexicon.English(t) > 0 || r.lexicon != nil && r.lexicon.Has(t)
}
