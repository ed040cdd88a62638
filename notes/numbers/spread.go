package numbers

import "strings"

// spread writes a range with one unit, or of one labelled quantity, in figures.
func spread(s *scan, i int) (match, bool) {
	labelled := s.labelled(i, "measures") != ""
	read := s.dosed
	if labelled {
		read = s.clinical
	}
	from, ok := readSized(s, i, read)
	if !ok || !s.is(from.next, "to", "or", "through", "and", "-", "–") || !s.open(from.next) {
		return match{}, false
	}
	both := s.at(from.next) == "and" && s.at(i-1) != "between"
	to, ok := readSized(s, from.next+1, read)
	if !ok || s.crowded(to) || from.crossed(to) && !both {
		return match{}, false
	}
	link := " " + s.atoms[from.next].raw + " "
	if dash := s.at(from.next); dash == "-" || dash == "–" {
		link = "-"
	}
	u, next, ok := s.unitAt(to.next)
	if ok && !(both && (u.kind == measure || u.kind == percent || s.labelledBefore(i))) {
		return s.withUnit(from, to, link, u, next), true
	}
	if !labelled || both {
		return match{}, false
	}
	return match{to: to.next, text: s.style.Number(from.text, false) + link + s.style.Number(to.text, false)}, true
}

// readSized reads a number that may begin with its point.
func readSized(s *scan, i int, read func(int) (number, bool)) (number, bool) {
	if n, ok := s.leadingPoint(i); ok {
		return n, true
	}
	return read(i)
}

// labelledBefore says that the number belongs to a label of its own: "grade two and five milligrams".
func (s *scan) labelledBefore(i int) bool {
	return s.labelled(i, "measures") != "" || s.labelled(i, "numbered") != ""
}

// withUnit writes both ends of a range and their unit.
func (s *scan) withUnit(from, to number, link string, u unit, next int) match {
	lead := s.amount(from, u, false)
	if u.kind == span && s.isAdjective(to, next) && !strings.HasSuffix(link, "and ") {
		if link != "-" {
			lead += "-" // "a 5- to 6-day history"
		}
		return match{to: next, text: lead + link + s.style.Number(to.text, false) + "-" + u.text}
	}
	return match{to: next, text: lead + link + s.with(to, u, false)}
}

// crossed says that a range runs downwards, which then is no range.
func (n number) crossed(to number) bool {
	return n.whole && to.whole && n.value >= to.value
}

const sideBySide = "two numbers side by side: they can be read as one number or as two"

// splitNumber finds two numbers before one unit that could be one number torn apart, and leaves them to a person.
func splitNumber(s *scan, i int) (match, bool) {
	first, ok := s.plain(i)
	if !ok || first.next >= len(s.atoms) || s.atoms[first.next-1].hard {
		return match{}, false
	}
	mark := s.atoms[first.next-1].mark
	if mark != "" && (mark != "," || !first.whole || first.value%100 != 0 || first.value == 0) {
		return match{}, false
	}
	second, ok := s.plain(first.next)
	if !ok || s.dosedAt(i, second) {
		return match{}, false
	}
	for mark == "" && s.crowded(second) { // three and more
		if second, ok = s.plain(second.next); !ok {
			return match{}, false
		}
	}
	if mark == "," && (!second.whole || second.value >= 100) {
		return match{}, false
	}
	u, _, ok := s.unitAt(second.next)
	if !ok || u.text == "times" && second.small || mark == "," && (u.kind == span || u.kind == count) {
		return match{}, false
	}
	return match{to: second.next, doubt: sideBySide}, true
}

// twoCounts writes how many of which size: "three five millimeter trocars" are three 5 mm trocars. The first stays a word, so
// that the two do not run together. Where both could be one number ("two fifty"), this is no such case.
func twoCounts(s *scan, i int) (match, bool) {
	first, ok := s.cardinal(i)
	if !ok || !first.small || first.value < 2 || !s.open(first.next-1) {
		return match{}, false
	}
	second, ok := s.plain(first.next)
	if !ok || s.crowded(second) || !second.small && !(second.whole && second.value >= 100) && second.whole {
		return match{}, false
	}
	u, next, ok := s.unitAt(second.next)
	if !ok || u.kind == percent || u.kind == count || u.kind == span || !s.open(next-1) {
		return match{}, false
	}
	noun := s.at(next)
	if len(noun) < 4 || !strings.HasSuffix(noun, "s") || strings.HasSuffix(s.at(next-1), "s") && s.at(next-1) != "units" {
		return match{}, false
	}
	return match{to: next, text: s.atoms[i].raw + " " + s.with(second, u, false)}, true
}

