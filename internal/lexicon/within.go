package lexicon

import (
	"slices"
	"strings"
	"unicode"
)

// Bounds of Within.
const (
	longestWithin = 6         // words of a term that is looked for
	mostWithin    = 400       // words of a text that are looked at
	everyday      = 0.35      // commonness from which a word alone says nothing
	breaksTerms   = ",;/()[]" // a term does not reach over these
)

// Within lists the terms that stand in a text, each once, in the text's order; of overlapping ones the longest, then the
// first. Single words of everyday English are left out, even where they are terms ("pain").
func (l *Lexicon) Within(text string) []Term {
	var out []Term
	left := mostWithin
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(breaksTerms, r) }) {
		words := strings.Fields(part)
		words = words[:min(len(words), left)]
		left -= len(words)
		for i := 0; i < len(words); {
			t, n := l.longestAt(words[i:])
			if n > 0 && !slices.ContainsFunc(out, func(o Term) bool { return keyOf(o.Text) == keyOf(t.Text) }) {
				out = append(out, t)
			}
			i += max(n, 1)
		}
	}
	return out
}

// longestAt finds the longest term that some words begin with, and its number of words.
func (l *Lexicon) longestAt(words []string) (Term, int) {
	for n := min(longestWithin, len(words)); n > 0; n-- {
		heard := strings.TrimFunc(strings.Join(words[:n], " "), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if heard == "" || n == 1 && English(heard) >= everyday {
			continue
		}
		if t, ok := l.Find(heard); ok {
			return t, n
		}
	}
	return Term{}, 0
}
