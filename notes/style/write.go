package style

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Number writes plain digits ("1200.5") as the style has them. Doses are grouped earlier than other numbers, because a zero
// too many is missed more easily in 10000 than in 10,000 (ISMP, list of error-prone abbreviations and dose designations).
func (s Style) Number(plain string, dose bool) string {
	whole, rest, point := strings.Cut(plain, ".")
	from := s.Numbers.ThousandsFrom
	if dose {
		from = s.Numbers.DosesFrom
	}
	if v, err := strconv.Atoi(whole); err == nil && v >= from && from > 0 {
		whole = grouped(whole, s.Numbers.Thousands)
	}
	if !point {
		return whole
	}
	return whole + or(s.Numbers.Decimal, ".") + rest
}

func grouped(digits, mark string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(mark)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Plain reads a number as the style writes it back into plain digits.
func (s Style) Plain(written string) string {
	if s.Numbers.Thousands != "" {
		written = strings.ReplaceAll(written, s.Numbers.Thousands, "")
	}
	if s.Numbers.Decimal == "," {
		written = strings.ReplaceAll(written, ",", ".")
	}
	return written
}

// Unit writes a unit after a number: its short form where the style has no other. Compound units ("mcg/kg/min") are
// written part by part, only the first counts.
func (s Style) Unit(short, plain string) string {
	first, rest, compound := strings.Cut(short, "/")
	if u, ok := s.Units[short]; ok {
		return u.after(plain)
	}
	if u, ok := s.Units[first]; ok {
		first = u.after(plain)
	}
	if !compound {
		return first
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		if u, ok := s.Units[p]; ok {
			parts[i] = u.One
		}
	}
	return first + "/" + strings.Join(parts, "/")
}

func (u Unit) after(plain string) string {
	if plain == "1" {
		return u.One
	}
	return u.Many
}

// Date writes a date. A zero day or year is not part of it.
func (s Style) Date(day int, month string, year string) string {
	form := s.Dates.Full
	switch {
	case day == 0:
		form = s.Dates.MonthYear
	case year == "":
		form = s.Dates.DayMonth
	}
	if month == "" {
		return ""
	}
	return strings.NewReplacer(
		"{day}", strconv.Itoa(day), "{dd}", fmt.Sprintf("%02d", day), "{month}", month, "{mon}", month[:min(3, len(month))],
		"{mm}", fmt.Sprintf("%02d", monthNumber(month)), "{year}", year,
	).Replace(form)
}

// monthNumber is 1 for January; 0 for what is no month.
func monthNumber(month string) int {
	const initials = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(month) < 3 {
		return 0
	}
	return strings.Index(initials, strings.ToLower(month[:3]))/3 + 1
}

// Time is a time of day as it was said.
type Time struct {
	Hour, Minute int
	Exact        bool   // the minutes were said
	Half         string // "AM", "PM" or "" where it was not said
	Military     bool   // said on the clock of 24 hours
}

// Time writes a time of day. Where morning or evening was not said and is not clear, the time stays as it was said.
func (s Style) Time(t Time) string {
	plain := t.Half != "" || t.Military
	switch {
	case s.Clock == Clock24 && plain && t.Hour <= 24:
		hour := t.Hour
		if t.Half == "PM" && hour < 12 {
			hour += 12
		} else if t.Half == "AM" && hour == 12 {
			hour = 0
		}
		return fmt.Sprintf("%02d:%02d", hour, t.Minute)
	case s.Clock == Clock12 && t.Military && t.Hour < 24:
		half := "AM"
		if t.Hour >= 12 {
			half = "PM"
		}
		return fmt.Sprintf("%d:%02d %s", (t.Hour+11)%12+1, t.Minute, half)
	case t.Military:
		return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute)
	}
	text := strconv.Itoa(t.Hour)
	if t.Exact {
		text = fmt.Sprintf("%d:%02d", t.Hour, t.Minute)
	}
	if t.Half != "" {
		text += " " + t.Half
	}
	return text
}

// Group writes the digits of a number without a value, such as a telephone's, in the groups of its label.
func (s Style) Group(label, digits string) string {
	for _, form := range s.Digits[label] {
		if strings.Count(form, "#") != len(digits) {
			continue
		}
		var b strings.Builder
		next := 0
		for _, r := range form {
			if r == '#' {
				b.WriteByte(digits[next])
				next++
			} else {
				b.WriteRune(r)
			}
		}
		return b.String()
	}
	return digits
}

// Heading writes a section's heading in the style's case. Words with capitals inside, like HPI, keep them.
func (s Style) Heading(text string) string {
	switch s.Headings {
	case HeadingsUpper:
		return strings.ToUpper(text)
	case HeadingsSentence:
		words := strings.Split(text, " ")
		for i, w := range words {
			if r, size := utf8.DecodeRuneInString(w); i > 0 && unicode.IsUpper(r) && strings.IndexFunc(w[size:], unicode.IsUpper) < 0 && len(w) > 1 {
				words[i] = string(unicode.ToLower(r)) + w[size:]
			}
		}
		return strings.Join(words, " ")
	}
	return text
}
