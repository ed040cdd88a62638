package numbers

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	gluedLevels = regexp.MustCompile(`^([ctls])-?(\d{1,2})[-/]?([ctls])-?(\d{1,2})$`)
	gluedLevel  = regexp.MustCompile(`^([ctls])-?(\d{1,2})$`)
	gluedDisc   = regexp.MustCompile(`^([ctls])-?(\d{1,2})[-/]?(\d{1,2})$`)
)

// level is one vertebra: its region and number.
type level struct {
	letter string
	number int64
	next   int
	spoken bool // in two words
	dashed bool // "L-4"
}

func (a level) String() string { return a.letter + itoa(a.number) }

// lowest are the last vertebrae of the regions; there are eight cervical roots.
var lowest = map[string]int64{"c": 8, "t": 12, "l": 5, "s": 5}

func inRegion(letter string, v int64) bool { return v >= 1 && v <= lowest[letter] }

// vertebra reads "L four" or "L4".
func (s *scan) vertebra(i int) (level, bool) {
	w := s.at(i)
	if m := gluedLevel.FindStringSubmatch(w); m != nil {
		v, _ := strconv.ParseInt(m[2], 10, 64)
		return level{strings.ToUpper(m[1]), v, i + 1, false, strings.Contains(w, "-")}, inRegion(m[1], v)
	}
	if len(w) != 1 || lowest[w] == 0 || !s.open(i) {
		return level{}, false
	}
	v, next, ok := s.under100(i + 1)
	if n, digits := s.digits(i + 1); !ok && digits && n.whole {
		v, next, ok = n.value, n.next, true
	}
	return level{strings.ToUpper(w), v, next, true, false}, ok && inRegion(w, v)
}

// below says that b is the vertebra under a.
func (a level) below(b level) bool {
	switch a.letter + b.letter {
	case "CC", "TT", "LL":
		return b.number == a.number+1
	case "CT", "LS":
		return a.number == map[string]int64{"C": 7, "L": 5}[a.letter] && b.number == 1
	case "TL":
		return a.number == 12 && b.number == 1
	}
	return false
}

// vertebrae writes vertebrae and the discs between them: "L four L five" is L4-L5, "C five six" is C5-6.
func vertebrae(s *scan, i int) (match, bool) {
	if m, ok := s.gluedDisc(i); ok {
		return m, true
	}
	a, ok := s.vertebra(i)
	if !ok {
		return match{}, false
	}
	if m, ok := s.disc(i, a); ok {
		return m, true
	}
	if months[s.at(a.next)] != "" {
		return match{}, false
	}
	if _, _, unit := s.unitAt(a.next); unit && !s.atSpine(i) || s.is(a.next, "n", "p") && a.spoken { // "T two N one" is a stage
		return match{}, false
	}
	written := unicode.IsUpper(firstRune(s.atoms[i].raw)) || s.atSpine(i)
	if !written || !a.spoken && !a.dashed {
		return match{}, false
	}
	return match{to: a.next, text: a.String()}, true
}

var spineWords = set("at to through vertebra vertebral disc disk level from lumbar thoracic cervical spine and")

// atSpine says that a level of the spine is spoken of.
func (s *scan) atSpine(i int) bool { return spineWords[s.at(i-1)] && s.at(i) != "s" && s.at(i) != "t" }

// disc reads the second level after the first.
func (s *scan) disc(_ int, a level) (match, bool) {
	next := a.next
	if !s.open(next - 1) {
		return match{}, false
	}
	if s.is(next, "to", "-", "dash", "hyphen", "slash", "/") {
		next++
	}
	if b, ok := s.vertebra(next); ok && a.below(b) && s.open(next-1) {
		return match{to: b.next, text: a.String() + "-" + b.String()}, true
	}
	v, after, ok := s.under100(next)
	if n, digits := s.digits(next); !ok && digits && n.whole {
		v, after, ok = n.value, n.next, true
	}
	if !ok || !s.open(next-1) || v != a.number+1 || !inRegion(strings.ToLower(a.letter), v) || a.letter == "S" {
		return match{}, false
	}
	if _, _, unit := s.unitAt(after); unit || s.is(after, "out", "plus", "over", "of", "point") {
		return match{}, false
	}
	return match{to: after, text: a.String() + "-" + itoa(v)}, true
}

// gluedDisc reads what engines write in one word: "L4L5", "L4/5", "C56".
func (s *scan) gluedDisc(i int) (match, bool) {
	w := s.at(i)
	if m := gluedLevels.FindStringSubmatch(w); m != nil {
		a, _ := strconv.ParseInt(m[2], 10, 64)
		b, _ := strconv.ParseInt(m[4], 10, 64)
		up, down := level{letter: strings.ToUpper(m[1]), number: a}, level{letter: strings.ToUpper(m[3]), number: b}
		return match{to: i + 1, text: up.String() + "-" + down.String()}, up.below(down)
	}
	m := gluedDisc.FindStringSubmatch(w)
	if m == nil {
		return match{}, false
	}
	figures := m[2] + m[3]
	for cut := 1; cut < len(figures); cut++ {
		a, _ := strconv.ParseInt(figures[:cut], 10, 64)
		b, _ := strconv.ParseInt(figures[cut:], 10, 64)
		whole, _ := strconv.ParseInt(figures, 10, 64)
		if b == a+1 && inRegion(m[1], b) && !inRegion(m[1], whole) {
			return match{to: i + 1, text: strings.ToUpper(m[1]) + itoa(a) + "-" + itoa(b)}, true
		}
	}
	return match{}, false
}
