package transcribe

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// riskClass is what kind of risk a word is, "" for none: numbers, units, how often, negations and sides.
func riskClass(word string) DoubtKind {
	w := strings.ToLower(trimmed(word))
	first, _, _ := strings.Cut(w, "-")
	switch {
	case w == "":
		return ""
	case !notDigit(rune(w[0])), countWords[first] != "":
		return DoubtNumber
	case unitWords[w] != "":
		return DoubtUnit
	case often[w]:
		return DoubtFrequency
	case denials[w], strings.HasSuffix(w, "n't"):
		return DoubtNegation
	case sides[w]:
		return DoubtSide
	}
	return ""
}

var (
	often   = wordSet("once twice daily hourly weekly monthly bid tid qid times")
	denials = wordSet("no not denies denied deny denying without never none negative nor neither")
	sides   = wordSet("left right bilateral upper lower medial lateral anterior posterior proximal distal")
)

// countWords are the words for numbers and their figures.
var countWords = func() map[string]string {
	out := map[string]string{"oh": "0", "hundred": "100", "thousand": "1000", "point": "."}
	for i, w := range strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen") {
		out[w] = strconv.Itoa(i)
	}
	for i, w := range strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety") {
		out[w] = strconv.Itoa(10 * (i + 2))
	}
	return out
}()

// unitWords are the ways to write a unit.
var unitWords = func() map[string]string {
	out := map[string]string{}
	for _, forms := range []string{
		"mg milligram milligrams", "mcg microgram micrograms", "g gram grams", "kg kilogram kilograms", "ml milliliter milliliters millilitre millilitres",
		"l liter liters litre litres", "cm centimeter centimeters", "mm millimeter millimeters", "meq milliequivalent milliequivalents", "unit units",
		"percent", "hour hours", "minute minutes", "second seconds",
	} {
		all := strings.Fields(forms)
		for _, f := range all {
			out[f] = all[0]
		}
	}
	return out
}()

// meaning is one form for the ways to write the same word or figure: "Five," and "5", "milligrams" and "mg".
func meaning(text string) string {
	w := strings.ToLower(strings.TrimSpace(text))
	switch w {
	case ".", ",":
		return "."
	case "-":
		return ""
	case "/", "over":
		return "/"
	}
	w = trimmed(w)
	if n, ok := countWords[w]; ok {
		return n
	}
	if u, ok := unitWords[w]; ok {
		return u
	}
	if plain := strings.ReplaceAll(w, ",", ""); plain != "" && !strings.ContainsFunc(plain, notDigit) {
		return plain
	}
	if len(w) > 3 {
		w = strings.TrimSuffix(w, "s")
	}
	return w
}

// numeral says that a word is a number and nothing else.
func numeral(word string) bool {
	w := strings.ToLower(trimmed(word))
	return countWords[w] != "" || w != "" && !strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsDigit(r) && !slices.Contains([]rune(".,/-%"), r) })
}
