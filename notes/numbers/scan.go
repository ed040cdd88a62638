package numbers

import (
	"regexp"
	"strings"
	"unicode"
)

// atom is a word, or a part of one: "forty-two" is two atoms, "40mg" is two.
type atom struct {
	s           string // lower case, without the dots of abbreviations
	raw         string
	word        int  // index of its word
	first, last bool // within its word
	mark        string
	hard        bool
}

// scan is one list of words being read.
type scan struct {
	words   []Word
	atoms   []atom
	dateEnd int // atom after the last month and day, where a year may follow
}

var (
	gluedUnit = regexp.MustCompile(`^(\d[\d,]*(?:\.\d+)?|\.\d+)([A-Za-zµμ%°][A-Za-zµμ%°/]*)$`)
	gluedLab  = regexp.MustCompile(`^(TSH|PSA|INR|BUN|LDL|HDL|EF|BMI|BP|HR|RR|WBC|CRP|ESR|AST|ALT)(\d+(?:\.\d+)?)$`)
	numeral   = regexp.MustCompile(`^(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?$`)
	dotted    = regexp.MustCompile(`^(?:[A-Za-z]\.)+[A-Za-z]?$`)
)

func newScan(words []Word) *scan {
	s := &scan{words: words, dateEnd: -1}
	for i, w := range words {
		parts := split(w.Text)
		for j, p := range parts {
			a := atom{s: lower(p), raw: p, word: i, first: j == 0, last: j == len(parts)-1}
			if a.last {
				a.mark, a.hard = w.Mark, w.Hard
			}
			s.atoms = append(s.atoms, a)
		}
	}
	return s
}

// lower folds case and drops the dots of dotted abbreviations, so that "b.i.d." and "BID" read alike.
func lower(p string) string {
	if dotted.MatchString(p) {
		p = strings.ReplaceAll(p, ".", "")
	}
	return strings.ToLower(strings.ReplaceAll(p, "’", "'"))
}

// split takes a hyphenated spoken number or a number with a unit stuck to it apart; any other word stays whole.
func split(text string) []string {
	if m := gluedUnit.FindStringSubmatch(text); m != nil {
		if _, ok := writtenUnits[strings.ToLower(m[2])]; ok {
			return []string{m[1], m[2]}
		}
	}
	if m := gluedLab.FindStringSubmatch(text); m != nil {
		return []string{m[1], m[2]}
	}
	if !strings.Contains(text, "-") {
		return []string{text}
	}
	parts := strings.Split(text, "-")
	spoken := false
	for _, p := range parts {
		p = strings.ToLower(p)
		_, ordinal := ordinals[p]
		_, unit := unitStarts[p]
		switch {
		case numberWord(p), ordinal:
			spoken = true
		case unit && isDigits(parts[0]) && len(p) > 3: // "11-millimeter"
			spoken = true
		case joiners[p], unit, isDigits(p):
		default:
			return []string{text}
		}
	}
	if !spoken {
		return []string{text}
	}
	return parts
}

func isDigits(p string) bool {
	return p != "" && strings.IndexFunc(p, func(r rune) bool { return !unicode.IsDigit(r) || r > '9' }) < 0
}

// at is the atom's word, "" outside the list.
func (s *scan) at(i int) string {
	if i < 0 || i >= len(s.atoms) {
		return ""
	}
	return s.atoms[i].s
}

// open says that nothing separates atom i from the next one.
func (s *scan) open(i int) bool {
	return i >= 0 && i < len(s.atoms) && s.atoms[i].mark == ""
}

// is says that atom i is one of the words and joined to the atom before it.
func (s *scan) is(i int, words ...string) bool {
	if !s.open(i-1) || i >= len(s.atoms) {
		return false
	}
	for _, w := range words {
		if s.atoms[i].s == w {
			return true
		}
	}
	return false
}

// phrase says that the words of a phrase stand at atom i, joined.
func (s *scan) phrase(i int, words []string) bool {
	if i < 0 || i+len(words) > len(s.atoms) {
		return false
	}
	for j, w := range words {
		if s.atoms[i+j].s != w || (j > 0 && !s.open(i+j-1)) {
			return false
		}
	}
	return true
}

// nearby says that one of the words stands within n atoms before i, whatever marks are between.
func (s *scan) nearby(i, n int, words map[string]bool) bool {
	for j := i - 1; j >= 0 && j >= i-n; j-- {
		if words[s.atoms[j].s] {
			return true
		}
	}
	return false
}

// ahead is nearby, looking forward.
func (s *scan) ahead(i, n int, words map[string]bool) bool {
	for j := i; j < len(s.atoms) && j < i+n; j++ {
		if words[s.atoms[j].s] {
			return true
		}
	}
	return false
}

// label returns the label before atom i that is in names, skipping fillers; "" when there is none. Labels of several
// words are joined by hyphens.
func (s *scan) label(i int, names map[string]bool) string {
	j := i - 1
	for skipped := 0; j >= 0 && skipped < 4; skipped++ {
		if (s.atoms[j].mark != "" && strings.ContainsAny(s.atoms[j].mark, ".?!;")) || !fillers[s.atoms[j].s] {
			break
		}
		if names[s.atoms[j].s] {
			break
		}
		j--
	}
	if j < 0 || strings.ContainsAny(s.atoms[j].mark, ".?!;") {
		return ""
	}
	joined := ""
	found := ""
	for k := j; k >= 0 && k > j-4; k-- {
		if k < j && s.atoms[k].mark != "" {
			break
		}
		joined = strings.TrimSuffix(s.atoms[k].s+"-"+joined, "-")
		if names[joined] {
			found = joined
		}
	}
	return found
}
