package notes

import (
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// nato are the words of the spelling alphabet that stand for letters.
var nato = map[string]string{
	"alpha": "a", "alfa": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e", "foxtrot": "f", "golf": "g", "hotel": "h",
	"india": "i", "juliet": "j", "juliett": "j", "juliette": "j", "kilo": "k", "lima": "l", "mike": "m", "november": "n", "oscar": "o",
	"papa": "p", "quebec": "q", "romeo": "r", "sierra": "s", "tango": "t", "uniform": "u", "victor": "v", "whiskey": "w", "whisky": "w",
	"xray": "x", "x-ray": "x", "yankee": "y", "zulu": "z",
}

// letterNames are what engines write for the name of a letter, in the middle of a spelling.
var letterNames = map[string]string{
	"ay": "a", "bee": "b", "be": "b", "see": "c", "sea": "c", "dee": "d", "ee": "e", "ef": "f", "eff": "f", "gee": "g", "aitch": "h",
	"eye": "i", "jay": "j", "kay": "k", "el": "l", "ell": "l", "em": "m", "en": "n", "oh": "o", "pee": "p", "pea": "p", "cue": "q",
	"queue": "q", "are": "r", "ar": "r", "es": "s", "ess": "s", "tee": "t", "tea": "t", "you": "u", "vee": "v", "ex": "x",
	"why": "y", "wy": "y", "zee": "z", "zed": "z", "double-u": "w",
}

// spelling is a word that was said letter by letter.
type spelling struct {
	text    string
	letters int
	capital bool // the speaker asked for a capital
	end     int  // the token after it
}

const (
	spellPause  = 1.2  // seconds between two letters that end a spelling
	spelledLike = 0.34 // how far a word and its spelling may sound apart; then the spelling takes the word's place
	surelyLike  = 0.25 // the same where nobody said "spelled"
)

// readSpelling reads letters from token i on.
func (s *scanner) readSpelling(i int) spelling {
	out := spelling{end: i}
	for j := i; j < len(s.tokens); {
		if j > i && (s.tokens[j].pause >= spellPause || s.endsSpelling(j-1)) {
			break
		}
		text, next := s.letterAt(j, out.letters > 0)
		if next == j {
			break
		}
		if text != "" && unicode.IsUpper(rune(text[0])) && s.capitalSaid(j) && out.letters == 0 {
			out.capital = true
		}
		out.text += text
		out.letters += len(lettersOf(text))
		out.end = next
		j = next
	}
	return s.withoutArticle(out, i)
}

// endsSpelling says that the engine ended the sentence after a letter, and not just put a point after it.
func (s *scanner) endsSpelling(i int) bool {
	return s.tokens[i].endsSentence() && !(len(s.tokens[i].core) == 1 && len(s.key(i+1)) == 1)
}

func (s *scanner) capitalSaid(i int) bool {
	switch s.key(i) {
	case "capital", "cap", "uppercase", "big":
		return true
	}
	return false
}

// letterAt reads one letter, or several that the engine joined, at token i; within a spelling more forms are known. It
// returns the token after it, or i when there is none.
func (s *scanner) letterAt(i int, within bool) (string, int) {
	key := s.key(i)
	switch {
	case s.capitalSaid(i):
		text, next := s.letterAt(i+1, true)
		if next == i+1 || len(text) != 1 {
			return "", i
		}
		return strings.ToUpper(text), next
	case key == "double":
		if text, next := s.letterAt(i+1, true); next > i+1 && len(text) == 1 {
			return text + text, next
		}
		return "", i
	case within && (key == "hyphen" || key == "dash" || key == "apostrophe" || key == "space"):
		if _, next := s.letterAt(i+1, false); next > i+1 {
			return map[string]string{"hyphen": "-", "dash": "-", "apostrophe": "'", "space": " "}[key], i + 1
		}
		return "", i
	}
	if text := joinedLetters(s.tokens, i); text != "" {
		return text, i + 1
	}
	if len(key) == 1 && (unicode.IsLetter(rune(key[0])) || within && unicode.IsDigit(rune(key[0]))) {
		return key, s.afterAsIn(i, key)
	}
	if letter := nato[key]; letter != "" {
		return letter, i + 1
	}
	if letter := letterNames[key]; letter != "" && within {
		if next := s.afterAsIn(i, letter); next > i+1 {
			return letter, next
		}
		if _, next := s.letterAt(i+1, false); next > i+1 { // "are" is a letter only among letters
			return letter, i + 1
		}
	}
	return "", i
}

// joinedLetters reads a token such as "S-M-I-T-H" or "S.M.I.T.H".
func joinedLetters(tokens []token, i int) string {
	if i >= len(tokens) || len(tokens[i].core) < 3 {
		return ""
	}
	parts := strings.FieldsFunc(tokens[i].core, func(r rune) bool { return r == '-' || r == '.' })
	for _, p := range parts {
		if len(p) != 1 {
			return ""
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return strings.ToLower(strings.Join(parts, ""))
}

// afterAsIn skips "as in Sam", "for Sam", "like Sam" after a letter at token i.
func (s *scanner) afterAsIn(i int, letter string) int {
	switch {
	case s.key(i+1) == "as" && s.key(i+2) == "in" && s.key(i+3) != "":
		return i + 4
	case (s.key(i+1) == "for" || s.key(i+1) == "like") && strings.HasPrefix(s.key(i+2), letter) && len(s.key(i+2)) > 2:
		return i + 3
	}
	return i + 1
}

// withoutArticle leaves an "a" or "I" at the end to the sentence that goes on, unless the word that is spelled wants it.
func (s *scanner) withoutArticle(sp spelling, from int) spelling {
	last := sp.end - 1
	if sp.letters < 3 || last <= from || s.tokens[last].trail != "" || sp.end >= len(s.tokens) {
		return sp
	}
	if k := s.key(last); k != "a" && k != "i" || len(s.tokens[last].core) != 1 {
		return sp
	}
	if markWord[s.key(sp.end)] {
		return sp
	}
	shorter := sp.text[:len(sp.text)-1]
	before := s.wordBefore()
	if before != "" && lexicon.Distance(before, sp.text) < lexicon.Distance(before, shorter) {
		return sp
	}
	if before == "" && s.tokens[last].core == s.tokens[last-1].core {
		return sp
	}
	sp.text, sp.letters, sp.end = shorter, sp.letters-1, last
	return sp
}

// wordBefore is the last word written, if it is the last thing written.
func (s *scanner) wordBefore() string {
	if last := s.last(); last != nil && last.kind == itemWord && last.command == "" {
		return last.text
	}
	return ""
}

func needsLetters(s *scanner, i, n int) bool {
	sp := s.readSpelling(i + n)
	return sp.letters >= 2 && (sp.end > i+n+1 || sp.letters > 1)
}

// spell carries out "spell", said by tokens from up to to.
func (s *scanner) spell(_ *command, from, to int) int {
	sp := s.readSpelling(to)
	s.writeSpelling(sp, from, spelledLike)
	return sp.end
}

// spelledAfter recognises a name that is spelled at once, without "spelled": "Doctor Smythe, S-M-Y-T-H-E".
func (s *scanner) spelledAfter(i int) int {
	if len(s.key(i)) > 1 && joinedLetters(s.tokens, i) == "" {
		return i
	}
	before := s.wordBefore()
	if len(before) < 3 || s.at != i {
		return i
	}
	sp := s.readSpelling(i)
	if sp.letters < 3 || lexicon.Distance(before, sp.text) > surelyLike {
		return i
	}
	s.writeSpelling(sp, i, surelyLike)
	return sp.end
}

// writeSpelling writes a spelled word in the place of the word before, where that sounds like it, or else after it.
func (s *scanner) writeSpelling(sp spelling, from int, far float64) {
	for t := from; t < sp.end; t++ {
		s.commandOf[t] = "spell"
	}
	it := item{kind: itemWord, text: sp.text, tokens: span(from, sp.end), command: "spell"}
	if last := s.tokens[sp.end-1]; len(last.core) > 1 || last.trail != "." || s.newSentence(sp.end) || sp.end == len(s.tokens) {
		it.trail = last.trail // else the point belongs to the letter
	}
	last, before := s.last(), s.wordBefore()
	if before != "" && lexicon.Distance(before, sp.text) <= far {
		it.tokens = append(append([]int{}, last.tokens...), it.tokens...)
		it.lead = last.lead
		if startsUpper(before) && !s.tokens[last.tokens[0]].startsFalsely(s) || s.titled(last.tokens[0]) {
			it.text = capitalised(it.text)
		}
		*last = it
		return
	}
	if sp.capital || s.titled(from) || before != "" && startsUpper(before) && s.named[strings.ToLower(before)] {
		it.text = capitalised(it.text)
	} else if len(it.text) <= 4 && lexicon.English(it.text) == 0 {
		it.text = strings.ToUpper(it.text)
	}
	s.add(it)
}

// startsFalsely says that the token's capital only begins a sentence.
func (t token) startsFalsely(s *scanner) bool {
	for i := range s.tokens {
		if s.tokens[i].word == t.word {
			return s.falseCapital(i) || i == 0
		}
	}
	return false
}

// titled says that a title or a first name's place stands before token i.
func (s *scanner) titled(i int) bool {
	return i > 0 && (titles[s.key(i-1)] || personTitles[s.key(i-1)])
}

var personTitles = wordSet("doctor mister missus miss professor nurse")

// romanNumerals are written where the speaker asks for them.
var romanNumerals = strings.Fields("- I II III IV V VI VII VIII IX X XI XII XIII XIV XV XVI XVII XVIII XIX XX")

var tens = map[string]int{"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}

// numeralAt reads a whole number below a hundred at token i and returns the token after it.
func (s *scanner) numeralAt(i int) (value, end int) {
	key := s.key(i)
	if key == "" {
		return 0, i
	}
	if n := smallNumber(key); n > 0 || key == "0" {
		return n, i + 1
	}
	for n, w := range listWords {
		if key == w {
			if n != 20 || s.after(i+1) == "" {
				return n, i + 1
			}
			return n + s.unitAt(i+1), i + 1 + min(1, s.unitAt(i+1))
		}
	}
	if n := tens[key]; n > 0 {
		return n + s.unitAt(i+1), i + 1 + min(1, s.unitAt(i+1))
	}
	for n, r := range romanNumerals {
		if n > 0 && s.tokens[i].core == r {
			return n, i + 1
		}
	}
	return 0, i
}

// unitAt is the digit one to nine said at token i, 0 for none.
func (s *scanner) unitAt(i int) int {
	if s.after(i) == "" {
		return 0
	}
	for n := 1; n <= 9; n++ {
		if s.key(i) == listWords[n] {
			return n
		}
	}
	return 0
}
