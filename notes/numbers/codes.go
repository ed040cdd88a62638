package numbers

import (
	"strings"
	"sync"
	"unicode"
)

// phraseCode is a code with a fixed way of writing, by one of the ways in which it is said.
type phraseCode struct {
	words   []string
	written string
	capital bool   // only when the first word is written with a capital
	next    string // only before a word of this list
	nextNot string // not before a word of this list
}

// codeTable holds the codes by their first word, longest first wins.
var codeTable = sync.OnceValue(func() map[string][]phraseCode {
	var entries []struct {
		Write   string   `yaml:"write"`
		Said    []string `yaml:"said"`
		Capital bool     `yaml:"capital"`
		Next    string   `yaml:"next"`
		NextNot string   `yaml:"next_not"`
	}
	mustDecode("data/codes.yaml", &entries)
	out := map[string][]phraseCode{}
	for _, e := range entries {
		for _, list := range []string{e.Next, e.NextNot} {
			if list != "" && lists()[list] == nil {
				panic("code " + e.Write + ": there is no list " + list)
			}
		}
		for _, said := range append(e.Said, e.Write) {
			for _, words := range waysToSay(said) {
				out[words[0]] = append(out[words[0]], phraseCode{words, e.Write, e.Capital, e.Next, e.NextNot})
			}
		}
	}
	return out
})

var spokenDigits = map[string]string{
	"1": "one", "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
	"10": "ten", "12": "twelve", "13": "thirteen", "14": "fourteen", "15": "fifteen", "18": "eighteen", "19": "nineteen",
	"20": "twenty", "21": "twenty one", "27": "twenty seven", "53": "fifty three", "65": "sixty five", "67": "sixty seven",
	"68": "sixty eight", "72": "seventy two", "99": "ninety nine", "125": "one twenty five", "131": "one thirty one",
	"123": "one twenty three",
}

// waysToSay are the ways in which engines write what is said: capital letters one by one or together, figures as words or
// as figures, stuck to the letters before or joined to them by a hyphen.
func waysToSay(said string) [][]string {
	ways := [][]string{nil}
	glued := false // the step before can take a figure
	for _, part := range strings.Fields(said) {
		options := []string{strings.ToLower(part)}
		figure := isDigits(part)
		if figure && spokenDigits[part] != "" {
			options = append(options, spokenDigits[part])
		}
		if strings.ToUpper(part) == part && !figure && len(part) > 1 && len(part) <= 5 && letters(part) {
			options = append(options, strings.Join(strings.Split(strings.ToLower(part), ""), " "))
		}
		var longer [][]string
		for _, w := range ways {
			for _, o := range options {
				longer = append(longer, append(append([]string{}, w...), strings.Fields(o)...))
			}
			if figure && glued {
				last := len(w) - 1
				for _, joint := range []string{"", "-"} {
					longer = append(longer, append(append([]string{}, w[:last]...), w[last]+joint+part))
				}
			}
		}
		ways, glued = longer, !figure
	}
	return ways
}

func letters(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// namedCode writes codes that have one form: HbA1c, PHQ-9, BRCA1.
func namedCode(s *scan, i int) (match, bool) {
	var best phraseCode
	for _, c := range codeTable()[s.at(i)] {
		if len(c.words) <= len(best.words) || !s.phrase(i, c.words) {
			continue
		}
		if c.capital && !unicode.IsUpper(firstRune(s.atoms[i].raw)) {
			continue
		}
		after := ""
		if s.open(i + len(c.words) - 1) {
			after = s.at(i + len(c.words))
		}
		if c.next != "" && !lists()[c.next][after] || c.nextNot != "" && lists()[c.nextNot][after] {
			continue
		}
		best = c
	}
	to := i + len(best.words)
	if best.words == nil || s.open(to-1) && s.numeric(to-1) && s.is(to, "point", "hundred", "percent") {
		return match{}, false
	}
	text := best.written
	if first := firstRune(s.atoms[i].raw); unicode.IsUpper(first) && unicode.IsLower(firstRune(text)) && len(s.atoms[i].raw) > 1 && keepsCase(text) {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return match{to: to, text: text}, true
}

// keepsCase says that a code begins with an ordinary word, which may begin a sentence: "vitamin B12", but not "pH".
func keepsCase(text string) bool {
	first := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '-' })[0]
	return len(first) > 3 && strings.ToLower(first) == first
}

// spelled joins capital letters spelled one by one: "T S H" is TSH.
func spelled(s *scan, i int) (match, bool) {
	if len(s.atoms[i].raw) != 1 || i+1 == len(s.atoms) || len(s.atoms[i+1].raw) != 1 {
		return match{}, false
	}
	var b strings.Builder
	next := i
	for next < len(s.atoms) && len(s.atoms[next].raw) == 1 && unicode.IsUpper(rune(s.atoms[next].raw[0])) {
		if next > i && !s.open(next-1) {
			break
		}
		b.WriteString(s.atoms[next].raw)
		next++
	}
	text := b.String()
	if s.labelled(i, "roman_labels") != "" {
		return match{}, false // the letter is a numeral
	}
	if len(text) < 2 || len(text) == 2 && (s.at(i) == "a" || s.at(i) == "i" && text != "IV") {
		return match{}, false
	}
	if _, unit := units().short[strings.ToLower(text)]; unit && s.numeric(i-1) {
		return match{}, false
	}
	return match{to: next, text: text}, true
}

// labValue sets a value apart from the name of its test.
func labValue(s *scan, i int) (match, bool) {
	if s.atoms[i].last || !gluedLab.MatchString(s.words[s.atoms[i].word].Text) {
		return match{}, false
	}
	return match{to: i + 2, text: s.atoms[i].raw + " " + s.atoms[i+1].raw}, true
}

// suture writes the size of a thread: "four oh nylon" is 4-0 nylon; engines hear it as 4.0, too.
func suture(s *scan, i int) (match, bool) {
	n, ok := s.digits(i)
	if p, spoken := s.plain(i); spoken && !p.whole {
		n, ok = p, true
	}
	next := n.next
	if w := s.at(i - 1); w == "oh" || w == "o" || w == "zero" {
		return match{}, false
	}
	if !ok {
		var v int64
		if v, next, ok = s.under100(i); ok && v > 0 {
			n.text = itoa(v)
		}
	}
	if !ok {
		return match{}, false
	}
	switch {
	case strings.HasSuffix(n.text, ".0"):
		n.text = strings.TrimSuffix(n.text, ".0")
	case strings.Contains(n.text, ".") || !s.open(next-1):
		return match{}, false
	case s.is(next, "oh", "o", "zero", "0"):
		next++
	case s.is(next, "dash", "hyphen") && s.is(next+1, "oh", "o", "zero", "0"):
		next += 2
	default:
		return match{}, false
	}
	if n.text == "" || n.text[0] == '0' || !s.open(next-1) || len(n.text) > 2 {
		return match{}, false
	}
	for j := next; j < next+3 && !s.endsInFigure(j); j++ {
		if lists()["sutures"][s.at(j)] {
			return match{to: next, text: n.text + "-0"}, true
		}
	}
	return match{}, false
}
