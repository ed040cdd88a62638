package style

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"vesper/internal/fault"
)

// Parse reads a practice's own style. name is used in messages. The file needs a name; with a base it takes what it does
// not say from there. Faults are for people, with the line where the file cannot be read.
func Parse(name string, data []byte) (Style, error) {
	return parse(name, data, all())
}

func parse(name string, data []byte, known map[string]Style) (Style, error) {
	var st Style
	if err := yaml.UnmarshalWithOptions(data, &st, yaml.Strict()); err != nil {
		return Style{}, invalid(name, yaml.FormatError(err, false, false))
	}
	if st.Base != "" {
		base, ok := known[st.Base]
		if !ok {
			return Style{}, invalid(name, fmt.Sprintf("there is no style %q to build on", st.Base))
		}
		st = st.over(base)
	}
	if problem := st.check(); problem != "" {
		return Style{}, invalid(name, problem)
	}
	return st.indexed(), nil
}

func invalid(name, problem string) error {
	return fault.New(fault.Invalid, "style_invalid", "The writing style "+name+" cannot be used: "+problem+".")
}

// over fills what the style leaves open from its base. Tables are joined; the style's own entries win.
func (s Style) over(base Style) Style {
	s.Numbers.Decimal = or(s.Numbers.Decimal, base.Numbers.Decimal)
	s.Numbers.Thousands = or(s.Numbers.Thousands, base.Numbers.Thousands)
	if s.Numbers.ThousandsFrom == 0 {
		s.Numbers.ThousandsFrom = base.Numbers.ThousandsFrom
	}
	if s.Numbers.DosesFrom == 0 {
		s.Numbers.DosesFrom = base.Numbers.DosesFrom
	}
	s.Clock = Clock(or(string(s.Clock), string(base.Clock)))
	s.Headings = Headings(or(string(s.Headings), string(base.Headings)))
	s.Dates.Full = or(s.Dates.Full, base.Dates.Full)
	s.Dates.DayMonth = or(s.Dates.DayMonth, base.Dates.DayMonth)
	s.Dates.MonthYear = or(s.Dates.MonthYear, base.Dates.MonthYear)
	s.Units = joined(s.Units, base.Units)
	s.Digits = joined(s.Digits, base.Digits)
	s.Spelling = joined(s.Spelling, base.Spelling)
	s.Abbreviations = append(append([]Abbreviation{}, s.Abbreviations...), base.Abbreviations...)
	return s
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func joined[V any](own, base map[string]V) map[string]V {
	out := make(map[string]V, len(own)+len(base))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range own {
		out[k] = v
	}
	return out
}

// check says what is wrong with a style, "" for nothing.
func (s Style) check() string {
	switch {
	case s.Name == "":
		return "it needs a name"
	case s.Numbers.Decimal != "." && s.Numbers.Decimal != ",":
		return `numbers.decimal must be "." or ","`
	case s.Numbers.Thousands == s.Numbers.Decimal || len(s.Numbers.Thousands) > len(" ") || strings.ContainsAny(s.Numbers.Thousands, "0123456789"):
		return "numbers.thousands must be one mark other than the decimal's"
	case s.Numbers.DosesFrom < 1000 || s.Numbers.ThousandsFrom < 1000:
		return "numbers are grouped from 1000 at the earliest (numbers.doses_from, numbers.thousands_from)"
	case s.Clock != ClockAsSaid && s.Clock != Clock12 && s.Clock != Clock24:
		return "clock must be said, 12h or 24h"
	case s.Headings != HeadingsAsIs && s.Headings != HeadingsUpper && s.Headings != HeadingsSentence:
		return "headings must be as_is, upper or sentence"
	}
	if p := s.checkDates(); p != "" {
		return p
	}
	for short, u := range s.Units {
		if u.One == "" || u.Many == "" {
			return fmt.Sprintf("unit %q needs its form after one and after many", short)
		}
	}
	for _, a := range s.Abbreviations {
		if len(a.Said) == 0 || a.Write == "" {
			return "an abbreviation needs what is said and what is written"
		}
	}
	return ""
}

// checkDates wants each part of a date exactly where it belongs, so that none is lost.
func (s Style) checkDates() string {
	for name, form := range map[string]struct {
		text             string
		day, month, year bool
	}{
		"full": {s.Dates.Full, true, true, true}, "day_month": {s.Dates.DayMonth, true, true, false},
		"month_year": {s.Dates.MonthYear, false, true, true},
	} {
		day := strings.Count(form.text, "{day}") + strings.Count(form.text, "{dd}")
		month := strings.Count(form.text, "{month}") + strings.Count(form.text, "{mon}") + strings.Count(form.text, "{mm}")
		year := strings.Count(form.text, "{year}")
		if day != count(form.day) || month != count(form.month) || year != count(form.year) {
			return "dates." + name + " must name each of its parts once"
		}
	}
	return ""
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
