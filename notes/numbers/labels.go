package numbers

import (
	"strconv"
	"strings"
)

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

// measured writes the number of a named quantity in figures, in the way it is spoken: "heart rate one oh four".
func measured(s *scan, i int) (match, bool) {
	if s.labelled(i, "measures") == "" {
		return match{}, false
	}
	n, ok := s.negative(i)
	if !ok {
		n, ok = s.leadingPoint(i)
	}
	if !ok {
		n, ok = s.clinical(i)
	}
	if !ok || s.crowded(n) || s.partOfPhrase(i, n) {
		return match{}, false
	}
	return match{to: n.next, text: s.style.Number(n.text, false) + n.tail}, true
}

// negative reads "minus two" after the name of a measurement.
func (s *scan) negative(i int) (number, bool) {
	if s.at(i) != "minus" && s.at(i) != "negative" || !s.open(i) {
		return number{}, false
	}
	n, ok := s.sized(i + 1)
	n.text, n.small = "-"+n.text, false
	return n, ok && n.said
}

// changedFrom writes what a value was before: "down from nine".
func changedFrom(s *scan, i int) (match, bool) {
	if s.at(i-1) != "from" || !s.open(i-1) || !lists()["changes"][s.at(i-2)] {
		return match{}, false
	}
	n, ok := s.clinical(i)
	if !ok || s.crowded(n) || s.partOfPhrase(i, n) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(n.next); unit {
		return match{}, false
	}
	return match{to: n.next, text: s.style.Number(n.text, false)}, true
}

// alsoMeasured continues a row of results: "BUN and creatinine of twenty and one point two".
func alsoMeasured(s *scan, i int) (match, bool) {
	if s.at(i-1) != "and" || !s.open(i-1) || s.atoms[i-1].mark != "" || !s.numeric(i-2) {
		return match{}, false
	}
	start := i - 2
	for start > 0 && s.numeric(start-1) && s.open(start-1) {
		start--
	}
	if s.labelled(start, "measures") == "" && s.labelled(start, "numbered") == "" {
		return match{}, false
	}
	n, ok := s.clinical(i)
	if !ok || s.crowded(n) || s.partOfPhrase(i, n) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(n.next); unit {
		return match{}, false
	}
	return match{to: n.next, text: s.style.Number(n.text, false)}, true
}

// labelled writes the number of what is named by a number in figures: "grade two", "stage three".
func labelled(s *scan, i int) (match, bool) {
	name := s.labelled(i, "numbered")
	if name == "" || s.at(i) == "a" {
		return match{}, false
	}
	if name == "number" && lists()["articles"][s.at(i-2)] {
		return match{}, false // "the number one cause"
	}
	n, ok := s.plain(i)
	if !ok || s.crowded(n) || s.partOfPhrase(i, n) || !s.adjacent(i, name) {
		return match{}, false
	}
	return match{to: n.next, text: n.text}, true
}

// adjacent wants the label directly before the number: "grade two", not "the day was two". Scores may be of something.
func (s *scan) adjacent(i int, name string) bool {
	last := name[strings.LastIndexByte(name, '-')+1:]
	before := s.at(i - 1)
	if lists()["measures"][before] || before == "score" || before == "scores" || before == "of" || before == "is" || before == "was" {
		return !strings.Contains(" grade stage class type day room number size bed lot level step ", " "+last+" ") //nolint:gocritic // a word in a list
	}
	return s.open(i-1) && (before == last || strings.HasSuffix(before, "-"+last) || before == name)
}

// partOfPhrase keeps "one of the", "one or more" and "two other" as words.
func (s *scan) partOfPhrase(i int, n number) bool {
	if !n.said {
		return true // figures stay as they are
	}
	if s.at(i-1) == "a" {
		return true
	}
	return n.small && (s.open(n.next-1) && lists()["not_a_count"][s.at(n.next)] || s.at(i-1) == "with")
}

