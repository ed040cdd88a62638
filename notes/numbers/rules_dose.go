package numbers

import (
	"regexp"
	"strings"
)

// quantity writes a number with its unit.
func quantity(s *scan, i int) (match, bool) {
	n, ok := s.leadingPoint(i)
	if !ok {
		n, ok = s.dosed(i)
	}
	if !ok || s.crowded(n) {
		return match{}, false
	}
	u, next, ok := s.unitAt(n.next)
	if !ok || s.oneOfThem(i, n, u) || (n.small && s.at(n.next) == "times") {
		return match{}, false
	}
	if u.class == span && s.isAdjective(n, next) {
		return match{to: next, text: n.text + "-" + u.text}, true
	}
	return match{to: next, text: u.written(n, s.label(i, labLabels) != "")}, true
}

// isAdjective says that a singular span stands before what it describes: "two week history".
func (s *scan) isAdjective(n number, next int) bool {
	if n.value == 1 || !n.said || !s.open(next-1) || next >= len(s.atoms) {
		return false
	}
	_, unit, _ := s.simpleUnit(next)
	return unit == next && !spans[s.at(next)]
}

// oneOfThem keeps "one day he noticed" and "one time" as words.
func (s *scan) oneOfThem(i int, n number, u unit) bool {
	if !n.said || n.text != "1" || u.class != span {
		return false
	}
	switch s.at(i - 1) {
	case "for", "in", "after", "within", "every", "of", "over", "about", "than", "last", "past", "at", "to":
		return false
	}
	return !s.is(n.next+1, "ago", "later", "history", "prior", "before")
}

// dosed reads the number before a unit. Hundreds spoken as "two fifty" are read where no list of two numbers is likely.
func (s *scan) dosed(i int) (number, bool) {
	p, paired := s.paired(i)
	if paired && s.open(p.next-1) {
		if u, _, ok := s.unitAt(p.next); ok && u.class != span && u.class != count || ok && s.weighs(p.next) {
			low := p.value % 100
			if low >= 20 || low < 10 || p.value < 200 && low > 10 {
				return p, true
			}
		}
	}
	return s.plain(i)
}

func (s *scan) weighs(i int) bool {
	return s.is(i, "pounds", "pound", "lbs", "lb", "degrees", "beats", "bpm")
}

// leadingPoint reads "point two five", which is written with its zero; a unit or a label must show that it is a number.
func (s *scan) leadingPoint(i int) (number, bool) {
	if s.at(i) != "point" || !s.open(i) {
		return number{}, false
	}
	if before := s.at(i - 1); before == "this" || before == "that" || before == "the" || before == "one" || before == "a" {
		return number{}, false
	}
	digits, next := s.decimals(i + 1)
	if digits == "" {
		return number{}, false
	}
	return number{text: "0." + digits, next: next, said: true}, true
}

// spread writes a range with one unit, or of one labelled quantity, in digits.
func spread(s *scan, i int) (match, bool) {
	labelled := s.label(i, measureLabels) != ""
	read := s.dosed
	if labelled {
		read = s.clinical
	}
	from, ok := read(i)
	if !ok || !s.is(from.next, "to", "or", "through", "and") || !s.open(from.next) {
		return match{}, false
	}
	if s.at(from.next) == "and" && s.at(i-1) != "between" {
		return match{}, false
	}
	to, ok := read(from.next + 1)
	if !ok || s.crowded(to) || from.crossed(to) {
		return match{}, false
	}
	link := " " + s.atoms[from.next].raw + " "
	if u, next, ok := s.unitAt(to.next); ok {
		lead := from.text
		if u.class == dose {
			lead = separated(withoutTrailingZero(lead), 1000)
		}
		lead = separated(lead, 10000)
		if u.class == span && s.isAdjective(to, next) {
			return match{to: next, text: lead + link + to.text + "-" + u.text}, true
		}
		return match{to: next, text: lead + link + u.written(to, false)}, true
	}
	if !labelled {
		return match{}, false
	}
	return match{to: to.next, text: from.text + link + to.text}, true
}

// crossed says that a range runs downwards, which then is no range.
func (n number) crossed(to number) bool {
	return n.whole && to.whole && n.value >= to.value
}

// dimension writes "two by three centimeters" as 2 x 3 cm.
func dimension(s *scan, i int) (match, bool) {
	n, ok := s.plain(i)
	if !ok {
		return match{}, false
	}
	parts := []string{n.text}
	for s.is(n.next, "by", "x", "times") && s.open(n.next) {
		n, ok = s.plain(n.next + 1)
		if !ok {
			return match{}, false
		}
		parts = append(parts, n.text)
	}
	u, next, ok := s.unitAt(n.next)
	if len(parts) < 2 || !ok || u.class != measure {
		return match{}, false
	}
	return match{to: next, text: strings.Join(parts, " x ") + " " + u.text}, true
}

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
	if mark == "," && (!second.whole || second.value >= 100) {
		return match{}, false
	}
	u, _, ok := s.unitAt(second.next)
	if !ok || mark == "," && (u.class == span || u.class == count) {
		return match{}, false
	}
	return match{to: second.next, doubt: "two numbers side by side: they can be read as one number or as two"}, true
}

// dosedAt says that both numbers are read as one by dosed ("two fifty milligrams").
func (s *scan) dosedAt(i int, second number) bool {
	n, ok := s.dosed(i)
	return ok && n.next >= second.next
}

