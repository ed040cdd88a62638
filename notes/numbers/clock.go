package numbers

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"vesper/notes/style"
)

var (
	writtenTime = regexp.MustCompile(`^(\d{1,2})[:.](\d{2})(am|pm|a\.?m|p\.?m)?\.?$`)
	gluedHalf   = regexp.MustCompile(`^(\d{1,2})(am|pm)$`)
	fourDigits  = regexp.MustCompile(`^([01]\d|2[0-4])([0-5]\d)$`)
)

// clock writes times of day.
func clock(s *scan, i int) (match, bool) {
	for _, try := range []func(*scan, int) (match, bool){military, figuresOfTime, spokenTime, pastHour, timeAfterAt} {
		if m, ok := try(s, i); ok {
			return m, true
		}
	}
	return match{}, false
}

// figuresOfTime reads times that the engine wrote in figures: "2:30 p.m.", "8pm", "2.40 in the morning", "0630 hours".
func figuresOfTime(s *scan, i int) (match, bool) {
	w := s.at(i)
	if w == "" || w[0] < '0' || w[0] > '9' {
		return match{}, false
	}
	if m := gluedHalf.FindStringSubmatch(w); m != nil {
		h, _ := strconv.Atoi(m[1])
		return match{to: i + 1, text: s.style.Time(style.Time{Hour: h, Half: strings.ToUpper(m[2])})}, h >= 1 && h <= 12
	}
	if m := writtenTime.FindStringSubmatch(w); m != nil {
		return s.completeTime(i, m)
	}
	m := fourDigits.FindStringSubmatch(w)
	if m == nil {
		return match{}, false
	}
	t := style.Time{Exact: true, Military: true}
	t.Hour, _ = strconv.Atoi(m[1])
	t.Minute, _ = strconv.Atoi(m[2])
	if s.is(i+1, "hours", "hrs") {
		return s.hoursOf(t, i+1), true
	}
	return match{to: i + 1, text: s.style.Time(t)}, m[1][0] == '0' && lists()["at_words"][s.at(i-1)]
}

// completeTime adds the half of the day that follows figures.
func (s *scan) completeTime(i int, m []string) (match, bool) {
	t := style.Time{Exact: true, Half: strings.ToUpper(strings.ReplaceAll(m[3], ".", ""))}
	t.Hour, _ = strconv.Atoi(m[1])
	t.Minute, _ = strconv.Atoi(m[2])
	if t.Minute > 59 || t.Hour > 24 {
		return match{}, false
	}
	next := i + 1
	if half, end, ok := s.halfDay(next); ok && t.Half == "" {
		t.Half, next = half, end
	}
	dotted := strings.Contains(m[0], ".") && !strings.Contains(m[0], ":")
	switch {
	case t.Half != "" && t.Hour >= 1 && t.Hour <= 12:
		return match{to: next, text: s.style.Time(t)}, true
	case dotted && s.partOfDay(next) && t.Hour >= 1 && t.Hour <= 12:
		return match{to: next, text: fmt.Sprintf("%d:%02d", t.Hour, t.Minute)}, true
	}
	return match{}, false
}

// spokenTime reads "six thirty p m", "ten o'clock", "fourteen thirty hours", "two forty in the morning".
func spokenTime(s *scan, i int) (match, bool) {
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
	t := style.Time{Hour: int(hour)}
	minute, after, ok := s.minutes(next)
	if !ok {
		half, end, ok := s.halfDay(next)
		t.Half = half
		return match{to: end, text: s.style.Time(t)}, ok && hour <= 12 && hour > 0
	}
	t.Minute, t.Exact = int(minute), true
	if half, end, ok := s.halfDay(after); ok && hour <= 12 && hour > 0 {
		t.Half = half
		return match{to: end, text: s.style.Time(t)}, true
	}
	switch {
	case s.is(after, "hours") && hour > 9 && (minute > 0 || s.at(next) == "hundred"):
		t.Military = true
		return s.hoursOf(t, after), true
	case hour <= 12 && hour > 0 && s.partOfDay(after) && s.at(next) != "hundred":
		if s.open(i-1) && !lists()["at_words"][s.at(i-1)] && !s.nearby(i, 4, lists()["time_verbs"]) {
			return match{to: after, doubt: "this can be a time of day or an amount"}, true
		}
		return match{to: after, text: fmt.Sprintf("%d:%02d", hour, minute)}, true
	}
	return match{}, false
}