// perTime writes small numbers of what happens in a time, and of times still to come: "six loose stools a day", "three more
// days".
func perTime(s *scan, i int) (match, bool) {
	n, ok := s.plain(i)
	if !ok || !n.said || !n.small || n.value < 2 || lists()["articles"][s.at(i-1)] {
		return match{}, false
	}
	m := match{to: n.next, text: n.text}
	if u, _, ok := s.unitAt(n.next + 1); ok && s.is(n.next, "more", "other", "additional", "further") {
		return m, u.kind == count || u.kind == span || u.kind == dose
	}
	for j := n.next; j < n.next+3 && j < len(s.atoms) && s.open(j-1); j++ {
		if j > n.next && lists()["rate_links"][s.at(j)] && s.open(j) && lists()["rate_words"][s.at(j+1)] {
			return m, true
		}
		if s.numeric(j) || lists()["not_a_count"][s.at(j)] || lists()["links"][s.at(j)] || s.at(j) == "times" {
			return match{}, false
		}
	}
	return match{}, false
}

// cardinal writes whole numbers from ten on, and decimals, in figures. Smaller numbers stay words: only a unit or a label
// makes a quantity of them.
func cardinal(s *scan, i int) (match, bool) {
	if s.at(i) == "minus" && s.open(i) {
		n, ok := s.plain(i + 1)
		if !ok || !n.said || s.crowded(n) || n.small {
			return match{}, false
		}
		return match{to: n.next, text: "-" + s.style.Number(n.text, false)}, true
	}
	if n, ok := s.leadingPoint(i); ok && len(n.text) > 3 && !lists()["points"][s.at(i-1)] && !s.crowded(n) {
		return match{to: n.next, text: s.style.Number(n.text, false)}, true
	}
	n, ok := s.plain(i)
	if !ok || s.at(i) == "a" {
		return match{}, false
	}
	if s.crowded(n) || s.follows(i) {
		return match{to: s.endOfCrowd(n)}.asWords(s, i), true
	}
	if !n.said || n.small || n.whole && n.value < 10 || strings.HasPrefix(s.at(n.next-1), "half") || strings.HasPrefix(s.at(n.next-1), "quarter") {
		return match{}, false
	}
	return match{to: n.next, text: s.style.Number(n.text, false) + n.tail}, true
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
	return i > 0 && s.open(i-1) && numberWord(s.at(i-1)) && s.at(i) != "a"
}

// asWords keeps the words of a match as they are.
func (m match) asWords(s *scan, i int) match {
	for m.to < len(s.atoms) && !s.atoms[m.to].first {
		m.to++
	}
	m.text = s.original(s.atoms[i].word, s.atoms[m.to-1].word+1)
	return m
}

// recordNumber joins figures spoken one by one, or in pairs, after a label, in the groups that the style has for it.
func recordNumber(s *scan, i int) (match, bool) {
	label := s.labelled(i, "records")
	if label == "" {
		return match{}, false
	}
	var b strings.Builder
	next := i
	for next < len(s.atoms) && (next == i || s.open(next-1)) {
		if next > i && s.is(next, "dash", "hyphen", "-") {
			if _, _, more := s.figuresSpoken(next + 1); more && s.open(next) {
				next++
				continue
			}
		}
		text, after, ok := s.figuresSpoken(next)
		if !ok {
			break
		}
		b.WriteString(text)
		next = after
	}
	if _, _, unit := s.unitAt(next); unit || b.Len() < 3 {
		return match{}, false
	}
	text := s.style.Group(label, b.String())
	return match{to: next, text: text}, next > i+1 || text != b.String()
}

