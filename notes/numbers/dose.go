package numbers

// quantity writes a number with its unit.
func quantity(s *scan, i int) (match, bool) {
	if m, ok := s.partOfUnit(i); ok {
		return m, true
	}
	n, ok := s.leadingPoint(i)
	if !ok {
		n, ok = s.dosed(i)
	}
	if !ok || s.crowded(n) {
		return match{}, false
	}
	u, next, ok := s.unitAt(n.next)
	if !ok || s.oneOfThem(i, n, u) || (n.small && s.at(n.next) == "times") || s.is(next, "notice") || u.text == "m" && !n.said {
		return match{}, false
	}
	if u.kind == span && s.isAdjective(n, next) {
		return match{to: next, text: s.style.Number(n.text, false) + "-" + u.text}, true
	}
	return match{to: next, text: s.with(n, u, s.labelled(i, "labs") != "")}, true
}

// partOfUnit writes "half a milligram" as 0.5 mg. Halves of what is counted ("half a tablet") stay words: 0.5 tablet has
// been read as 5 tablets.
func (s *scan) partOfUnit(i int) (match, bool) {
	for _, f := range []struct {
		words []string
		text  string
	}{
		{[]string{"a", "half"}, "0.5"},
		{[]string{"one", "half"}, "0.5"},
		{[]string{"half"}, "0.5"},
		{[]string{"a", "quarter"}, "0.25"},
		{[]string{"one", "quarter"}, "0.25"},
		{[]string{"three", "quarters"}, "0.75"},
	} {
		next := i + len(f.words)
		if !s.phrase(i, f.words) || s.numeric(i-1) || s.is(i, "half") && s.at(i-1) == "a" {
			continue
		}
		if s.is(next, "of") {
			next++
		}
		if s.is(next, "a", "an") {
			next++
		}
		if u, end, ok := s.unitAt(next); ok && (u.kind == dose || u.kind == measure || u.kind == percent) && s.open(next-1) {
			return match{to: end, text: s.with(number{text: f.text}, u, false)}, true
		}
	}
	return match{}, false
}

// bareDaily writes a small dose without its unit before a frequency: "amlodipine five daily".
func bareDaily(s *scan, i int) (match, bool) {
	n, ok := s.sized(i)
	if !ok || !s.open(n.next-1) || s.labelled(i, "records") != "" || !n.said && n.whole || len(s.at(i-1)) == 1 {
		return match{}, false
	}
	next := lists()["after_small_dose"][s.at(n.next)]
	if times := s.is(n.next, "two", "three", "four", "five") && s.is(n.next+1, "times"); !next && !(times && !n.whole) {
		return match{}, false
	}
	return match{to: n.next, text: s.style.Number(withoutTrailingZero(n.text), true) + n.tail}, true
}

// isAdjective says that a singular span stands before what it describes: "two week history".
func (s *scan) isAdjective(n number, next int) bool {
	if n.value == 1 && !s.articleBefore(n, next) || !n.said || !s.open(next-1) || next >= len(s.atoms) {
		return false
	}
	_, unit, _ := s.simpleUnit(next)
	return unit == next && !nouns().spans[s.at(next)] && !s.numeric(next)
}

// articleBefore says that "one" stands after an article: "a one week history".
func (s *scan) articleBefore(n number, next int) bool { return s.at(n.next-2) == "a" && next > n.next }

// oneOfThem keeps "one day he noticed" and "one time" as words.
func (s *scan) oneOfThem(i int, n number, u unit) bool {
	if !n.said || n.text != "1" || u.kind != span {
		return false
	}
	switch s.at(i - 1) {
	case "and":
		return s.at(i-2) != "weeks" && s.at(i-2) != "months" && s.at(i-2) != "years" && s.at(i-2) != "days"
	case "for", "in", "after", "within", "every", "of", "over", "about", "than", "last", "past", "at", "to", "times", "by", "a":
		return false
	}
	return !s.is(n.next+1, "ago", "later", "history", "prior", "before", "apart", "postop", "postoperatively", "status")
}

// dosed reads the number before a unit. Hundreds spoken as "two fifty" are read where no list of two numbers is likely.
func (s *scan) dosed(i int) (number, bool) {
	if v := scales[s.at(i)]; v > 0 && v < 1000000 && !s.numeric(i-1) && (i == 0 || !nouns().bareUnit[s.at(i-1)]) {
		if _, _, ok := s.unitAt(i + 1); ok {
			return number{text: itoa(v), value: v, whole: true, next: i + 1, said: true}, true
		}
	}
	p, paired := s.paired(i)
	if paired && s.open(p.next-1) {
		if u, _, ok := s.unitAt(p.next); ok && u.kind != span && u.kind != count || ok && s.weighs(p.next) {
			low := p.value % 100
			if low >= 20 || low < 10 || p.value < 200 && low > 10 {
				return p, true
			}
		}
	}
	return s.plain(i)
}

// weighs says that the noun counts what reaches hundreds.
func (s *scan) weighs(i int) bool {
	return s.is(i, "pounds", "pound", "lbs", "lb", "degrees", "beats", "bpm", "joules", "calories")
}

// dimension writes "two by three centimeters" as 2 x 3 cm.
func dimension(s *scan, i int) (match, bool) {
	n, ok := s.sized(i)
	if !ok {
		return match{}, false
	}
	text, parts := s.style.Number(n.text, false), 1
	for s.is(n.next, "by", "x", "×") && s.open(n.next) {
		n, ok = s.sized(n.next + 1)
		if !ok {
			return match{}, false
		}
		text, parts = text+" x "+s.style.Number(n.text, false), parts+1
	}
	u, next, ok := s.unitAt(n.next)
	if !ok && parts >= 3 && !s.crowded(n) {
		return match{to: n.next, text: text}, true
	}
	if parts < 2 || !ok || u.kind != measure && u.text != "inches" && u.text != "feet" {
		return match{}, false
	}
	return match{to: next, text: text + " " + s.style.Unit(u.text, n.text)}, true
}

// sized reads a number of a size, with or without its zero.
func (s *scan) sized(i int) (number, bool) {
	if n, ok := s.leadingPoint(i); ok {
		return n, true
	}
	return s.plain(i)
}

// ratio writes strengths of two drugs in one tablet: "eight seventy five slash one twenty five milligrams".
func ratio(s *scan, i int) (match, bool) {
	first, ok := s.clinical(i)
	if !ok || !s.is(first.next, "slash", "/") || !s.open(first.next) {
		return match{}, false
	}
	second, ok := s.leadingPoint(first.next + 1)
	if !ok {
		second, ok = s.clinical(first.next + 1)
	}
	if !ok {
		return match{}, false
	}
	u, next, ok := s.unitAt(second.next)
	if !ok || u.kind == span || u.kind == count {
		if last := s.at(second.next - 1); ok && ones[last] > 0 && !second.small { // "fifty two puffs"
			return match{to: second.next, doubt: sideBySide}, first.said
		}
		spoken := s.at(first.next) == "slash" && first.said && !s.is(second.next, "slash")
		return match{to: second.next, text: s.style.Number(first.text, false) + "/" + s.style.Number(second.text, false)}, spoken
	}
	lead := s.amount(first, u, false)
	return match{to: next, text: lead + "/" + s.with(second, u, false)}, true
}
