package numbers

import (
	"strings"
	"unicode"
)

// frequency writes abbreviations of how often, when and by which way as the style has them.
func frequency(s *scan, i int) (match, bool) {
	best, text := 0, ""
	for _, a := range s.style.AbbreviationsFrom(s.at(i)) {
		if len(a.Words) <= best || !s.phrase(i, a.Words) {
			continue
		}
		shouted := len(a.Words) == 1 && len(s.atoms[i].raw) > 2 && (s.atoms[i].raw == strings.ToUpper(s.atoms[i].raw) || strings.Contains(s.atoms[i].raw, "."))
		if a.Dose && !shouted && !s.afterDose(i) {
			continue
		}
		best, text = len(a.Words), a.Write
	}
	return match{to: i + best, text: text}, best > 0
}

// spelling writes a word as the practice spells it.
func spelling(s *scan, i int) (match, bool) {
	a := s.atoms[i]
	word, ok := s.style.Spelling[a.s]
	if !ok || word == a.s || !a.last {
		return match{}, false
	}
	switch {
	case a.raw == strings.ToUpper(a.raw):
		word = strings.ToUpper(word)
	case unicode.IsUpper(firstRune(a.raw)):
		word = strings.ToUpper(word[:1]) + word[1:]
	}
	return match{to: i + 1, text: word}, true
}

// greek writes Greek letters as words, alone or before what they name: "β-blocker" is beta-blocker.
func greek(s *scan, i int) (match, bool) {
	raw := s.atoms[i].raw
	letter := firstRune(raw)
	name := greekLetters[letter]
	if name == "" || !s.atoms[i].last {
		return match{}, false
	}
	rest := raw[len(string(letter)):]
	if r := firstRune(rest); rest != "" && r != '-' && !unicode.IsDigit(r) {
		return match{}, false // µg and the like are units
	}
	if rest != "" && rest[0] != '-' {
		rest = "-" + rest
	}
	return match{to: i + 1, text: name + rest}, true
}

var greekLetters = map[rune]string{
	'α': "alpha", 'β': "beta", 'γ': "gamma", 'δ': "delta", 'ε': "epsilon", 'κ': "kappa", 'λ': "lambda", 'ω': "omega",
	'Δ': "delta", 'σ': "sigma", 'θ': "theta",
}
