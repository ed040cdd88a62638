package numbers

import (
	"regexp"
	"strings"
	"unicode"
)

// tnm is one part of a tumour's stage as engines write it in one word: "t2a", "pT1c", "ypN0", "mx".
var tnm = regexp.MustCompile(`^(yp|[cpyr])?([tnm])(\d|x|is)([a-d])?$`)

// gluedTNM is a whole stage in one word: "T2N1M0".
var gluedTNM = regexp.MustCompile(`^((?:yp|[cpyr])?t(?:\d|x|is)[a-d]?)(n(?:\d|x)[a-c]?)(m(?:\d|x)[a-c]?)?$`)

// stagePart is one part that was read.
type stagePart struct {
	text   string
	letter string
	next   int
}

// stagePart reads "T two", "p T two", "T one c", "M X", "T2a" at atom i.
func (s *scan) stagePart(i int) (stagePart, bool) {
	if m := tnm.FindStringSubmatch(s.at(i)); m != nil {
		step := m[3]
		if step == "x" {
			step = "X"
		}
		return stagePart{m[1] + strings.ToUpper(m[2]) + step + m[4], m[2], i + 1}, true
	}
	prefix := ""
	if w := s.at(i); (w == "p" || w == "c" || w == "y" || w == "yp") && s.open(i) && len(s.at(i+1)) == 1 {
		prefix, i = w, i+1
	}
	letter := s.at(i)
	if letter != "t" && letter != "n" && letter != "m" || !s.open(i) {
		return stagePart{}, false
	}
	var step string
	next := i + 2
	if d, ok := s.digit(i + 1); ok && d <= '4' {
		step = string(d)
	} else if w := s.at(i + 1); w == "x" || w == "is" {
		step = map[string]string{"x": "X", "is": "is"}[w]
	} else {
		return stagePart{}, false
	}
	if s.is(next, "a", "b", "c", "d") && (s.is(next+1, "n", "m") || s.at(next) != "a") {
		step, next = step+s.at(next), next+1
	}
	return stagePart{prefix + strings.ToUpper(letter) + step, letter, next}, true
}

// staging writes tumour stages: "T two N one M zero" as T2 N1 M0.
func staging(s *scan, i int) (match, bool) {
	if m := gluedTNM.FindStringSubmatch(s.at(i)); m != nil {
		var parts []string
		for _, p := range filled(m[1:]) {
			f := tnm.FindStringSubmatch(p)
			parts = append(parts, f[1]+strings.ToUpper(f[2])+strings.Replace(f[3], "x", "X", 1)+f[4])
		}
		return match{to: i + 1, text: strings.Join(parts, " ")}, true
	}
	var parts []string
	next, last := i, ""
	for {
		p, ok := s.stagePart(next)
		if !ok || next > i && !s.open(next-1) || last != "" && !strings.Contains("tn nm tm", last+p.letter) { //nolint:gocritic // a pair in a list
			break
		}
		parts, next, last = append(parts, p.text), p.next, p.letter
	}
	if len(parts) < 2 {
		return match{}, false
	}
	return match{to: next, text: strings.Join(parts, " ")}, true
}

// cancerStage writes the stage of a cancer in Roman numerals: "stage three B adenocarcinoma" is stage IIIB. Stages of kidney
// disease have small letters, stages of other diseases stay as they are said.
func cancerStage(s *scan, i int) (match, bool) {
	if s.at(i-1) != "stage" || !s.open(i-1) {
		return match{}, false
	}
	letter, next := "", i+1
	v := ones[s.at(i)]
	if v == 0 {
		w := s.at(i)
		if w == "" || w[0] < '1' || w[0] > '4' || len(w) > 2 || len(w) == 2 && (w[1] < 'a' || w[1] > 'c') {
			return match{}, false
		}
		v, letter = int64(w[0]-'0'), strings.ToUpper(w[1:])
	} else if v > 4 {
		return match{}, false
	}
	if letter == "" && s.is(next, "a", "b", "c") && (unicode.IsUpper(firstRune(s.atoms[next].raw)) || s.at(next) != "a") {
		letter, next = strings.ToUpper(s.at(next)), next+1
	}
	cancers := lists()["cancer"]
	switch {
	case s.nearby(i, 8, cancers) || s.ahead(next, 6, cancers):
		return match{to: next, text: romans[v] + letter}, true
	case letter != "" && (s.nearby(i, 4, lists()["kidney"]) || s.ahead(next, 4, lists()["kidney"])):
		return match{to: next, text: itoa(v) + strings.ToLower(letter)}, true
	}
	return match{}, false
}

