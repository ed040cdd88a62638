package notes

import (
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// FlagUnknown is the kind of flag for what is no word: the engine wrote down sounds.
const FlagUnknown FlagKind = "unknown_word"

const (
	unknownBelow    = 0.6 // confidence under which a strange word is flagged: rare words that are right are heard clearly
	shortestUnknown = 5   // letters
)

// flagUnknown flags words that neither plain English nor medicine has and of which the engine was not sure. Neighbours share
// a flag. Among drugs and allergies they must be settled.
func (s *scanner) flagUnknown(patient Patient, expected []lexicon.Term) []Flag {
	known := lexicon.Default().With(expected...)
	names := strings.ToLower(patient.Name)
	var out []Flag
	for _, seg := range s.segments {
		for i := 0; i < len(seg.items); i++ {
			end := i
			for end < len(seg.items) && s.unknownWord(known, names, seg.items, end) {
				end++
			}
			if end == i {
				continue
			}
			tokens, text := tokensIn(seg.items[i:end]), joinItems(seg.items[i:end])
			severity := Notice
			if seg.section == "medications" || seg.section == "allergies" {
				severity = Critical
			}
			what := "is no word that Vesper knows"
			if end > i+1 {
				what = "are no words that Vesper knows"
			}
			out = append(out, s.flag(FlagUnknown, severity, seg.section, tokens, text, "“"+text+"” "+what+", and it was not heard clearly. Listen to it."))
			i = end
		}
	}
	return out
}

// unknownWord says that an item is a word of no language, said by no name, and heard unclearly.
func (s *scanner) unknownWord(known *lexicon.Lexicon, names string, items []item, i int) bool {
	it := items[i]
	if it.kind != itemWord || it.rule != "" || len(it.tokens) == 0 || s.sureOfItem(it) >= unknownBelow {
		return false
	}
	if i > 0 && items[i-1].kind == itemWord && (titles[keyOf(items[i-1].text)] || keyOf(items[i-1].text) == "miss" || keyOf(items[i-1].text) == "doctor") {
		return false
	}
	strange := false
	for _, part := range strings.FieldsFunc(strings.ToLower(it.text), func(r rune) bool { return strings.ContainsRune("-/–", r) }) {
		part = strings.TrimFunc(part, notWordRune)
		if strings.IndexFunc(part, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' }) >= 0 || strings.Contains(names, part) {
			return false
		}
		strange = strange || len(part) >= shortestUnknown && !knownForm(known, part)
	}
	return strange
}

// wordEnds are endings that words take without being in a list with them.
var wordEnds = []struct{ end, stem string }{
	{"", ""},
	{"s", ""},
	{"es", ""},
	{"ed", ""},
	{"ed", "e"},
	{"d", ""},
	{"ing", ""},
	{"ing", "e"},
	{"ly", ""},
	{"ally", ""},
	{"al", ""},
	{"ic", "ia"},
	{"ic", ""},
	{"otic", "osis"},
	{"tic", "sis"},
	{"ies", "y"},
	{"'s", ""},
	{"er", ""},
	{"able", ""},
	{"ation", "ate"},
	{"ility", "le"},
	{"ness", ""},
}

// wordStarts are beginnings that words take in the same way.
var wordStarts = strings.Fields("non un re pre post anti peri sub inter intra trans hyper hypo over under micro macro multi poly auto bi neo para infra supra ultra mid")

// knownForm says that a word, or the word that it is a form of, is English or a term.
func knownForm(known *lexicon.Lexicon, word string) bool {
	has := func(w string) bool { return len(w) >= 3 && (lexicon.English(w) > 0 || known.Has(w)) }
	forms := []string{word}
	for _, start := range wordStarts {
		if rest, ok := strings.CutPrefix(word, start); ok && len(rest) >= 4 {
			forms = append(forms, rest)
		}
	}
	for _, form := range forms {
		for _, e := range wordEnds {
			if stem, ok := strings.CutSuffix(form, e.end); ok && has(stem+e.stem) {
				return true
			}
		}
		if british(known, form) || len(lexicon.Confused(form)) > 0 {
			return true
		}
	}
	return false
}
