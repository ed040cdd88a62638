package numbers

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// ordinal reads "third", "twenty first" or "3rd" as a day of the month.
func (s *scan) ordinal(i int) (int64, int, bool) {
	w := s.at(i)
	if v, ok := ordinals[w]; ok {
		return v, i + 1, true
	}
	if t, ok := tens[w]; ok && s.open(i) {
		if v, ok := ordinals[s.at(i+1)]; ok && v < 10 {
			return t + v, i + 2, true
		}
	}
	for _, end := range []string{"st", "nd", "rd", "th"} {
		if digits := strings.TrimSuffix(w, end); digits != w && isDigits(digits) && len(digits) <= 2 {
			v, _ := strconv.ParseInt(digits, 10, 64)
			return v, i + 1, true
		}
	}
	return 0, i, false
}

// date writes "October third twenty twenty six" as October 3, 2026.
func date(s *scan, i int) (match, bool) {
	month, ok := months[s.at(i)]
	if !ok || !s.open(i) {
		return match{}, false
	}
	if y, next, ok := s.yearAt(i + 1); ok && s.atoms[i+1].s != y {
		if _, _, unit := s.unitAt(next); unit {
			return match{}, false
		}
		return match{to: next, text: month + " " + y}, true
	}
	day, next, ordinal := s.ordinal(i + 1)
	if !ordinal {
		n, ok := s.plain(i + 1)
		if !ok || !n.whole {
			return match{}, false
		}
		day, next = n.value, n.next
	}
	if day < 1 || day > 31 || !s.isMonth(i, ordinal, next) {
		return match{}, false
	}
	text := fmt.Sprintf("%s %d", month, day)
	if y, after, ok := s.yearAt(next); ok && s.open(next-1) {
		return match{to: after, text: text + ", " + y}, true
	}
	if _, _, unit := s.unitAt(next); unit {
		return match{}, false
	}
	return match{to: next, text: text}, true
}

// isMonth tells the months May and March from the verbs.
func (s *scan) isMonth(i int, ordinal bool, next int) bool {
	if w := s.at(i); w != "may" && w != "march" {
		return true
	}
	if _, _, year := s.yearAt(next); year && s.open(next-1) {
		return true
	}
	return unicode.IsUpper([]rune(s.atoms[i].raw)[0]) || (ordinal && s.at(i) == "march") ||
		(ordinal && (s.at(i-1) == "on" || s.at(i-1) == "of" || s.at(i-1) == "since" || s.at(i-1) == "until"))
}

// yearAt reads a year of the last or this century: "twenty twenty six", "nineteen ninety eight", "two thousand five".
func (s *scan) yearAt(i int) (string, int, bool) {
	w := s.at(i)
	if len(w) == 4 && isDigits(w) && (w[:2] == "19" || w[:2] == "20") {
		return w, i + 1, true
	}
	century := map[string]int64{"nineteen": 1900, "twenty": 2000}[w]
	switch {
	case century > 0 && s.open(i):
		if s.is(i+1, "oh", "o") && s.open(i+1) {
			if v, ok := ones[s.at(i+2)]; ok {
				return strconv.FormatInt(century+v, 10), i + 3, true
			}
		}
		v, next, ok := s.under100(i + 1)
		if ok && v >= 10 && !(century == 2000 && v > 59) && !s.is(next, "hundred", "thousand") {
			return strconv.FormatInt(century+v, 10), next, true
		}
	case w == "two" && s.is(i+1, "thousand"):
		n, ok := s.cardinal(i)
		if ok && n.value >= 2000 && n.value < 2060 {
			return n.text, n.next, true
		}
	}
	return "", i, false
}

var beforeYear = set("in since year circa until early late mid before after around from through during by summer fall spring " +
	"winter autumn")

