package lexicon

// Phone is one speech sound, written as a letter: see the alphabet below. Sounds returns them, Distance compares them.
type Phone byte

// The alphabet. Consonants are written as in their usual spelling; capitals stand for sounds that have no letter:
// T thin, D then, S ship, Z measure, C chin, J gin, N sing. Vowels: i see, I sit, e set, E say, a cat, A father or law,
// o so, u too, @ about (also the vowel of "cut"), Y eye, W cow, O boy. A vowel coloured by r is two sounds ("@r").
const (
	consonants = "pbtdkgfvTDszSZCJmnNlrwyh"
	vowels     = "iIeEaAou@YWO"
)

func isVowel(p Phone) bool { return vowelSet[p] }

var vowelSet = func() (set [128]bool) {
	for i := range len(vowels) {
		set[vowels[i]] = true
	}
	return set
}()

// Costs are in hundredths of a consonant: leaving out or adding a plain consonant costs 100.

// weights is what it costs when a sound is missing on one side. Engines lose and add weak sounds far more often than
// strong ones, so those are cheap.
var weights = []struct {
	phones string
	cost   int
	why    string
}{
	{consonants, 100, "a plain consonant carries the word"},
	{vowels, 50, "a full vowel: the syllable is lost or gained"},
	{"@I", 30, "reduced vowels come and go: 'metform in', 'car vedilol'"},
	{"h", 45, "h is dropped and added in running speech"},
	{"y", 35, "the glide in u: 'furosemide' with and without y"},
	{"w", 55, "the glide in qu and between vowels"},
	{"r", 60, "r after a vowel is weak: 'carvedilol', 'cavedilol'"},
	{"l", 70, "l before a consonant is weak"},
	{"tdn", 85, "stops and n at a word's end are often not released"},
	{"s", 90, "a plural s is easily added or lost"},
}

// swaps is what it costs when one sound stands for another. A pair of strings means: any sound of the first for any of
// the second. Later lines win over earlier ones.
var swaps = []struct {
	a, b string
	cost int
	why  string
}{
	{consonants, consonants, 100, "two consonants that share nothing"},
	{consonants, vowels, 120, "a consonant is no vowel; leaving out and adding is the way"},
	{vowels, vowels, 30, "vowels are where spellings and accents differ"},
	{"iI", "eE@", 20, "front vowels, unstressed alike"},
	{"iIeEaAou", "@", 15, "any vowel may be reduced to schwa"},
	{"i", "I", 10, "see and sit"},
	{"e", "E", 20, "set and say"},
	{"a", "A", 15, "cat and father: a reading of the letter a"},
	{"A", "o", 15, "law and so: a reading of the letter o"},
	{"e", "a", 20, "set and sat"},
	{"Y", "iI", 20, "a reading of the letter i: 'amiodarone', '-idine'"},
	{"W", "Ao", 25, "a reading of ou and au"},
	{"u", "o", 25, "too and so"},
	{"ptk", "ptk", 65, "voiceless stops: the same manner, another place"},
	{"bdg", "bdg", 65, "voiced stops"},
	{"fTsS", "fTsS", 60, "voiceless fricatives"},
	{"vDzZ", "vDzZ", 60, "voiced fricatives"},
	{"fTsSh", "vDzZ", 75, "fricatives of both kinds"},
	{"mnN", "mnN", 35, "nasals are heard for each other"},
	{"lrwy", "lrwy", 60, "liquids and glides"},
	{"p", "b", 25, "voicing alone"},
	{"t", "d", 25, "voicing alone"},
	{"k", "g", 25, "voicing alone"},
	{"f", "v", 25, "voicing alone"},
	{"s", "z", 10, "voicing alone, and the spelling s says neither"},
	{"T", "D", 15, "voicing alone"},
	{"S", "Z", 15, "voicing alone"},
	{"C", "J", 25, "voicing alone"},
	{"T", "ftsd", 45, "th is written as its neighbours"},
	{"D", "vdz", 45, "th is written as its neighbours"},
	{"k", "C", 60, "the spelling ch"},
	{"s", "k", 70, "the spelling c"},
	{"g", "J", 60, "the spelling g"},
	{"C", "tS", 45, "ch is t and sh in one"},
	{"J", "dZy", 45, "j is d and zh in one"},
	{"zZ", "J", 55, "a soft g"},
	{"b", "v", 50, "lips: 'verapamil', 'berapamil'"},
	{"p", "f", 60, "lips: the spelling ph"},
	{"bp", "m", 70, "lips"},
	{"td", "n", 75, "the tongue in the same place"},
	{"l", "n", 75, "the tongue in the same place"},
	{"lr", "ou", 80, "a dark l or a weak r becomes a vowel"},
	{"w", "u", 30, "a glide is a short vowel"},
	{"y", "iI", 20, "a glide is a short vowel"},
	{"w", "v", 60, "lips"},
}

// table is the cost of each swap and of each missing sound, made from the tables above.
type table struct {
	swap [128][128]int16
	drop [128]int16
}

var costs = makeCosts()

func makeCosts() *table {
	t := &table{}
	for _, w := range weights {
		for i := range len(w.phones) {
			t.drop[w.phones[i]] = int16(w.cost)
		}
	}
	for _, s := range swaps {
		for i := range len(s.a) {
			for j := range len(s.b) {
				t.swap[s.a[i]][s.b[j]], t.swap[s.b[j]][s.a[i]] = int16(s.cost), int16(s.cost)
			}
		}
	}
	for _, p := range []byte(consonants + vowels) {
		t.swap[p][p] = 0
	}
	return t
}
