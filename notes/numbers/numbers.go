// Package numbers writes spoken numbers, doses, vital signs, dates and codes the way medicine writes them: "forty
// milligrams" becomes "40 mg", "one forty two over eighty eight" becomes "142/88". It is a table of typed rules in
// data/rules, each with what it is for and its examples, which are its tests; most are data, some name code of this package.
// A rule never changes a value; where words can be read in two ways they stay as they were said, and the doubt is reported.
// What is already written well passes through unchanged. How the result looks (units in full, the clock, the order of a
// date) is the style's.
package numbers

import (
	"strings"

	"vesper/notes/style"
)

// Word is one spoken word without the marks around it.
type Word struct {
	Text string
	Mark string // the marks after the word, "" for none
	Hard bool   // the mark was dictated ("comma"): no rule writes across it
}

// Edit replaces the words From up to, not including, To by Text. With a Doubt and no Text the words stay as they are and
// a person must look; Doubt says why, in plain words.
type Edit struct {
	From, To int
	Text     string
	Rule     string
	Doubt    string
}

// Spelling is the name of the rule that changes how a word is spelled, and nothing else.
const Spelling = "spelling"

// readers is the code that rules name, for any word.
var readers = map[string]reader{
	"unsure_drug": unsureDrug, "frequency": frequency, "date": date, "year": year, "clock": clock, "named_code": namedCode,
	"vertebrae": vertebrae, "staging": staging, "cancer_stage": cancerStage, "obstetric": obstetric, "spelled": spelled, "lab_value": labValue,
	"lost_number": lostNumber, "bare_unit": bareUnit, "ordinal": ordinal, "greek": greek, "spelling": spelling,
}

// numberReaders is the code of rules that begin with a number; at other words it is not tried.
var numberReaders = map[string]reader{
	"record_number": recordNumber, "figure_row": figureRow, "blood_pressure": bloodPressure, "decade": decade,
	"temperature": temperature, "height": height, "birth_date": birthDate, "parity": parity,
	"suture": suture, "dimension": dimension, "ratio": ratio, "spread": spread, "two_counts": twoCounts, "bare_daily": bareDaily, "needless_zeros": needlessZeros,
	"split_number": splitNumber, "crowded_label": crowdedLabel, "quantity": quantity, "measured": measured,
	"also_measured": alsoMeasured, "changed_from": changedFrom, "labelled": labelled, "per_time": perTime, "cardinal": cardinal,
}

// Rewrite returns the edits for words, in order and without overlap. The zero style is the default.
func Rewrite(words []Word, st style.Style) []Edit {
	s := newScan(words, st.OrDefault())
	rules := table()
	var edits []Edit
	for i := 0; i < len(s.atoms); {
		edit, next := s.first(rules, i)
		if edit != nil {
			edits = append(edits, *edit)
		}
		i = next
	}
	return edits
}

// first applies the first rule that matches at atom i and says where to go on.
func (s *scan) first(rules []Rule, i int) (*Edit, int) {
	if !s.atoms[i].first {
		return nil, i + 1
	}
	if n := s.literal(i); n > 0 && (i+n == len(s.atoms) || s.atoms[i+n].first) {
		return nil, i + n
	}
	for k := range rules {
		rule := &rules[k]
		m, ok := rule.apply(s, i)
		if !ok || m.to <= i || (m.to < len(s.atoms) && !s.atoms[m.to].first) {
			continue
		}
		if m.doubt == "" && s.torn(rule.Name, i, m.to) {
			continue
		}
		return s.edit(rule.Name, m, i)
	}
	return nil, i + 1
}

// edit makes an edit of a match at atom i, nil where nothing changes.
func (s *scan) edit(rule string, m match, i int) (*Edit, int) {
	from, to := s.atoms[i].word, s.atoms[m.to-1].word+1
	if m.doubt == "" {
		s.see(m)
		if rule == "date" {
			s.dateEnd = m.to
		}
		if m.text == s.original(from, to) {
			return nil, m.to
		}
	}
	return &Edit{From: from, To: to, Text: m.text, Rule: rule, Doubt: m.doubt}, m.to
}

// see makes later rules see what is written, as they would in the next reading.
func (s *scan) see(m match) {
	fields := strings.Fields(m.text)
	if len(fields) == 0 {
		return
	}
	last := &s.atoms[m.to-1]
	last.s = lower(fields[len(fields)-1])
	last.isNumeral = last.s != "" && s.figures(last.s)
}

// torn says that a match begins or ends in the middle of a row of numbers, where another reading is possible. What is
// complete in itself, like a blood pressure, may be followed directly by the next number.
func (s *scan) torn(rule string, from, to int) bool {
	if s.open(from-1) && (s.numeric(from-1) || s.at(from-1) == "point") && s.numeric(from) {
		return true
	}
	switch rule {
	case "blood_pressure", "combination", "bare_daily", "code", "leads", "nerves", "cardinal", "temperature", "height", "ordinal":
		return false
	}
	return s.numeric(to-1) && s.open(to-1) && s.numeric(to)
}

// original is the text of words as they stand.
func (s *scan) original(from, to int) string {
	if to-from == 1 {
		return s.words[from].Text
	}
	parts := make([]string, 0, to-from)
	for _, w := range s.words[from:to] {
		parts = append(parts, w.Text)
	}
	return strings.Join(parts, " ")
}
