package numbers

import "strings"

// labelled writes the number of a named quantity or grade in digits.
func labelled(s *scan, i int) (match, bool) {
	if s.label(i, measureLabels) != "" {
		n, ok := s.leadingPoint(i)
		if !ok {
			n, ok = s.clinical(i)
		}
		if !ok || s.crowded(n) || s.partOfPhrase(i, n) {
			return match{}, false
		}
		return match{to: n.next, text: separated(n.text, 10000)}, true
	}
	name := s.label(i, codeLabels)
	if name == "" {
		return match{}, false
	}
	if name == "number" && set("the a his her their its our")[s.at(i-2)] {
		return match{}, false // "the number one cause"
	}
	n, ok := s.plain(i)
	if !ok || s.crowded(n) || s.partOfPhrase(i, n) || !s.adjacentLabel(i, name) {
		return match{}, false
	}
	if name == "class" && n.whole && n.value >= 1 && n.value <= 4 && s.nearby(i, 5, set("nyha heart")) {
		return match{to: n.next, text: romans[n.value]}, true
	}
	return match{to: n.next, text: n.text}, true
}

// adjacentLabel wants a code's label directly before the number: "grade two", not "the day was two".
func (s *scan) adjacentLabel(i int, name string) bool {
	return s.open(i-1) && s.at(i-1) == strings.TrimSuffix(name, "-")
}

// partOfPhrase keeps "one of the", "one or more" and "two other" as words.
func (s *scan) partOfPhrase(i int, n number) bool {
	if !n.said {
		return true // digits stay as they are
	}
	return n.small && (s.is(n.next, "of", "other", "more", "or") || s.is(n.next, "more") || s.at(i-1) == "a" || s.at(i-1) == "with")
}

// cardinal writes whole numbers from ten on, and decimals, in digits. Smaller numbers stay words: only a unit or a label
// makes a quantity of them.
func cardinal(s *scan, i int) (match, bool) {
	if s.at(i) == "minus" && s.open(i) {
		n, ok := s.plain(i + 1)
		if !ok || !n.said || s.crowded(n) || n.small {
			return match{}, false
		}
		return match{to: n.next, text: "-" + n.text}, true
	}
	n, ok := s.plain(i)
	if !ok || s.at(i) == "a" {
		return match{}, false
	}
	if s.crowded(n) || s.follows(i) {
		return match{to: s.endOfCrowd(n)}.asWords(s, i), true
	}
	if !n.said || n.small || n.whole && n.value < 10 || strings.HasSuffix(n.text, ".5") && s.at(n.next-1) == "half" {
		return match{}, false
	}
	return match{to: n.next, text: separated(n.text, 10000)}, true
}

// endOfCrowd is the end of a row of numbers that can be read in several ways.
func (s *scan) endOfCrowd(n number) int {
	for s.crowded(n) {
		next, ok := s.plain(n.next)
		if !ok {
			return n.next
		}
		n = next
	}
	return n.next
}

// follows says that another number stands directly before.
func (s *scan) follows(i int) bool {
	if i == 0 || !s.open(i-1) {
		return false
	}
	w := s.at(i - 1)
	return numberWord(w) && s.at(i) != "a"
}

// asWords keeps the words of a match as they are.
func (m match) asWords(s *scan, i int) match {
	for m.to < len(s.atoms) && !s.atoms[m.to].first {
		m.to++
	}
	m.text = s.original(s.atoms[i].word, s.atoms[m.to-1].word+1)
	return m
}

var recordLabels = set("mrn record-number phone-number telephone-number account-number zip-code extension fax-number")

// recordNumber joins digits spoken one by one after a label.
func recordNumber(s *scan, i int) (match, bool) {
	if s.label(i, recordLabels) == "" {
		return match{}, false
	}
	var b strings.Builder
	next := i
	for next < len(s.atoms) {
		d, ok := s.digit(next)
		if !ok || (next > i && !s.open(next-1)) {
			break
		}
		b.WriteByte(d)
		next++
	}
	if b.Len() < 3 {
		return match{}, false
	}
	return match{to: next, text: b.String()}, true
}
