package numbers

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

var (
	vertebraPair = regexp.MustCompile(`^([ctls])(\d{1,2})[-/]?([ctls])(\d{1,2})$`)
	lettered     = regexp.MustCompile(`^([a-z])(\d{1,2})$`)
)

// code writes letters and numbers that belong together: vertebrae, stages, tests.
func code(s *scan, i int) (match, bool) {
	for _, try := range []func(*scan, int) (match, bool){namedCode, vertebrae, staging, obstetric, spelled} {
		if m, ok := try(s, i); ok {
			return m, true
		}
	}
	return match{}, false
}

// named are codes with a fixed way of writing, by how they are said; # stands for any number.
var named = []struct{ said, written string }{
	{"h b a one c", "HbA1c"},
	{"h b a 1 c", "HbA1c"},
	{"a one c", "A1c"},
	{"hemoglobin of 1c", "hemoglobin A1c"},
	{"hemoglobin of one c", "hemoglobin A1c"},
	{"a 1 c", "A1c"},
	{"a1c", "A1c"},
	{"hba1c", "HbA1c"},
	{"s p o two", "SpO2"},
	{"s p o 2", "SpO2"},
	{"spo two", "SpO2"},
	{"spo2", "SpO2"},
	{"c o two", "CO2"},
	{"co two", "CO2"},
	{"p c o two", "pCO2"},
	{"p o two", "pO2"},
	{"o two sat", "O2 sat"},
	{"o two saturation", "O2 saturation"},
	{"o 2 sat", "O2 sat"},
	{"o 2 saturation", "O2 saturation"},
	{"f e v one", "FEV1"},
	{"f e v 1", "FEV1"},
	{"fev one", "FEV1"},
	{"fev 1", "FEV1"},
	{"p h q nine", "PHQ-9"},
	{"p h q 9", "PHQ-9"},
	{"phq nine", "PHQ-9"},
	{"phq 9", "PHQ-9"},
	{"phq9", "PHQ-9"},
	{"p h q two", "PHQ-2"},
	{"phq two", "PHQ-2"},
	{"g a d seven", "GAD-7"},
	{"g a d 7", "GAD-7"},
	{"gad seven", "GAD-7"},
	{"gad 7", "GAD-7"},
	{"gad7", "GAD-7"},
	{"covid nineteen", "COVID-19"},
	{"covid 19", "COVID-19"},
	{"vitamin b twelve", "vitamin B12"},
	{"vitamin b 12", "vitamin B12"},
	{"b twelve", "B12"},
	{"vitamin d three", "vitamin D3"},
	{"vitamin d 3", "vitamin D3"},
	{"vitamin k one", "vitamin K1"},
}

func namedCode(s *scan, i int) (match, bool) {
	best, length := "", 0
	for _, n := range named {
		if words := strings.Fields(n.said); len(words) > length && s.phrase(i, words) {
			best, length = n.written, len(words)
		}
	}
	if length == 0 {
		return match{}, false
	}
	if first := s.atoms[i].raw; (strings.HasPrefix(best, "vitamin") || strings.HasPrefix(best, "hemoglobin")) && unicode.IsUpper([]rune(first)[0]) {
		best = strings.ToUpper(best[:1]) + best[1:]
	}
	return match{to: i + length, text: best}, true
}

// level is one vertebra: its region and number.
type level struct {
	letter string
	number int64
	next   int
	spoken bool
}

// spine are the regions of the vertebral column: cervical, thoracic, lumbar, sacral.
var spine = map[string]bool{"c": true, "t": true, "l": true, "s": true}

// vertebra reads "L four" or "L4".
func (s *scan) vertebra(i int) (level, bool) {
	w := s.at(i)
	if m := lettered.FindStringSubmatch(w); m != nil && spine[m[1]] {
		v, _ := strconv.ParseInt(m[2], 10, 64)
		return level{strings.ToUpper(m[1]), v, i + 1, false}, inRegion(m[1], v)
	}
	if len(w) != 1 || !spine[w] || !s.open(i) {
		return level{}, false
	}
	v, next, ok := s.under100(i + 1)
	if n, digits := s.digits(i + 1); !ok && digits && n.whole {
		v, next, ok = n.value, n.next, true
	}
	return level{strings.ToUpper(w), v, next, true}, ok && inRegion(w, v)
}

