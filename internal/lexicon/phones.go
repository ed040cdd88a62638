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
	{"T", "ftsd", 55, "th is written as its neighbours"},
	{"D", "vdz", 55, "th is written as its neighbours"},
	{"k", "C", 65, "the spelling ch"},
	{"s", "k", 70, "the spelling c"},
	{"g", "J", 65, "the spelling g"},
	{"C", "t", 70, "ch begins like t"},
	{"C", "S", 35, "ch is t and sh in one"},
	{"J", "d", 70, "j begins like d"},
	{"J", "Zy", 40, "j is d and zh in one"},
	{"z", "J", 60, "a soft g"},
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

// table is the cost of each swap and of each missing sound, made from the tables above, by code.
type table struct {
	swap [codes][codes]int32
	drop [codes]int32
}

// codes is the number of sounds, rounded up to a power of two. codeOf numbers the sounds.
const codes = 64

var codeOf = func() (code [128]uint8) {
	for i := range len(alphabet) {
		code[alphabet[i]] = uint8(i)
	}
	return code
}()

const alphabet = consonants + vowels

var costs = makeCosts()

func makeCosts() *table {
	t := &table{}
	for _, w := range weights {
		for i := range len(w.phones) {
			t.drop[codeOf[w.phones[i]]] = int32(w.cost)
		}
	}
	for _, s := range swaps {
		for i := range len(s.a) {
			for j := range len(s.b) {
				a, b := codeOf[s.a[i]], codeOf[s.b[j]]
				t.swap[a][b], t.swap[b][a] = int32(s.cost), int32(s.cost)
			}
		}
	}
	for i := range len(alphabet) {
		t.swap[i][i] = 0
	}
	return t
}