var (
	gluedObstetric = regexp.MustCompile(`^g(\d{1,2})[-/]?p(\d{1,4})(?:[-/]?a[b]?(\d{1,2}))?$`)
	fourBirths     = regexp.MustCompile(`^\d{4}$`)
)

// obstetric writes pregnancies and births: "G two P one" is G2 P1, "G three P two zero one two" is G3 P2-0-1-2.
func obstetric(s *scan, i int) (match, bool) {
	if m := gluedObstetric.FindStringSubmatch(s.at(i)); m != nil {
		text := "G" + m[1] + " P" + births(m[2])
		if m[3] != "" {
			text += " A" + m[3]
		}
		return match{to: i + 1, text: text}, true
	}
	if s.at(i) != "g" && !gravidity.MatchString(s.at(i)) {
		return match{}, false
	}
	var parts []string
	next, want := i, []string{"g", "p", "a", "l"}
	for _, letter := range want {
		text, after, ok := s.counted(next, letter)
		if !ok || next > i && !s.open(next-1) {
			break
		}
		parts, next = append(parts, text), after
	}
	if len(parts) < 2 {
		return match{}, false
	}
	return match{to: next, text: strings.Join(parts, " ")}, true
}

var gravidity = regexp.MustCompile(`^g\d{1,2}$`)

// counted reads a letter and its number, in one word or in two; births may have four figures.
func (s *scan) counted(i int, letter string) (string, int, bool) {
	upper := strings.ToUpper(letter)
	if rest, ok := strings.CutPrefix(s.at(i), letter); ok && isDigits(rest) && (len(rest) <= 2 || letter == "p" && len(rest) == 4) {
		if letter == "p" {
			rest = births(rest)
		}
		return upper + rest, i + 1, true
	}
	if s.at(i) != letter || !s.open(i) {
		return "", i, false
	}
	if letter == "p" {
		if four, next, ok := s.fourFigures(i + 1); ok {
			return upper + four, next, true
		}
	}
	v, next, ok := s.under100(i + 1)
	if n, digits := s.digits(i + 1); !ok && digits && n.whole {
		v, next, ok = n.value, n.next, true
	}
	if !ok || v > 20 {
		return "", i, false
	}
	return upper + itoa(v), next, true
}

// fourFigures reads the four counts of births: term, preterm, abortions, living.
func (s *scan) fourFigures(i int) (string, int, bool) {
	if w := s.at(i); fourBirths.MatchString(w) {
		return births(w), i + 1, true
	}
	figures := make([]byte, 0, 4)
	next := i
	for len(figures) < 4 && (next == i || s.open(next-1)) {
		if len(figures) > 0 && s.is(next, "dash", "hyphen", "-") {
			next++
		}
		d, ok := s.digit(next)
		if !ok {
			return "", i, false
		}
		figures, next = append(figures, d), next+1
	}
	if len(figures) < 4 || s.open(next-1) && s.numeric(next) {
		return "", i, false
	}
	return births(string(figures)), next, true
}

// births writes four counts with hyphens between.
func births(figures string) string {
	if len(figures) != 4 {
		return strings.TrimLeft(figures[:len(figures)-1], "0") + figures[len(figures)-1:]
	}
	return strings.Join(strings.Split(figures, ""), "-")
}

// parity writes "para two zero one two" after its label.
func parity(s *scan, i int) (match, bool) {
	if s.at(i-1) != "para" || !s.open(i-1) {
		return match{}, false
	}
	text, next, ok := s.fourFigures(i)
	return match{to: next, text: text}, ok
}
