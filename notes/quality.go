package notes

import (
	"strings"
	"unicode"
)

// Errors counts what a later version put right in an earlier one. One error is one stretch that was changed, in at most one
// sentence: a word left out, put in, or put in the place of another. Errors of layout, punctuation and capitals alone are
// counted apart and lower no score.
type Errors struct {
	Words    int // of the earlier version
	Critical int // that touch a dose, number, unit, drug, side, negation or allergy: what harms when it is wrong
	Other    int
	Cosmetic int
}

// Score is 100 − 3 for each critical error − 1 for each other one, not below 0: the manner of the healthcare documentation
// quality assessments of AHDI, with the classes of error of Errors in the place of theirs.
func (e Errors) Score() float64 { return max(0, 100-3*float64(e.Critical)-float64(e.Other)) }

// Plus adds the counts of another pair of versions. A score belongs to one note; averages are made of scores.
func (e Errors) Plus(o Errors) Errors {
	return Errors{e.Words + o.Words, e.Critical + o.Critical, e.Other + o.Other, e.Cosmetic + o.Cosmetic}
}

// CountErrors compares a version with a later one that is taken to be right.
func CountErrors(before, after Document) Errors {
	out := Errors{Words: wordCount(before)}
	changes := Compare(before, after)
	moved := movedTexts(changes)
	for i := 0; i < len(changes); i++ {
		c := changes[i]
		if c.Op == Equal {
			continue
		}
		deleted, written := "", ""
		if c.Op == Delete {
			deleted = c.Text
			if i+1 < len(changes) && changes[i+1].Op == Insert && changes[i+1].Section == c.Section {
				written = changes[i+1].Text
				i++
			}
		} else {
			written = c.Text
		}
		out = out.Plus(judgeChange(deleted, written, moved))
	}
	return out
}

// movedTexts are stretches that were taken out at one place and put in at another: text in the wrong section, not wrong text.
func movedTexts(changes []Change) map[string]bool {
	deleted, out := map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		if c.Op == Delete {
			deleted[bareWords(c.Text)] = true
		}
	}
	for _, c := range changes {
		if key := bareWords(c.Text); c.Op == Insert && key != "" && deleted[key] {
			out[key] = true
		}
	}
	return out
}

// judgeChange classes one change. A text that moved counts once, where it was put in.
func judgeChange(deleted, written string, moved map[string]bool) Errors {
	a, b := bareWords(deleted), bareWords(written)
	switch {
	case a == b:
		if strings.TrimSpace(deleted) == strings.TrimSpace(written) {
			return Errors{} // white space
		}
		return Errors{Cosmetic: 1}
	case moved[a] && b == "":
		return Errors{}
	case moved[b] && a == "":
		return Errors{Other: 1}
	}
	n := max(len(sentenceBounds(deleted)), len(sentenceBounds(written)), 1)
	if critical := min(n, max(criticalSentences(deleted), criticalSentences(written))); critical > 0 {
		return Errors{Critical: critical, Other: n - critical}
	}
	return Errors{Other: n}
}

// criticalSentences counts the sentences of a changed text in which something that harms stands.
func criticalSentences(text string) int {
	n := 0
	for _, b := range sentenceBounds(text) {
		for _, w := range strings.Fields(text[b[0]:b[1]]) {
			if RiskClass(w) != "" {
				n++
				break
			}
		}
	}
	return n
}

// countWords are numbers that are written as words.
var countWords = wordSet("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen " +
	"nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand half once twice double")

// RiskClass says why a word must not be wrong: "number", "unit", "drug", "side", "negation" or "allergy"; "" for other words.
func RiskClass(word string) string {
	key := keyOf(strings.Trim(word, allMarks+"-–—/"))
	switch {
	case key == "":
		return ""
	case strings.IndexFunc(key, unicode.IsDigit) >= 0 || countWords[key]:
		return "number"
	case unitWords[key] || doseUnits[key]:
		return "unit"
	case sides[key]:
		return "side"
	case negations[key] || key == "cannot" || strings.HasSuffix(key, "nt") && strings.ContainsAny(word, "'’"):
		return "negation"
	case strings.HasPrefix(key, "allerg"):
		return "allergy"
	case drugLike(key):
		return "drug"
	}
	return ""
}

// bareWords is a text as its words alone, in lower case.
func bareWords(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if wordRune(r) || r == '/' {
			return unicode.ToLower(r)
		}
		return ' '
	}, text)), " ")
}

func wordCount(d Document) int {
	n := 0
	for _, s := range d.Sections {
		n += len(strings.Fields(s.Text()))
	}
	return n
}
