package numbers

import (
	"strings"
	"sync"
)

// ones, teens and tens are the number words. "oh" is a zero only inside a number.
var (
	ones = map[string]int64{
		"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	}
	teens = map[string]int64{
		"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
		"seventeen": 17, "eighteen": 18, "nineteen": 19,
	}
	tens = map[string]int64{
		"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, //nolint:misspell // as some write it
	}
	decades = map[string]int64{
		"twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80, "nineties": 90,
	}
	ordinals = map[string]int64{
		"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
		"tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16,
		"seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60, "seventieth": 70,
		"eightieth": 80, "ninetieth": 90,
	}
	months = map[string]string{
		"january": "January", "february": "February", "march": "March", "april": "April", "may": "May", "june": "June",
		"july": "July", "august": "August", "september": "September", "october": "October", "november": "November",
		"december": "December",
	}
	scales = map[string]int64{"hundred": 100, "thousand": 1000, "million": 1000000}
)

// numberWord says whether a word can begin or continue a spoken number.
func numberWord(w string) bool {
	_, one := ones[w]
	_, teen := teens[w]
	_, ten := tens[w]
	return one || teen || ten || w == "zero" || scales[w] > 0
}

// joiners are words that stand inside hyphenated number words: "forty-two-year-old".
var joiners = set("and by over to point gauge plus minus year years month months week weeks day days hour hours minute minutes old " +
	"half oh degree pack pound inch foot french out of a quarter quarters pair")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// romans are used where medicine writes Roman numerals.
var romans = []string{"", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII"}

var romanWords = func() map[string]bool {
	m := map[string]bool{}
	for _, r := range romans[1:] {
		m[strings.ToLower(r)] = true
	}
	return m
}()

// lists are the lists of words that rules name.
var lists = sync.OnceValue(func() map[string]map[string]bool {
	var raw map[string]string
	mustDecode("data/lists.yaml", &raw)
	out := make(map[string]map[string]bool, len(raw))
	for name, words := range raw {
		out[name] = set(words)
	}
	return out
})

// countedFile is data/counted.yaml.
type countedFile struct {
	Divisors    map[string]string `yaml:"divisors"`
	Spans       string            `yaml:"spans"`
	Counted     string            `yaml:"counted"`
	NeedsNumber string            `yaml:"needs_number"`
	BareUnit    string            `yaml:"bare_unit"`
	SoundsLike  map[string]string `yaml:"sounds_like"`
	DoseWords   string            `yaml:"dose_words"`
	Literal     []string          `yaml:"literal"`
}

// countedWords are the nouns that numbers count, and what surrounds units.
type countedWords struct {
	divisors, soundsLike                             map[string]string
	spans, counted, needsNumber, bareUnit, doseWords map[string]bool
	literal                                          map[string][][]string // phrases by their first word
}

var nouns = sync.OnceValue(func() countedWords {
	var f countedFile
	mustDecode("data/counted.yaml", &f)
	c := countedWords{
		divisors: f.Divisors, soundsLike: f.SoundsLike, spans: set(f.Spans), counted: set(f.Counted),
		needsNumber: set(f.NeedsNumber), bareUnit: set(f.BareUnit), doseWords: set(f.DoseWords), literal: map[string][][]string{},
	}
	for _, phrase := range f.Literal {
		words := strings.Fields(phrase)
		c.literal[words[0]] = append(c.literal[words[0]], words)
	}
	return c
})

// literal is the length of the phrase at atom i in which number words are words, 0 for none.
func (s *scan) literal(i int) int {
	longest := 0
	for _, phrase := range nouns().literal[s.at(i)] {
		if len(phrase) > longest && s.phrase(i, phrase) {
			longest = len(phrase)
		}
	}
	return longest
}
