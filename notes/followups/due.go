package followups

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The parts of a time that is said.
const (
	count   = `(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|sixteen|eighteen|twenty|twenty[- ]four|thirty|forty[- ]eight|sixty|seventy[- ]two|ninety|a couple(?: of)?|couple(?: of)?|a few|several|half a)`
	unit    = `(?:hours?|hrs?|days?|business days?|weeks?|wks?|months?|mos?|years?|yrs?|fortnights?)`
	between = `(?: ?(?:to|or|-|–|—) ?)`
	length  = `(` + count + `)(?:` + between + count + `)?[- ]?(` + unit + `)`
	weekday = `(monday|tuesday|wednesday|thursday|friday|saturday|sunday)`
	month   = `(january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)`
	anchor  = `(?: (?:the|her|his|their|this|that|my|your|any|each))?(?: [a-z][a-z-]*){1,3}?`
)

// dueRule reads one form. day computes the date from the match's groups; "" keeps the words only.
type dueRule struct {
	form *regexp.Regexp
	day  func(g []string, from time.Time) string
}

var dueRules = []dueRule{
	// Bound to something else, whose day is not known: the words say it.
	{due(`(?:at least |about )?` + length + ` (?:before|prior to|after|following|post|from)` + anchor), afterEvent},
	{due(`(?:at |by )?` + length + ` (?:post[- ]?op(?:eratively)?|postpartum|post[- ]discharge|of age)`), noDay},
	{due(`(?:before|prior to|after|at|on|upon|until|by) (?:(?:the|her|his|their|your) )?(?:next |time of )?(?:surgery|discharge|procedure|delivery|visit|follow[- ]?up|appointment|admission|conception|chemotherapy|infusion|dialysis|incision)(?: visit| appointment)?`), noDay},
	{due(`(?:at|by|before|with) (?:the |her |his |their )?next (?:visit|appointment|follow[- ]?up|check|infusion|prenatal visit|office visit)`), noDay},
	{due(`after (?:that|this|then)`), noDay},
	{due(`(?:once|when) (?:the |her |his )?[a-z]+ (?:is|are|has|have|returns?)(?: [a-z]+){1,3}`), noDay},
	// Counted from the day of the dictation.
	{due(`(?:in|after|within|at|in the next|over the next|within the next|no later than|in about|in approximately|in roughly) ` + length + `(?:['’]? time| from now| from today)?`), counted},
	{due(length + ` (?:from now|from today|hence|later|out)`), counted},
	{due(`(?:every|each|q\.?) ?` + length), counted},
	{due(`(` + count + `)[- ](` + unit + `)[- ](?:follow|recheck|return|revisit|visit|check|appointment|surveillance|interval)`), counted},
	// Named days.
	{due(`day after tomorrow`), days(2)},
	{due(`tomorrow(?: morning| afternoon| evening)?|in the morning|(?:in )?am labs|overnight`), days(1)},
	{due(`today|tonight|this (?:morning|afternoon|evening)|stat|asap|as soon as possible|urgently|immediately|right away|emergently|now`), days(0)},
	{due(`(?:the )?week of ` + month + ` (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?`), named},
	{due(`(?:on |by |before |until )?(?:` + weekday + `,? )?` + month + `\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?`), weekdayNamed},
	{due(`(?:on |by )?(?:the )?(\d{1,2})(?:st|nd|rd|th)? (?:of )?` + month + `(?:,? (\d{4}))?`), dayFirst},
	{due(`(?:on |by )?(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})`), slashes},
	{due(`(?:on |by )?(\d{4})-(\d{2})-(\d{2})`), iso},
	{due(`(?:(?:on|by|next|this|this coming|until|coming) )*` + weekday + `(?: morning| afternoon| evening)?`), onWeekday},
	{due(`(?:early |later |late |some ?time )?next week`), nextWeek},
	{due(`(?:by )?(?:the )?end of (?:the|this) week|(?:later )?this week`), thisWeek},
	{due(`(?:early |late |some ?time )?next month`), nextMonth},
	{due(`(?:by )?(?:the )?end of (?:the|this) month|later this month`), endOfMonth},
	{due(`next year`), nextYear},
	{due(`(?:in |by |this |early |late |mid[- ])+` + month + `(?: (?:of )?(\d{4}))?`), inMonth},
	{due(`in (20\d\d)`), inYear},
	{due(`annually|yearly|once a year|every year|each year`), lengthOf(0, 1)},
	{due(`quarterly`), lengthOf(3, 0)},
	{due(`monthly|every month|once a month`), lengthOf(1, 0)},
	{due(`weekly|every week|once a week|twice weekly`), days(7)},
	{due(`as (?:scheduled|planned|previously scheduled)`), noDay},
}