// bareUnit writes a divided unit whose number nobody heard: it stands behind a blank.
func bareUnit(s *scan, i int) (match, bool) {
	u, next, ok := s.unitAt(i)
	if i != 0 || !ok || next < i+3 || !strings.Contains(u.text, "/") {
		return match{}, false
	}
	return match{to: next, text: s.style.Unit(u.text, "2")}, true
}

// dosedAt says that both numbers are read as one by dosed ("two fifty milligrams").
func (s *scan) dosedAt(i int, second number) bool {
	n, ok := s.dosed(i)
	return ok && n.next >= second.next
}

// crowdedLabel finds two numbers after the name of one measurement, and leaves them to a person.
func crowdedLabel(s *scan, i int) (match, bool) {
	if s.labelled(i, "vitals_and_labs") == "" {
		return match{}, false
	}
	first, ok := s.clinical(i)
	if !ok || !s.crowded(first) {
		return match{}, false
	}
	second, ok := s.clinical(first.next)
	if !ok || s.crowded(second) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(second.next); unit || s.is(second.next, "over", "slash", "/", "out", "of", "plus", "year", "point") {
		return match{}, false
	}
	return match{to: second.next, doubt: sideBySide + ", or a point was lost"}, true
}

// lostNumber finds a unit whose number the engine lost, or wrote as a word that sounds like it.
func lostNumber(s *scan, i int) (match, bool) {
	needs := nouns().needsNumber
	if number := nouns().soundsLike[s.at(i)]; number != "" {
		if u, next, ok := s.unitAt(i + 1); ok && u.kind == dose && needs[s.at(i+1)] && !s.numeric(i-1) {
			return match{to: next, doubt: "before a unit, “" + s.at(i) + "” may be the number " + number}, true
		}
		if s.is(i+1, "over") && s.numeric(i-1) && s.numeric(i+2) && s.open(i-1) && s.open(i+1) {
			return match{to: i + 3, doubt: "“" + s.at(i) + "” may be the number " + number + " of a blood pressure"}, true
		}
	}
	if s.at(i) == "4" && s.is(i+1, "/") && s.open(i+1) {
		if n, ok := s.digits(i + 2); ok {
			if u, next, ok := s.unitAt(n.next); ok && (u.kind == count || u.kind == span) && strings.HasSuffix(u.text, "s") {
				return match{to: next, doubt: "“4/” may be the word for"}, true
			}
		}
	}
	if !needs[s.at(i)] || i == 0 || !s.open(i-1) || s.endsInFigure(i-1) || nouns().bareUnit[s.at(i-1)] {
		return match{}, false
	}
	return match{to: i + 1, doubt: "there is no number before this unit"}, true
}

// needlessZeros finds doses with zeros that nobody says: "0.100 mg" is what engines make of "in 100 mg".
func needlessZeros(s *scan, i int) (match, bool) {
	n, ok := s.digits(i)
	if !ok || !strings.HasSuffix(n.text, "00") || !strings.Contains(n.text, ".") {
		return match{}, false
	}
	u, next, ok := s.unitAt(n.next)
	if !ok || u.kind != dose {
		return match{}, false
	}
	return match{to: next, doubt: "the zeros at the end of this dose are hardly said; a point may stand in the wrong place"}, true
}

// endsInFigure says that a word is or ends in a number, in whatever form.
func (s *scan) endsInFigure(i int) bool {
	w := s.at(i)
	if s.numeric(i) || w == "" {
		return s.numeric(i)
	}
	last := []rune(w)[len([]rune(w))-1]
	return last >= '0' && last <= '9' || strings.ContainsRune("½¼¾+", last)
}

// unsureDrug finds MS before a dose: the list of dangerous abbreviations has it because it stands for two drugs.
func unsureDrug(s *scan, i int) (match, bool) {
	if s.at(i) != "ms" || s.atoms[i].raw != "MS" || !s.open(i) {
		return match{}, false
	}
	n, ok := s.plain(i + 1)
	if !ok {
		return match{}, false
	}
	if u, _, ok := s.unitAt(n.next); !ok || u.kind != dose {
		return match{}, false
	}
	return match{to: i + 1, doubt: "MS before a dose can be morphine sulfate or magnesium sulfate"}, true
}
