package numbers

import "strings"

// bloodPressure writes "X over Y" as X/Y when both are pressures, and "X slash Y" always.
func bloodPressure(s *scan, i int) (match, bool) {
	high, ok := s.pressure(i)
	if !ok || !s.is(high.next, "over", "slash", "/") || !s.open(high.next) {
		return match{}, false
	}
	link := high.next
	if s.is(link+1, "palp", "palpation", "palpable", "doppler") && s.at(link) == "over" && high.max >= 40 && high.max <= 300 {
		return match{to: link + 2, text: high.text + "/" + s.at(link+1)}, true
	}
	low, ok := s.pressure(link + 1)
	if !ok || high.decade != low.decade && low.decade {
		return match{}, false
	}
	pressure := high.min >= 50 && high.max <= 300 && low.min >= 20 && low.max <= 200 && high.min > low.min
	dictated := s.at(link) == "slash" && high.max <= 300 && low.max <= 300 && !s.is(low.next, "slash", "/")
	if !pressure && !dictated {
		return match{}, false
	}
	if third, ok := s.pressure(low.next + 1); pressure && ok && s.is(low.next, "slash", "/", "over") {
		return match{to: third.next, doubt: "a blood pressure has two numbers, and here are three"}, true
	}
	u, next, ok := s.unitAt(low.next)
	switch {
	case ok && u.text == "mmHg":
		return match{to: next, text: high.text + "/" + low.text + " mmHg"}, true
	case ok && (u.kind != measure || !pressure):
		return match{}, false // "one hundred over thirty minutes"; a ratio has its own rule
	}
	return match{to: low.next, text: high.text + "/" + low.text}, true
}

// bound is one side of a blood pressure: a number, a range, or a decade ("one forties").
type bound struct {
	text     string
	min, max int64
	next     int
	decade   bool
}

func (s *scan) pressure(i int) (bound, bool) {
	if v, next, ok := s.decadeAt(i); ok {
		text := itoa(v) + "s"
		return bound{text, v, v, next, true}, true
	}
	n, ok := s.mixed(i)
	if !ok {
		n, ok = s.clinical(i)
	}
	if !ok || !n.whole {
		return bound{}, false
	}
	b := bound{n.text, n.value, n.value, n.next, false}
	if !s.is(n.next, "to", "-", "through") || !s.open(n.next) {
		return b, true
	}
	to, ok := s.clinical(n.next + 1)
	if !ok || !to.whole || to.value <= n.value {
		return b, true
	}
	return bound{n.text + "-" + to.text, n.value, to.value, to.next, false}, true
}

// mixed reads hundreds of which the engine wrote both parts in figures: "1 42 over 88".
func (s *scan) mixed(i int) (number, bool) {
	a, ok := s.digits(i)
	if !ok || !a.whole || a.value < 1 || a.value > 2 || a.next != i+1 || !s.open(i) || s.atoms[i].word == s.atoms[min(i+1, len(s.atoms)-1)].word {
		return number{}, false
	}
	b, ok := s.digits(i + 1)
	if !ok || !b.whole || len(b.text) != 2 || !s.is(b.next, "over", "/") {
		return number{}, false
	}
	v := a.value*100 + b.value
	return number{text: itoa(v), value: v, whole: true, next: b.next, said: true}, true
}

// decadeAt reads "forties" and "one forties".
func (s *scan) decadeAt(i int) (int64, int, bool) {
	if v := decades[s.at(i)]; v > 0 {
		return v, i + 1, true
	}
	if c := map[string]int64{"eighteen": 1800, "nineteen": 1900, "twenty": 2000}[s.at(i)]; c > 0 && s.open(i) && decades[s.at(i+1)] > 0 {
		return c + decades[s.at(i+1)], i + 2, true
	}
	if h, ok := ones[s.at(i)]; ok && s.open(i) {
		if v := decades[s.at(i+1)]; v > 0 {
			return h*100 + v, i + 2, true
		}
	}
	return 0, i, false
}

var beforeDecade = set("low mid high upper lower late early the his her their my its in to")

// decade writes "in the one forties" as "in the 140s".
func decade(s *scan, i int) (match, bool) {
	v, next, ok := s.decadeAt(i)
	if !ok || v < 100 && !beforeDecade[s.at(i-1)] && s.labelled(i, "measures") == "" {
		return match{}, false
	}
	return match{to: next, text: itoa(v) + "s"}, true
}

// temperature reads the point that is not spoken: "temperature ninety eight six" is 98.6. Only one reading is a body's
// temperature.
func temperature(s *scan, i int) (match, bool) {
	if s.labelled(i, "temperatures") == "" {
		return match{}, false
	}
	n, ok := s.clinical(i)
	if !ok || !n.whole || !s.open(n.next-1) || n.value < 34 || n.value > 108 || n.value > 42 && n.value < 94 {
		return match{}, false
	}
	tenth, ok := s.digit(n.next)
	if !ok || s.open(n.next) && s.numeric(n.next+1) || strings.ContainsAny(s.at(n.next), "o") && s.at(n.next) == "o" {
		return match{}, false
	}
	if s.is(n.next+1, "over", "out", "year", "plus", "of", "to") {
		return match{}, false
	}
	if u, _, ok := s.unitAt(n.next + 1); ok && !strings.HasPrefix(u.text, "°") && !strings.HasPrefix(u.text, "degree") {
		return match{}, false
	}
	return match{to: n.next + 1, text: s.style.Number(n.text+"."+string(tenth), false)}, true
}

// height writes "five eleven" after its label as 5'11".
func height(s *scan, i int) (match, bool) {
	if s.labelled(i, "heights") == "" {
		return match{}, false
	}
	feet, next := ones[s.at(i)], i+1
	if feet < 2 || feet > 7 || !s.open(i) {
		return match{}, false
	}
	inches, next, ok := s.under100(next)
	if !ok || inches > 11 || s.open(next-1) && (s.numeric(next) || s.is(next, "point")) {
		return match{}, false
	}
	return match{to: next, text: itoa(feet) + "'" + itoa(inches) + `"`}, true
}