// figureRow joins five and more figures spoken one by one without a label. Beside a telephone they are its number.
func figureRow(s *scan, i int) (match, bool) {
	var b strings.Builder
	next := i
	for next < len(s.atoms) && (next == i || s.open(next-1)) {
		d, ok := s.digit(next)
		if !ok || s.atoms[next].isNumeral && !s.atoms[next].first {
			break
		}
		b.WriteByte(d)
		next++
	}
	if b.Len() < 5 || s.open(next-1) && (s.numeric(next) || s.is(next, "point", "over", "/")) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(next); unit {
		return match{}, false
	}
	text := b.String()
	if s.nearby(i, reachBefore, lists()["telephone_words"]) {
		text = s.style.Group("phone-number", text)
	}
	return match{to: next, text: text}, true
}

// figuresSpoken reads one step of a row of figures: "five", "oh", "forty two", "double five", "123".
func (s *scan) figuresSpoken(i int) (string, int, bool) {
	if repeat := map[string]int{"double": 2, "triple": 3}[s.at(i)]; repeat > 0 && s.open(i) {
		if d, ok := s.digit(i + 1); ok {
			return strings.Repeat(string(d), repeat), i + 2, true
		}
	}
	if d, ok := s.digit(i); ok {
		if s.is(i+1, "hundred") {
			return string(d) + "00", i + 2, true
		}
		return string(d), i + 1, true
	}
	if w := s.at(i); isDigits(w) {
		return w, i + 1, true
	}
	if v, next, ok := s.under100(i); ok && v >= 10 {
		if s.is(next, "hundred") {
			return itoa(v) + "00", next + 1, true
		}
		return itoa(v), next, true
	}
	return "", i, false
}

// ordinal writes ordinals from the tenth on in figures: "twelfth rib", "twenty first". "Twenty second" may be a length of
// time and stays as it is.
func ordinal(s *scan, i int) (match, bool) {
	w := s.at(i)
	if m, ok := percentile(s, i); ok {
		return m, true
	}
	if v, ok := ordinals[w]; ok {
		if v < 10 || s.numeric(i-1) {
			return match{}, false
		}
		return match{to: i + 1, text: withSuffix(v)}, true
	}
	t, ok := tens[w]
	if !ok || !s.open(i) || s.numeric(i-1) {
		return match{}, false
	}
	v, ok := ordinals[s.at(i+1)]
	if !ok || v > 9 {
		return match{}, false
	}
	if v == 2 && s.at(i-1) != "the" && !(s.open(i+1) && lists()["ordinal_nouns"][s.at(i+2)]) {
		if s.at(i-1) == "a" && s.open(i+1) && i+2 < len(s.atoms) {
			return match{to: i + 2, text: itoa(t) + "-second"}, true
		}
		return match{to: i + 2}.asWords(s, i), true
	}
	return match{to: i + 2, text: withSuffix(t + v)}, true
}

// percentile reads what engines make of percentiles: "58 percentile", "58%ile", "60 second percentile".
func percentile(s *scan, i int) (match, bool) {
	if figures, ok := strings.CutSuffix(s.at(i), "%ile"); ok && isDigits(figures) && len(figures) < 3 {
		v, _ := strconv.ParseInt(figures, 10, 64)
		return match{to: i + 1, text: withSuffix(v) + " percentile"}, true
	}
	n, ok := s.digits(i)
	if !ok || !n.whole || n.value < 1 || n.value > 99 || n.said {
		return match{}, false
	}
	if s.is(i+1, "percentile") {
		return match{to: i + 1, text: withSuffix(n.value)}, true
	}
	v := ordinals[s.at(i+1)]
	if v == 0 || v > 9 || n.value%10 != 0 || !s.open(i) || !s.is(i+2, "percentile") {
		return match{}, false
	}
	return match{to: i + 2, text: withSuffix(n.value + v)}, true
}

func withSuffix(v int64) string {
	if v/10%10 != 1 {
		switch v % 10 {
		case 1:
			return itoa(v) + "st"
		case 2:
			return itoa(v) + "nd"
		case 3:
			return itoa(v) + "rd"
		}
	}
	return itoa(v) + "th"
}
