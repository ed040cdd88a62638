package followups

import (
	"strconv"
	"strings"
	"time"
)

type dayOf = func(g []string, from time.Time) string

func days(n int) dayOf {
	return func(_ []string, from time.Time) string { return write(from.AddDate(0, 0, n)) }
}

func lengthOf(months, years int) dayOf {
	return func(_ []string, from time.Time) string { return write(addMonths(from, months+12*years)) }
}

// months by the first three letters of their names.
var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}

// date writes a day of a month. Without a year it is the next such day.
func date(monthName, day, year string, from time.Time) string {
	m, ok := months[monthName[:min(3, len(monthName))]]
	d, err := strconv.Atoi(day)
	if !ok || err != nil {
		return ""
	}
	y := from.Year()
	if year != "" {
		y, _ = strconv.Atoi(year)
	}
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d {
		return "" // 31 June
	}
	if year == "" && write(t) < write(from) {
		t = t.AddDate(1, 0, 0)
	}
	return write(t)
}

func named(g []string, from time.Time) string        { return date(g[1], g[2], g[3], from) }
func weekdayNamed(g []string, from time.Time) string { return date(g[2], g[3], g[4], from) }
func dayFirst(g []string, from time.Time) string     { return date(g[2], g[1], g[3], from) }

// slashes reads month/day/year, as it is written in the US.
func slashes(g []string, from time.Time) string {
	m, err := strconv.Atoi(g[1])
	if err != nil || m < 1 || m > 12 {
		return ""
	}
	year := g[3]
	if len(year) == 2 {
		year = "20" + year
	}
	return date(strings.ToLower(time.Month(m).String()), g[2], year, from)
}

func iso(g []string, _ time.Time) string {
	day := g[1] + "-" + g[2] + "-" + g[3]
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return ""
	}
	return day
}

// weekdays by name.
var weekdays = map[string]time.Weekday{
	"sunday": 0, "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6,
}

// onWeekday is the first such day after the dictation's, also for "next": speakers differ on it, and early is the safe side.
func onWeekday(g []string, from time.Time) string {
	ahead := (int(weekdays[g[1]]) - int(from.Weekday()) + 7) % 7
	if ahead == 0 {
		ahead = 7
	}
	return write(from.AddDate(0, 0, ahead))
}

// nextWeek is its Monday: the earliest day that it can mean.
func nextWeek(_ []string, from time.Time) string {
	return onWeekday([]string{"", "monday"}, from)
}

// thisWeek is its Friday, or the day itself at the weekend.
func thisWeek(_ []string, from time.Time) string {
	ahead := int(time.Friday) - int(from.Weekday())
	if from.Weekday() == time.Sunday {
		ahead = 0
	}
	return write(from.AddDate(0, 0, max(0, ahead)))
}

func nextMonth(_ []string, from time.Time) string {
	return write(time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC))
}

func endOfMonth(_ []string, from time.Time) string {
	return write(time.Date(from.Year(), from.Month()+1, 0, 0, 0, 0, 0, time.UTC))
}

func nextYear(_ []string, from time.Time) string {
	return write(time.Date(from.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC))
}

// inMonth is the first of the month, the next such month where no year is said.
func inMonth(g []string, from time.Time) string {
	day := date(g[1], "1", g[2], from)
	if m := months[g[1][:min(3, len(g[1]))]]; g[2] == "" && m == from.Month() {
		return write(from)
	}
	return day
}

func inYear(g []string, from time.Time) string {
	y, _ := strconv.Atoi(g[1])
	switch {
	case y < from.Year():
		return ""
	case y == from.Year():
		return write(from)
	}
	return write(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC))
}