// hoursOf keeps the word "hours" after a time on the clock of 24 hours, except where the style says AM or PM.
func (s *scan) hoursOf(t style.Time, hours int) match {
	text := s.style.Time(t)
	if s.style.Clock != style.Clock12 {
		text += " " + s.at(hours)
	}
	return match{to: hours + 1, text: text}
}

// military writes "oh six thirty" as 06:30.
func military(s *scan, i int) (match, bool) {
	if w := s.at(i); w != "oh" && w != "zero" && w != "o" || !s.open(i) || s.open(i-1) && s.numeric(i-1) {
		return match{}, false
	}
	hour, ok := ones[s.at(i+1)]
	if !ok || !s.open(i+1) {
		return match{}, false
	}
	minute, next, ok := s.minutes(i + 2)
	if !ok {
		return match{}, false
	}
	t := style.Time{Hour: int(hour), Minute: int(minute), Exact: true, Military: true}
	if s.is(next, "hours") {
		return s.hoursOf(t, next), true
	}
	return match{to: next, text: s.style.Time(t)}, true
}

// pastHour writes "half past six" as 6:30 and "a quarter to seven" as 6:45.
func pastHour(s *scan, i int) (match, bool) {
	start := i
	if s.at(i) == "a" && s.is(i+1, "quarter") {
		i++
	}
	part := s.at(i)
	half := part == "half" && s.is(i+1, "past")
	quarter := part == "quarter" && s.is(i+1, "past", "to", "after")
	hour, ok := ones[s.at(i+2)]
	if v := teens[s.at(i+2)]; !ok && v <= 12 {
		hour, ok = v, v > 0
	}
	if !half && !quarter || !ok || !s.open(i+1) || s.open(i+2) && s.numeric(i+3) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(i + 3); unit {
		return match{}, false
	}
	t := style.Time{Hour: int(hour), Minute: 30, Exact: true}
	if quarter {
		t.Minute = 15
		if s.at(i+1) == "to" {
			t.Hour, t.Minute = (int(hour)+10)%12+1, 45
		}
		if start > 0 && !lists()["at_words"][s.at(start-1)] {
			return match{}, false
		}
	}
	next := i + 3
	if name, end, ok := s.halfDay(next); ok {
		if s.at(i+1) == "to" && hour == 12 {
			return match{}, false // a quarter to twelve is in the other half
		}
		t.Half, next = name, end
	}
	return match{to: next, text: s.style.Time(t)}, true
}

// timeAfterAt writes "at nine forty five" as 9:45 where no measurement and no unit claims the number.
func timeAfterAt(s *scan, i int) (match, bool) {
	if s.at(i-1) != "at" || !s.open(i-1) || s.labelled(i, "measures") != "" || s.labelled(i, "numbered") != "" ||
		!s.nearby(i, 5, lists()["time_verbs"]) {
		return match{}, false
	}
	hour, next, ok := s.under100(i)
	if !ok || hour < 1 || hour > 12 || next != i+1 {
		return match{}, false
	}
	minute, after, ok := s.minutes(next)
	if !ok || s.at(next) == "hundred" || s.open(after-1) && (s.numeric(after) || s.is(after, "over", "point", "to", "or", "percent", "an", "a", "per")) {
		return match{}, false
	}
	if _, _, unit := s.unitAt(after); unit {
		return match{}, false
	}
	return match{to: after, text: fmt.Sprintf("%d:%02d", hour, minute)}, true
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
	if w := s.at(i); len(w) == 2 && isDigits(w) && w < "60" {
		v, _ := strconv.ParseInt(w, 10, 64)
		return v, i + 1, true
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