// bareLength is an interval without a word that makes it a time to come: "return visit, two weeks".
var bareLength = due(`(?:about |approximately )?` + length)

// duration stands before an interval that says how long, not when.
var duration = due(`(?:for|x|times|over|past|last|previous|of|over the|the past|the last|another)`)

// asNeeded are the ways to say that there is no date.
var asNeeded = due(`p\.?r\.?n\.?|(?:as|if|when|whenever) (?:needed|necessary|required)|on an as[- ]needed basis`)

func due(form string) *regexp.Regexp {
	re := regexp.MustCompile(`\b(?:` + form + `)\b`)
	re.Longest()
	return re
}

// dueIn reads the first time in low, which is lower case; text has the same bytes as written.
func dueIn(text, low string, from time.Time) (Due, int) {
	best, bestEnd := -1, 0
	var out Due
	for _, r := range dueRules {
		m := r.form.FindStringSubmatchIndex(low)
		if m == nil || (best >= 0 && (m[0] > best || (m[0] == best && m[1] <= bestEnd))) || (best >= 0 && m[0] < bestEnd && m[0] > best) {
			continue
		}
		groups := make([]string, len(m)/2)
		for i := range groups {
			if m[2*i] >= 0 {
				groups[i] = low[m[2*i]:m[2*i+1]]
			}
		}
		best, bestEnd = m[0], m[1]
		out = Due{Words: text[m[0]:m[1]]}
		if !from.IsZero() {
			out.Date = r.day(groups, from)
		}
	}
	if m := asNeeded.FindStringIndex(low); m != nil && best < 0 {
		return Due{Words: text[m[0]:m[1]], AsNeeded: true}, m[0]
	}
	return out, best
}

func noDay([]string, time.Time) string { return "" }

// afterEvent counts only from events that are the day of the dictation itself.
func afterEvent(g []string, from time.Time) string {
	if w := lastWord(g[0]); w == "today" || w == "now" {
		return counted(g, from)
	}
	return ""
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// numbers are the counts that are written as words. Vague ones are taken early: a reminder that comes too soon does no harm.
var numbers = map[string]int{
	"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "fourteen": 14, "sixteen": 16, "eighteen": 18, "twenty": 20, "twenty four": 24, "thirty": 30,
	"forty eight": 48, "sixty": 60, "seventy two": 72, "ninety": 90, "a couple": 2, "couple": 2, "a few": 2, "several": 3,
}

// counted adds an interval to the day: g[1] is the count, g[2] the unit.
func counted(g []string, from time.Time) string {
	word := strings.TrimSuffix(strings.ReplaceAll(g[1], "-", " "), " of")
	n, known := numbers[word]
	if !known {
		n, _ = strconv.Atoi(word)
	}
	if g[1] == "half a" {
		if strings.HasPrefix(g[2], "y") {
			return write(addMonths(from, 6))
		}
		return write(from)
	}
	switch u := g[2]; {
	case strings.HasPrefix(u, "h"):
		return write(from.AddDate(0, 0, (n+23)/24))
	case strings.HasPrefix(u, "business"):
		return write(businessDays(from, n))
	case strings.HasPrefix(u, "d"):
		return write(from.AddDate(0, 0, n))
	case strings.HasPrefix(u, "w"):
		return write(from.AddDate(0, 0, 7*n))
	case strings.HasPrefix(u, "f"):
		return write(from.AddDate(0, 0, 14*n))
	case strings.HasPrefix(u, "m"):
		return write(addMonths(from, n))
	default:
		return write(addMonths(from, 12*n))
	}
}

func businessDays(from time.Time, n int) time.Time {
	for n > 0 {
		from = from.AddDate(0, 0, 1)
		if from.Weekday() != time.Saturday && from.Weekday() != time.Sunday {
			n--
		}
	}
	return from
}

// addMonths stays in the month that is meant: three months after 30 November is the last day of February.
func addMonths(from time.Time, n int) time.Time {
	out := from.AddDate(0, n, 0)
	if out.Day() != from.Day() {
		out = out.AddDate(0, 0, -out.Day())
	}
	return out
}

func write(t time.Time) string { return t.Format(time.DateOnly) }
