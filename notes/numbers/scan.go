package numbers

import (
	"regexp"
	"strings"
	"unicode"

	"vesper/notes/style"
)

// atom is a word, or a part of one: "forty-two" is two atoms, "40mg" is two.
type atom struct {
	s           string // lower case, without the dots of abbreviations
	raw         string
	word        int  // index of its word
	first, last bool // within its word
	mark        string
	hard        bool
	isNumeral   bool // figures
	starts      bool // a number can begin here
}

// scan is one list of words being read.
type scan struct {
	words   []Word
	style   style.Style
	atoms   []atom
	plains  []memo     // what plain read at each atom
	caught  []captured // room for what a form reads
	dateEnd int        // atom after the last month and day, where a year may follow
}

// memo remembers a number that was read.
type memo struct {
	n        number
	ok, done bool
}

var (
	gluedUnit  = regexp.MustCompile(`^(\d[\d,]*(?:\.\d+)?|\.\d+)-?([A-Za-zµμ%°][A-Za-zµμ%°/0-9²]*)$`)
	gluedLab   = regexp.MustCompile(`^(TSH|PSA|INR|BUN|LDL|HDL|EF|BMI|BP|HR|RR|WBC|CRP|ESR|AST|ALT)(\d+(?:\.\d+)?)$`)
	gluedAge   = regexp.MustCompile(`^(\d{1,3})-?((?i:yo|y/o))$`)
	gluedRange = regexp.MustCompile(`^(\d+(?:\.\d+)?)([-–])(\d+(?:\.\d+)?)([A-Za-zµμ%]*)$`)
	gluedRatio = regexp.MustCompile(`^(\d+(?:\.\d+)?)(/)(\d+(?:\.\d+)?)([A-Za-zµμ]*)$`)
	gluedEvery = regexp.MustCompile(`^([qQ])\.?(\d{1,2})(?:([-–])(\d{1,2}))?([A-Za-z]*)$`)
	gluedX     = regexp.MustCompile(`^(\d+(?:\.\d+)?)([xX×])(\d+(?:\.\d+)?)(?:([xX×])(\d+(?:\.\d+)?))?([A-Za-z]*)$`)
	numeral    = regexp.MustCompile(`^(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?$`)
	commaed    = regexp.MustCompile(`^(?:\d{1,3}(?:[. ]\d{3})+|\d+)?(?:,\d+)?$`)
	dotted     = regexp.MustCompile(`^(?:[A-Za-z]\.)+[A-Za-z]?$`)
)

func newScan(words []Word, st style.Style) *scan {
	s := &scan{words: words, style: st, dateEnd: -1}
	s.atoms = make([]atom, 0, len(words)+len(words)/4)
	for i, w := range words {
		before, after := "", ""
		if i > 0 {
			before = lower(words[i-1].Text)
		}
		if i+1 < len(words) && w.Mark == "" {
			after = lower(words[i+1].Text)
		}
		parts := split(w.Text, before, after)
		for j, p := range parts {
			a := atom{s: lower(p), raw: p, word: i, first: j == 0, last: j == len(parts)-1}
			a.isNumeral = a.s != "" && s.figures(a.s)
			a.starts = a.isNumeral || numberWord(a.s) || decades[a.s] > 0 || beginNumbers[a.s]
			if a.last {
				a.mark, a.hard = w.Mark, w.Hard
			}
			if a.s == "q" && a.mark == "." && !a.hard && i+1 < len(words) && startsNumber(words[i+1].Text) {
				a.mark = "" // "q. 12 hours"
			}
			s.atoms = append(s.atoms, a)
		}
	}
	s.plains = make([]memo, len(s.atoms))
	s.caught = make([]captured, 0, 8)
	return s
}

// beginNumbers are the words besides number words with which a number may begin.
var beginNumbers = set("a point oh o half quarter minus negative double triple")

// startsNumber says that a word is a number's first.
func startsNumber(text string) bool {
	first, _, _ := strings.Cut(strings.ToLower(text), "-")
	return text != "" && text[0] >= '0' && text[0] <= '9' || numberWord(first)
}

// figures says that a word is a number in figures, as the style writes them.
func (s *scan) figures(w string) bool {
	if c := w[0]; c != '.' && c != ',' && (c < '0' || c > '9') {
		return false
	}
	if s.style.Numbers.Decimal == "," {
		return commaed.MatchString(w)
	}
	return numeral.MatchString(w)
}

// lower folds case and drops the dots of dotted abbreviations, so that "b.i.d." and "BID" read alike.
func lower(p string) string {
	if strings.IndexByte(p, '.') > 0 && dotted.MatchString(p) {
		p = strings.ReplaceAll(p, ".", "")
	}
	return strings.ToLower(strings.ReplaceAll(p, "’", "'"))
}

// split takes a hyphenated spoken number or a number with a unit stuck to it apart; any other word stays whole.
func split(text, before, after string) []string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= '0' && r <= '9' }) >= 0 {
		if parts := splitFigures(text, before, after); parts != nil {
			return parts
		}
	}
	if !strings.Contains(text, "-") {
		return []string{text}
	}
	parts := strings.Split(text, "-")
	if !isSpokenNumber(parts) {
		return []string{text}
	}
	return parts
}

// isSpokenNumber says that the parts of a hyphenated word are a number in words, or one with its unit.
func isSpokenNumber(parts []string) bool {
	spoken := false
	for _, p := range parts {
		p = strings.ToLower(p)
		_, ordinal := ordinals[p]
		_, short := units().short[p]
		unit := len(units().said[p]) > 0
		switch {
		case numberWord(p), ordinal, decades[p] > 0:
			spoken = true
		case unit && isDigits(parts[0]) && len(p) > 3: // "11-millimeter"
			spoken = true
		case joiners[p], unit, short && spoken, isDigits(p):
		default:
			return false
		}
	}
	return spoken
}

// splitFigures takes words with figures in them apart; nil when the word stays whole.
func splitFigures(text, before, after string) []string {
	if m := gluedUnit.FindStringSubmatch(text); m != nil {
		if _, ok := shortUnit(strings.ToLower(m[2])); ok {
			return []string{m[1], m[2]}
		}
	}
	if m := gluedAge.FindStringSubmatch(text); m != nil {
		return m[1:]
	}
	if m := gluedLab.FindStringSubmatch(text); m != nil {
		return []string{m[1], m[2]}
	}
	if m := gluedRatio.FindStringSubmatch(text); m != nil && (m[4] == "" || startsUnit(strings.ToLower(m[4]))) {
		return filled(m[1:])
	}
	if m := gluedEvery.FindStringSubmatch(text); m != nil && (m[5] == "" || everyUnits[strings.ToLower(m[5])]) && (m[5] != "" || everyUnits[after]) {
		return filled(m[1:])
	}
	if m := gluedX.FindStringSubmatch(text); m != nil && (m[6] == "" || startsUnit(strings.ToLower(m[6]))) {
		return filled(m[1:])
	}
	if m := gluedRange.FindStringSubmatch(text); m != nil {
		measured := m[4] != "" && startsUnit(strings.ToLower(m[4])) || m[4] == "" && (startsUnit(after) || nouns().counted[after])
		if measured || m[4] == "" && lists()["nerve_words"][before] {
			return filled(m[1:])
		}
	}
	return nil
}

var everyUnits = set("h hr hrs hour hours hourly d day days w wk week weeks mo month months min minutes")

// filled are the parts that are not empty.
func filled(parts []string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

func isDigits(p string) bool {
	return p != "" && strings.IndexFunc(p, func(r rune) bool { return !unicode.IsDigit(r) || r > '9' }) < 0
}
