package lexicon

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

var (
	// orderLine is a line of icd10cm-order-YYYY.txt: number, code, whether it is billable, short and long title.
	orderLine = regexp.MustCompile(`^\d{5} ([A-Z][0-9A-Z]{2,6}) +[01] .{60} (.+)$`)
	// codeLine is a line of icd10cm-codes-YYYY.txt: code and title.
	codeLine = regexp.MustCompile(`^([A-Z][0-9A-Z]{2,6})\s+(\S.*)$`)
	// tail is what a title says after the name.
	tail = regexp.MustCompile(`(?i)(, (unspecified|not elsewhere classified|not otherwise specified).*)$`)
	// notTerm are words of titles that are no names: what is classified elsewhere, circumstances, sides, stages.
	notTerm = regexp.MustCompile(`(?i)\b(other|unspecified|elsewhere|encounter|sequela|due to|status|without|with|initial|subsequent|classified|specified|personal history|family history|underdosing|assault|intentional|adverse effect|poisoning|toxic effect|right|left|bilateral|unilateral|trimester|in diseases|and)\b|[0-9,;:/\[\]()]`)
)

// chaptersOut are the first letters of codes that are circumstances, places of injury and services rather than names of
// diseases.
const chaptersOut = "OSTUVWXYZ"

// readICD10CM reads the order file or the codes file of ICD-10-CM and keeps the titles that a note could hold.
func readICD10CM(r io.Reader, name string, c *collector) error {
	return eachLine(r, name, maxImport, func(line string) error {
		if strings.TrimSpace(line) == "" {
			return nil
		}
		m := orderLine.FindStringSubmatch(line)
		if m == nil {
			m = codeLine.FindStringSubmatch(line)
		}
		if m == nil {
			return fmt.Errorf("neither a line of the order file nor of the codes file of ICD-10-CM")
		}
		text := diseaseOf(m[2])
		if strings.Contains(chaptersOut, m[1][:1]) || text == "" {
			return nil
		}
		kind := Disease
		if m[1][0] == 'R' {
			kind = Symptom
		}
		return c.add(Term{Text: text, Kind: kind, Weight: 0.2})
	})
}

// diseaseOf shortens a title to a name, "" if it is none.
func diseaseOf(title string) string {
	text := oneLine(tail.ReplaceAllString(strings.TrimSpace(title), ""))
	if notTerm.MatchString(text) || len(text) > 60 || len(text) < 4 || strings.Count(text, " ") > 4 {
		return ""
	}
	first, rest, several := strings.Cut(text, " ")
	if strings.Contains(first, "'") || strings.ToUpper(first) == first || (several && strings.Contains(first, "-") && first[strings.Index(first, "-")+1:] != strings.ToLower(first[strings.Index(first, "-")+1:])) {
		return text // a name or an abbreviation keeps its capitals
	}
	if several {
		return strings.ToLower(first) + " " + rest
	}
	return strings.ToLower(first)
}
