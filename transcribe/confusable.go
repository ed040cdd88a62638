package transcribe

import (
	"slices"
	"strconv"
	"strings"
)

// DoubtKind says what a doubt is about.
type DoubtKind string

// The kinds of doubt. All but DoubtTerm are about words that change what happens to the patient.
const (
	DoubtNumber    DoubtKind = "number"
	DoubtUnit      DoubtKind = "unit"
	DoubtFrequency DoubtKind = "frequency"
	DoubtNegation  DoubtKind = "negation"
	DoubtSide      DoubtKind = "side"
	DoubtPrefix    DoubtKind = "prefix" // hypo-/hyper- and their like
	DoubtDrug      DoubtKind = "drug"
	DoubtTerm      DoubtKind = "term" // another medical term
)

// Doubt is a place where the engine's words could well be others. The text keeps what was heard; a person decides.
type Doubt struct {
	First  int       `json:"first_word"`
	Last   int       `json:"last_word"`
	Start  float64   `json:"start"` // seconds in the recording
	End    float64   `json:"end"`
	Kind   DoubtKind `json:"kind"`
	Heard  string    `json:"heard"`  // as it stands in the text
	Other  string    `json:"other"`  // the other reading
	Margin float64   `json:"margin"` // how much likelier the engine finds what it heard; nats, may be below 0
	// Repaired says that the second pass has put Heard, a term of the lexicon, where the first had written Other.
	Repaired bool `json:"repaired,omitempty"`
}

// swaps are words that sound alike, or that a decoder's sense of language exchanges, and mean something else.
var swaps = []struct {
	kind  DoubtKind
	words []string
}{
	{DoubtUnit, []string{"mg", "mcg"}},
	{DoubtUnit, []string{"mg", "g"}},
	{DoubtUnit, []string{"mg", "ml"}},
	{DoubtUnit, []string{"milligrams", "micrograms"}},
	{DoubtUnit, []string{"milligram", "microgram"}},
	{DoubtUnit, []string{"milligrams", "milliliters"}},
	{DoubtUnit, []string{"milligrams", "grams"}},
	{DoubtUnit, []string{"mm", "cm"}},
	{DoubtUnit, []string{"millimeters", "centimeters"}},
	{DoubtUnit, []string{"millimeter", "centimeter"}},
	{DoubtFrequency, []string{"once", "twice"}},
	{DoubtFrequency, []string{"twice", "three times"}},
	{DoubtFrequency, []string{"hourly", "daily"}},
	{DoubtFrequency, []string{"daily", "weekly"}},
	{DoubtFrequency, []string{"hours", "days"}},
	{DoubtFrequency, []string{"days", "weeks"}},
	{DoubtFrequency, []string{"BID", "TID"}},
	{DoubtFrequency, []string{"TID", "QID"}},
	{DoubtNegation, []string{"no", "known"}},
	{DoubtNegation, []string{"no", "a"}},
	{DoubtNegation, []string{"no", "some"}},
	{DoubtNegation, []string{"not", "now"}},
	{DoubtNegation, []string{"denies", "has"}},
	{DoubtNegation, []string{"denies", "notes"}},
	{DoubtNegation, []string{"denies", "describes"}},
	{DoubtNegation, []string{"without", "with"}},
	{DoubtNegation, []string{"negative", "positive"}},
	{DoubtNegation, []string{"is", "is not"}},
	{DoubtNegation, []string{"can", "can't"}},
	{DoubtSide, []string{"left", "right"}},
	{DoubtSide, []string{"upper", "lower"}},
	{DoubtSide, []string{"medial", "lateral"}},
	{DoubtSide, []string{"anterior", "posterior"}},
	{DoubtSide, []string{"proximal", "distal"}},
	{DoubtPrefix, []string{"increase", "decrease"}},
	{DoubtPrefix, []string{"increased", "decreased"}},
}

// prefixes turn a word into its opposite.
var prefixes = [][2]string{
	{"hypo", "hyper"},
	{"hyper", "hypo"},
	{"intra", "inter"},
	{"inter", "intra"},
	{"supra", "infra"},
	{"infra", "supra"},
	{"abduct", "adduct"},
	{"adduct", "abduct"},
	{"brady", "tachy"},
	{"tachy", "brady"},
	{"ante", "anti"},
	{"afferent", "efferent"},
	{"macro", "micro"},
	{"micro", "macro"},
}

// teens are the numbers that are taken for each other: fifteen and fifty.
var teens = map[string]string{
	"13": "30", "14": "40", "15": "50", "16": "60", "17": "70", "18": "80", "19": "90",
	"30": "13", "40": "14", "50": "15", "60": "16", "70": "17", "80": "18", "90": "19",
	"thirteen": "thirty", "fourteen": "forty", "fifteen": "fifty", "sixteen": "sixty", "seventeen": "seventy",
	"eighteen": "eighty", "nineteen": "ninety", "thirty": "thirteen", "forty": "fourteen", "fifty": "fifteen",
	"sixty": "sixteen", "seventy": "seventeen", "eighty": "eighteen", "ninety": "nineteen",
	"five": "nine", "nine": "five", "two": "three", "three": "two", "5": "9", "9": "5",
}

// other is another reading of a word.
type other struct {
	kind DoubtKind
	text string
}

// confusables lists what a word could be instead, in the same case; without its punctuation.
func confusables(word string) []other {
	low := strings.ToLower(word)
	var out []other
	if n := numberOthers(low); len(n) > 0 {
		for _, o := range n {
			out = append(out, other{DoubtNumber, o})
		}
		return out
	}
	for _, s := range swaps {
		for i, w := range s.words {
			if low == strings.ToLower(w) {
				out = append(out, other{s.kind, inCaseOf(word, s.words[1-i])})
			}
		}
	}
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(low, p[0]); ok && len(rest) >= 3 {
			out = append(out, other{DoubtPrefix, inCaseOf(word, p[1]+rest)})
		}
	}
	return out
}

// numberOthers are the numbers that a number is taken for: teens and tens, also behind hundreds, and a lost or added
// "point" or zero.
func numberOthers(word string) []string {
	if o, ok := teens[word]; ok && strings.ContainsFunc(word, notDigit) {
		return []string{o}
	}
	if strings.ContainsFunc(word, func(r rune) bool { return notDigit(r) && r != '.' && r != ',' }) || word == "" {
		return nil
	}
	plain := strings.ReplaceAll(word, ",", "")
	v, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return nil
	}
	var out []string
	add := func(s string) {
		if s != plain && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	whole := !strings.Contains(plain, ".")
	if n := len(plain); whole && n >= 2 {
		if o, ok := teens[plain[n-2:]]; ok {
			add(plain[:n-2] + o) // 115 and 150
		}
	}
	if o, ok := teens[plain]; ok {
		add(o)
	}
	switch {
	case !whole: // "point five" and "five"
		add(strings.TrimLeft(strings.Replace(plain, ".", "", 1), "0"))
	case len(plain) == 1 && v > 0:
		add("0." + plain)
		add(plain + "0")
	case len(plain) == 2:
		add(plain[:1] + "." + plain[1:])
		add(plain + "0")
	case strings.HasSuffix(plain, "0"):
		add(strings.TrimSuffix(plain, "0"))
	}
	return out
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// inCaseOf writes a word with a capital if the other has one.
func inCaseOf(like, word string) string {
	if like != "" && word != "" && like[:1] == strings.ToUpper(like[:1]) && like[:1] != strings.ToLower(like[:1]) {
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}
