package checks

import (
	"regexp"
	"strings"
)

// unsafe is an abbreviation that is read wrongly. The list is the Joint Commission's "Do Not Use" list (2004, confirmed
// since), and the micro sign from ISMP's list of error-prone abbreviations.
type unsafe struct {
	form     *regexp.Regexp
	critical bool
	write    string
}

var unsafeForms = []unsafe{
	{regexp.MustCompile(`\b\d[\d,]*\.\d*0 ?(?:mg|mcg|g|mL|units|mEq)\b`), true, "leave out the zero after the point (1 mg, not 1.0 mg)"},
	{regexp.MustCompile(`(?:^|[\s(])(\.\d+ ?(?:mg|mcg|g|mL|units|mEq)\b)`), true, "write a zero before the point (0.5 mg, not .5 mg)"},
	{regexp.MustCompile(`\b\d(?:[\d,.]*\d)? ?(?:U|u)(?:\s|$|[.,;)])`), true, "write “units”"},
	{regexp.MustCompile(`\b(?:I\.?U\.?)(?:\s|$|[.,;])`), true, "write “international units”"},
	{regexp.MustCompile(`\b(?:MSO4|MgSO4)\b`), true, "write “morphine sulfate” or “magnesium sulfate”"},
	{regexp.MustCompile(`\bMS \d[\d.]* ?mg\b`), true, "write “morphine sulfate” or “magnesium sulfate”"},
	{regexp.MustCompile(`\b(?:[Qq]\.[Oo]\.[Dd]\.?|Q\.?O\.?D\.?|qod)(?:\s|$|[,;)])`), true, "write “every other day”"},
	{regexp.MustCompile(`\b(?:[Qq]\.[Dd]\.?|QD|qd)(?:\s|$|[.,;)])`), true, "write “daily”"},
	{regexp.MustCompile(`\d ?[µμ]g\b`), false, "write “mcg”"},
}

// abbreviations finds writing that is not safe in a note, whoever wrote it.
func abbreviations(r *reader) []Finding {
	var out []Finding
	for i, s := range r.note.Sections {
		for _, u := range unsafeForms {
			for _, m := range u.form.FindAllStringSubmatchIndex(s.Text, -1) {
				from, to := m[0], m[1]
				if len(m) > 2 {
					from, to = m[2], m[3]
				}
				text := strings.TrimRight(s.Text[from:to], " \n\t,;)")
				if strings.HasSuffix(text, ".") && strings.Count(text, ".") == 1 {
					text = strings.TrimSuffix(text, ".")
				}
				out = append(out, Finding{
					Kind: Abbreviation, Critical: u.critical, At: Place{i, from, from + len(text)}, Text: text,
					Detail: "“" + text + "” can be misread: " + u.write + ".",
				})
			}
		}
	}
	return out
}
