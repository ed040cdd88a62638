package lexicon

import (
	"strings"
	"unicode"
)

// Sounds reads text aloud: the sounds of its words in a row, without the boundaries between them, because an engine that
// mishears a word also sets its boundaries wrong. Numbers and letter names are read out. The reading follows spelling
// rules (rules.go) and a list of common words that break them (irregular.go); it is meant for comparing, not for speaking.
func Sounds(text string) []Phone {
	out := make([]Phone, 0, len(text)+8)
	for _, piece := range pieces(text) {
		for _, p := range piece.read() {
			if n := len(out); n == 0 || out[n-1] != p { // a doubled sound is heard once
				out = append(out, p)
			}
		}
	}
	return out
}

// Spell writes sounds with the letters of the alphabet in phones.go, for people and tests.
func Spell(sounds []Phone) string {
	b := make([]byte, len(sounds))
	for i, p := range sounds {
		b[i] = byte(p)
	}
	return string(b)
}

// piece is a run of letters or of digits.
type piece struct {
	text   string
	digits bool
	spell  bool // read letter by letter
}

// pieces cuts text into runs of letters and digits, and decides which letters are read by name.
func pieces(text string) []piece {
	var out []piece
	for _, word := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' && r != '+'
	}) {
		out = append(out, cut(word)...)
	}
	return out
}

// cut splits one word. Up to four capitals are an abbreviation (MRI), and so are
// words without a vowel and few letters beside digits (HbA1c, b12).
func cut(word string) []piece {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, word)
	mixed := letters != "" && strings.ContainsFunc(word, unicode.IsDigit)
	plain := fold(word)
	var out []piece
	for i := 0; i < len(plain); {
		j := i
		for j < len(plain) && isDigit(plain[j]) == isDigit(plain[i]) {
			j++
		}
		run := plain[i:j]
		short := len(run) <= 3 && English(run) < 0.6
		caps := len(letters) >= 2 && len(letters) <= 4 && letters == strings.ToUpper(letters)
		out = append(out, piece{
			text: run, digits: isDigit(run[0]),
			spell: caps || (mixed && short) || len(run) == 1 || (len(run) <= 5 && !strings.ContainsAny(run, "aeiouy")),
		})
		i = j
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// fold writes a word in a–z and 0–9: lower case, no accents, Greek letters by name.
func fold(word string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(word) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteString(folds[r])
		}
	}
	return b.String()
}

var folds = map[rune]string{
	'à': "a", 'á': "a", 'â': "a", 'ã': "a", 'ä': "a", 'å': "a", 'æ': "ae", 'ç': "c", 'è': "e", 'é': "e", 'ê': "e", 'ë': "e",
	'ì': "i", 'í': "i", 'î': "i", 'ï': "i", 'ñ': "n", 'ò': "o", 'ó': "o", 'ô': "o", 'ö': "o", 'ø': "o", 'œ': "oe", 'ß': "ss",
	'ù': "u", 'ú': "u", 'û': "u", 'ü': "u", 'ý': "y", 'α': "alpha", 'β': "beta", 'γ': "gamma", 'δ': "delta", 'µ': "micro",
	'μ': "micro", 'κ': "kappa", 'λ': "lambda", 'ω': "omega", '+': "",
}

// read gives the sounds of a piece.
func (p piece) read() []Phone {
	switch {
	case p.digits:
		return phones(readNumber(p.text))
	case p.spell && irregular[p.text] == "":
		var b strings.Builder
		for i := range len(p.text) {
			b.WriteString(letterNames[p.text[i]-'a'])
		}
		return phones(b.String())
	default:
		return phones(readWord(p.text))
	}
}

func phones(s string) []Phone {
	out := make([]Phone, len(s))
	for i := range len(s) {
		out[i] = Phone(s[i])
	}
	return out
}

// letterNames are the names of a to z.
var letterNames = [26]string{
	"E", "bi", "si", "di", "i", "ef", "Ji", "EC", "Y", "JE", "kE", "el", "em", "en", "o", "pi", "kyu", "Ar", "es", "ti",
	"yu", "vi", "d@b@lyu", "eks", "wY", "zi",
}

var (
	ones = []string{
		"ziro", "w@n", "tu", "Tri", "for", "fYv", "sIks", "sev@n", "Et", "nYn", "ten", "Ilev@n", "twelv", "T@rtin", "fortin",
		"fIftin", "sIkstin", "sev@ntin", "Etin", "nYntin",
	}
	tens = []string{"", "", "twenti", "T@rti", "forti", "fIfti", "sIksti", "sev@nti", "Eti", "nYnti"}
)

// readNumber reads digits as they are said in a name: 12 twelve, 125 one twenty-five, 2019 twenty nineteen.
func readNumber(digits string) string {
	if len(digits) > 8 {
		digits = digits[:8]
	}
	var b strings.Builder
	for len(digits) > 0 {
		n := 2
		if len(digits)%2 == 1 {
			n = 1
		}
		b.WriteString(readPair(digits[:n]))
		digits = digits[n:]
	}
	return b.String()
}

func readPair(digits string) string {
	if len(digits) == 1 {
		return ones[digits[0]-'0']
	}
	a, b := int(digits[0]-'0'), int(digits[1]-'0')
	switch {
	case a == 0:
		return "o" + ones[b]
	case a == 1:
		return ones[10+b]
	case b == 0:
		return tens[a]
	default:
		return tens[a] + ones[b]
	}
}