// year writes a year where the words before it show that it is one.
func year(s *scan, i int) (match, bool) {
	y, next, ok := s.yearAt(i)
	if !ok || s.atoms[i].s == y {
		return match{}, false
	}
	_, month := months[s.at(i-1)]
	if i != s.dateEnd && !beforeYear[s.at(i-1)] && !month {
		return match{}, false
	}
	if _, _, unit := s.unitAt(next); unit {
		return match{}, false
	}
	if s.at(i) == "two" && next == i+2 && s.open(next-1) && next < len(s.atoms) { // "in two thousand patients"
		return match{}, false
	}
	return match{to: next, text: y}, true
}

// clock writes times of day.
func clock(s *scan, i int) (match, bool) {
	if (s.at(i) == "oh" || s.at(i) == "zero" || s.at(i) == "o") && s.open(i) {
		return military(s, i)
	}
	if h, m, point := strings.Cut(s.at(i), "."); point && isDigits(h) && isDigits(m) && len(m) == 2 && m < "60" && len(h) <= 2 && s.partOfDay(i+1) {
		return match{to: i + 1, text: h + ":" + m}, true
	}
	hour, next, ok := s.under100(i)
	if !ok {
		if n, digits := s.digits(i); digits && n.whole && n.value <= 24 {
			hour, next, ok = n.value, n.next, true
		}
	}
	if !ok || hour > 24 || !s.open(next-1) {
		return match{}, false
	}
	if s.is(next, "o'clock") {
		return match{to: next + 1, text: fmt.Sprintf("%d o'clock", hour)}, true
	}
	minute, after, ok := s.minutes(next)
	if !ok {
		if half, end, ok := s.halfDay(next); ok && hour <= 12 && hour > 0 {
			return match{to: end, text: fmt.Sprintf("%d %s", hour, half)}, true
		}
		return match{}, false
	}
	if half, end, ok := s.halfDay(after); ok && hour <= 12 && hour > 0 {
		return match{to: end, text: fmt.Sprintf("%d:%02d %s", hour, minute, half)}, true
	}
	switch {
	case s.is(after, "hours") && hour > 9 && (minute > 0 || s.at(next) == "hundred"):
		return match{to: after + 1, text: fmt.Sprintf("%d:%02d hours", hour, minute)}, true
	case hour <= 12 && hour > 0 && s.partOfDay(after) && s.at(next) != "hundred":
		return match{to: after, text: fmt.Sprintf("%d:%02d", hour, minute)}, true
	}
	return match{}, false
}

// military writes "oh six thirty" as 06:30.
func military(s *scan, i int) (match, bool) {
	hour, ok := ones[s.at(i+1)]
	if !ok || !s.open(i+1) {
		return match{}, false
	}
	minute, next, ok := s.minutes(i + 2)
	if !ok {
		return match{}, false
	}
	return match{to: next, text: fmt.Sprintf("%02d:%02d", hour, minute)}, true
}

// minutes reads the minutes of a time: ten to fifty-nine, "oh five", "hundred".
func (s *scan) minutes(i int) (int64, int, bool) {
	if !s.open(i - 1) {
		return 0, i, false
	}
	if s.at(i) == "hundred" {
		return 0, i + 1, true
	}
	if (s.at(i) == "oh" || s.at(i) == "o") && s.open(i) {
		v, ok := ones[s.at(i+1)]
		return v, i + 2, ok
	}
	v, next, ok := s.under100(i)
	return v, next, ok && v >= 10 && v < 60
}

func (s *scan) halfDay(i int) (string, int, bool) {
	switch {
	case s.is(i, "am", "pm"):
		return strings.ToUpper(s.at(i)), i + 1, true
	case s.is(i, "a", "p") && s.is(i+1, "m"):
		return strings.ToUpper(s.at(i)) + "M", i + 2, true
	}
	return "", i, false
}

func (s *scan) partOfDay(i int) bool {
	return s.is(i, "in") && s.is(i+1, "the") && s.is(i+2, "morning", "afternoon", "evening") ||
		s.is(i, "at") && s.is(i+1, "night") || s.is(i, "this") && s.is(i+1, "morning", "afternoon", "evening")
}