// frequencies are abbreviations that are written out: some are on the lists of dangerous ones, the others are close.
var frequencies = []struct{ said, written string }{
	{"q o d", "every other day"},
	{"q other day", "every other day"},
	{"qod", "every other day"},
	{"q d", "daily"},
	{"qd", "daily"},
	{"q day", "daily"},
	{"q daily", "daily"},
	{"qday", "daily"},
	{"q h s", "at bedtime"},
	{"qhs", "at bedtime"},
	{"q hs", "at bedtime"},
	{"q a m", "every morning"},
	{"qam", "every morning"},
	{"q am", "every morning"},
	{"q p m", "every evening"},
	{"qpm", "every evening"},
	{"q pm", "every evening"},
	{"b i d", "twice daily"},
	{"bid", "twice daily"},
	{"t i d", "three times daily"},
	{"tid", "three times daily"},
	{"q i d", "four times daily"},
	{"qid", "four times daily"},
	{"p r n", "as needed"},
	{"prn", "as needed"},
}

var everyHours = regexp.MustCompile(`^q(\d{1,2})h$`)

// frequency writes out how often.
func frequency(s *scan, i int) (match, bool) {
	if m := everyHours.FindStringSubmatch(s.at(i)); m != nil {
		return match{to: i + 1, text: "every " + m[1] + " hours"}, true
	}
	if s.at(i) == "q" && s.open(i) {
		if m, ok := everySoMany(s, i); ok {
			return m, true
		}
	}
	for _, f := range frequencies {
		words := strings.Fields(f.said)
		if !s.phrase(i, words) {
			continue
		}
		if f.said == "bid" && s.atoms[i].raw == "bid" && !s.afterDose(i) {
			continue
		}
		return match{to: i + len(words), text: f.written}, true
	}
	return match{}, false
}

// everySoMany reads "q six hours" and "q four to six hours".
func everySoMany(s *scan, i int) (match, bool) {
	n, ok := s.plain(i + 1)
	if !ok || !n.whole {
		return match{}, false
	}
	text := "every " + n.text
	if s.is(n.next, "to") && s.open(n.next) {
		to, ok := s.plain(n.next + 1)
		if !ok || !to.whole {
			return match{}, false
		}
		text, n = text+" to "+to.text, to
	}
	switch {
	case s.is(n.next, "hours", "hour", "hrs", "h"):
		return match{to: n.next + 1, text: text + " hours"}, true
	case s.is(n.next, "weeks", "days", "minutes", "months"):
		return match{to: n.next + 1, text: text + " " + s.at(n.next)}, true
	}
	return match{}, false
}

// afterDose says that a dose stands shortly before, so that "bid" is a frequency and not a verb.
func (s *scan) afterDose(i int) bool {
	for j := i - 1; j >= 0 && j >= i-4; j-- {
		if _, ok := writtenUnits[s.at(j)]; ok {
			return true
		}
		if _, ok := unitStarts[s.at(j)]; ok || s.at(j) == "tablet" || s.at(j) == "tablets" || s.at(j) == "mouth" {
			return true
		}
		if s.numeric(j) {
			return true
		}
	}
	return false
}

// unsafeAbbreviation writes out abbreviations that have been read as another drug.
func unsafeAbbreviation(s *scan, i int) (match, bool) {
	switch s.at(i) {
	case "mso4":
		return match{to: i + 1, text: "morphine sulfate"}, true
	case "mgso4":
		return match{to: i + 1, text: "magnesium sulfate"}, true
	case "ms":
		if s.atoms[i].raw != "MS" {
			return match{}, false
		}
		if n, ok := s.plain(i + 1); ok && s.open(i) {
			if u, _, ok := s.unitAt(n.next); ok && u.class == dose {
				return match{to: i + 1, doubt: "MS before a dose can be morphine sulfate or magnesium sulfate"}, true
			}
		}
	}
	return match{}, false
}

// lostNumber finds a unit whose number the engine lost, or wrote as a word that sounds like it.
func lostNumber(s *scan, i int) (match, bool) {
	number, sounds := map[string]string{"for": "4", "to": "2", "too": "2", "won": "1", "ate": "8"}[s.at(i)]
	if sounds {
		if u, next, ok := s.unitAt(i + 1); ok && u.class == dose && needsNumber[s.at(i+1)] {
			return match{to: next, doubt: "before a unit, “" + s.at(i) + "” may be the number " + number}, true
		}
		if s.is(i+1, "over") && s.numeric(i-1) && s.numeric(i+2) && s.open(i-1) && s.open(i+1) {
			return match{to: i + 3, doubt: "“" + s.at(i) + "” may be the number " + number + " of a blood pressure"}, true
		}
	}
	if needsNumber[s.at(i)] && !s.numeric(i-1) && !beforeBareUnit[s.at(i-1)] && i > 0 && s.open(i-1) {
		return match{to: i + 1, doubt: "there is no number before this unit"}, true
	}
	return match{}, false
}

var (
	needsNumber = set("milligrams micrograms milliliters kilograms centimeters millimeters mg mcg ml kg mmhg milliequivalents")
	// beforeBareUnit are words after which a unit stands without a number, or after one that is no digit.
	beforeBareUnit = set("in of per the a an few several many some by and or half quarter point these those additional more / to " +
		"hundred thousand")
)
