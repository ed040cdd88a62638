package numbers

import (
	"strconv"
	"strings"
	"unicode"
)

// dayOf reads "third", "twenty first" or "3rd" as a day of the month.
func (s *scan) dayOf(i int) (int64, int, bool) {
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

// date writes "October third twenty twenty six" and "the third of October" in the style's form.
func date(s *scan, i int) (match, bool) {
	if m, ok := s.dayFirst(i); ok {
		return m, true
	}
	month, ok := months[s.at(i)]
	if !ok || !s.open(i) || s.open(i-1) && (s.numeric(i-1) || months[s.at(i-1)] != "") {
		return match{}, false
	}
	if y, next, ok := s.yearAt(i + 1); ok && s.atoms[i+1].s != y {
		if _, _, unit := s.unitAt(next); unit {
			return match{}, false
		}
		return match{to: next, text: s.style.Date(0, month, y)}, true
	}
	day, next, ordinal := s.dayOf(i + 1)
	if !ordinal {
		n, ok := s.plain(i + 1)
		if !ok || !n.whole {
			return match{}, false
		}
		day, next = n.value, n.next
	}
	if _, _, another := s.dayOf(next); another && s.open(next-1) && !ordinal {
		return match{}, false // "October one third"
	}
	if day < 1 || day > 31 || !s.isMonth(i, ordinal, next) {
		return match{}, false
	}
	return s.dateOf(int(day), month, next)
}

// dateOf completes a day and month with the year that follows.
func (s *scan) dateOf(day int, month string, next int) (match, bool) {
	if y, after, ok := s.yearAfter(next); ok {
		return match{to: after, text: s.style.Date(day, month, y)}, true
	}
	if _, _, unit := s.unitAt(next); unit {
		return match{}, false
	}
	return match{to: next, text: s.style.Date(day, month, "")}, true
}

// yearAfter reads a year after a day and month; the engine may have set a comma between, which is written again where the
// style wants it.
func (s *scan) yearAfter(next int) (string, int, bool) {
	at := s.atoms[next-1]
	soft := at.mark == "," && !at.hard && !strings.Contains(s.style.Dates.Full, ",")
	if at.mark != "" && !soft {
		return "", next, false
	}
	return s.yearAt(next)
}

// dayFirst reads "the third of October", "third October" and "3 October".
func (s *scan) dayFirst(i int) (match, bool) {
	start := i
	if s.at(i) == "the" && s.open(i) {
		i++
	}
	day, next, ordinal := s.dayOf(i)
	if !ordinal {
		n, ok := s.plain(i)
		if start != i || !ok || !n.whole {
			return match{}, false
		}
		day, next = n.value, n.next
	}
	of := s.is(next, "of")
	if of {
		next++
	}
	month, ok := months[s.at(next)]
	if !ok || !s.open(next-1) || day < 1 || day > 31 || (s.numeric(start-1) || ordinals[s.at(start-1)] > 0) && s.open(start-1) {
		return match{}, false
	}
	if w := s.at(next); (w == "may" || w == "march") && !unicode.IsUpper(firstRune(s.atoms[next].raw)) && !of {
		return match{}, false
	}
	if !ordinal && (of || s.dayAfter(next)) {
		return match{}, false // "two of May's visits"; "on 3 October 12 was given"
	}
	return s.dateOf(int(day), month, next+1)
}

// dayAfter says that a day follows the month, to which the month then belongs.
func (s *scan) dayAfter(month int) bool {
	if !s.open(month) {
		return false
	}
	if _, _, ok := s.yearAt(month + 1); ok {
		return false
	}
	_, _, ordinal := s.dayOf(month + 1)
	return ordinal || s.numeric(month+1)
}

// isMonth tells the months May and March from the verbs.
func (s *scan) isMonth(i int, ordinal bool, next int) bool {
	if w := s.at(i); w != "may" && w != "march" {
		return true
	}
	if _, _, year := s.yearAt(next); year && s.open(next-1) {
		return true
	}
	return unicode.IsUpper(firstRune(s.atoms[i].raw)) || (ordinal && s.at(i) == "march") ||
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
				return itoa(century + v), i + 3, true
			}
		}
		v, next, ok := s.under100(i + 1)
		if ok && v >= 10 && !(century == 2000 && v > 59) && !s.is(next, "hundred", "thousand") {
			return itoa(century + v), next, true
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
	ofMonth := s.at(i-1) == "of" && months[s.at(i-2)] != ""
	if i != s.dateEnd && !beforeYear[s.at(i-1)] && !month && !ofMonth {
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

// birthDate writes a date spoken in numbers after its label: "date of birth three fourteen sixty two" is 3/14/62. Elsewhere
// the year must be whole. The order is the speaker's.
func birthDate(s *scan, i int) (match, bool) {
	birth := s.labelled(i, "birth") != ""
	if !birth && !lists()["date_words"][s.at(i-1)] {
		return match{}, false
	}
	var parts []string
	next := i
	for len(parts) < 2 {
		v, after, ok := s.under100(next)
		if n, digits := s.digits(next); !ok && digits && n.whole && n.value < 32 {
			v, after, ok = n.value, n.next, true
		}
		if !ok || v < 1 || v > 31 || !s.open(after-1) {
			return match{}, false
		}
		parts, next = append(parts, itoa(v)), after
		if s.is(next, "slash", "dash", "/") {
			next++
		}
	}
	y, after, ok := s.yearAt(next)
	if !ok {
		v, end, short := s.under100(next)
		if !short || !birth || v < 10 && end == next+1 {
			return match{}, false
		}
		y, after = itoa(v), end
	}
	if !birth && parseSmall(parts[0]) > 12 && parseSmall(parts[1]) > 12 {
		return match{}, false
	}
	return match{to: after, text: strings.Join(append(parts, y), "/")}, true
}

func parseSmall(text string) int64 {
	v, _ := strconv.ParseInt(text, 10, 64)
	return v
}