func inRegion(letter string, v int64) bool {
	return v >= 1 && v <= map[string]int64{"c": 8, "t": 12, "l": 5, "s": 5}[letter]
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

func vertebrae(s *scan, i int) (match, bool) {
	if m := vertebraPair.FindStringSubmatch(s.at(i)); m != nil {
		a, _ := strconv.ParseInt(m[2], 10, 64)
		b, _ := strconv.ParseInt(m[4], 10, 64)
		up, down := level{strings.ToUpper(m[1]), a, 0, false}, level{strings.ToUpper(m[3]), b, 0, false}
		return match{to: i + 1, text: up.String() + "-" + down.String()}, up.below(down)
	}
	a, ok := s.vertebra(i)
	if !ok {
		return match{}, false
	}
	next := a.next
	if s.open(next - 1) {
		if s.is(next, "to", "-", "dash", "hyphen") {
			next++
		}
		if b, ok := s.vertebra(next); ok && a.below(b) && s.open(next-1) {
			return match{to: b.next, text: a.String() + "-" + b.String()}, true
		}
		if v, after, ok := s.under100(a.next); ok && a.spoken && v == a.number+1 && inRegion(strings.ToLower(a.letter), v) {
			if _, _, unit := s.unitAt(after); !unit {
				return match{to: after, text: a.String() + "-" + strconv.FormatInt(v, 10)}, true
			}
		}
	}
	if !a.spoken || !unicode.IsUpper([]rune(s.atoms[i].raw)[0]) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(a.next); unit || s.is(a.next, "n") { // "T two N one" is a stage
		return match{}, false
	}
	return match{to: a.next, text: a.String()}, true
}

func (a level) String() string { return a.letter + strconv.FormatInt(a.number, 10) }

// staging writes tumour stages: "T two N one M zero" as T2 N1 M0.
func staging(s *scan, i int) (match, bool) {
	return lettersAndNumbers(s, i, [][2]string{{"t", "n"}, {"n", "m"}})
}

// obstetric writes "G two P one" as G2 P1.
func obstetric(s *scan, i int) (match, bool) {
	return lettersAndNumbers(s, i, [][2]string{{"g", "p"}})
}

// lettersAndNumbers reads letters with a number each, where the pairs say which letter may follow which.
func lettersAndNumbers(s *scan, i int, follows [][2]string) (match, bool) {
	var parts []string
	letter, next := s.at(i), i
	for {
		v, after, ok := s.under100(next + 1)
		if n, digits := s.digits(next + 1); !ok && digits && n.whole {
			v, after, ok = n.value, n.next, true
		}
		if len(s.at(next)) != 1 || !ok || !s.open(next) || v > 20 {
			break
		}
		parts = append(parts, strings.ToUpper(letter)+strconv.FormatInt(v, 10))
		next = after
		following := ""
		for _, f := range follows {
			if f[0] == letter {
				following = f[1]
			}
		}
		if following == "" || !s.is(next, following) {
			break
		}
		letter = following
	}
	if len(parts) < 2 || strings.ToLower(parts[0][:1]) != follows[0][0] {
		return match{}, false
	}
	return match{to: next, text: strings.Join(parts, " ")}, true
}

// spelled joins capital letters spelled one by one: "T S H" is TSH.
func spelled(s *scan, i int) (match, bool) {
	var b strings.Builder
	next := i
	for next < len(s.atoms) && len(s.atoms[next].raw) == 1 && unicode.IsUpper(rune(s.atoms[next].raw[0])) {
		if next > i && !s.open(next-1) {
			break
		}
		b.WriteString(s.atoms[next].raw)
		next++
	}
	if b.Len() < 2 || s.at(i) == "i" || (b.Len() == 2 && s.at(i) == "a") {
		return match{}, false
	}
	return match{to: next, text: b.String()}, true
}

// labValue sets a value apart from the name of its test.
func labValue(s *scan, i int) (match, bool) {
	if s.atoms[i].last || !gluedLab.MatchString(s.words[s.atoms[i].word].Text) {
		return match{}, false
	}
	return match{to: i + 2, text: s.atoms[i].raw + " " + s.atoms[i+1].raw}, true
}
