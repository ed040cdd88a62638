// Package numbers writes spoken numbers, doses, vital signs, dates and codes the way medicine writes them: "forty
// milligrams" becomes "40 mg", "one forty two over eighty eight" becomes "142/88". It is a table of typed rules, each with
// its examples, which are its tests. A rule never changes a value; where words can be read in two ways they stay as they
// were said, and the doubt is reported. What is already written well passes through unchanged.
package numbers

import "strings"

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

// Example is what a rule does, and a test of it.
type Example struct{ Said, Written string }

// Rule is one way of writing numbers. The first rule of the table that applies at a word wins.
type Rule struct {
	Name     string
	Examples []Example
	apply    func(s *scan, i int) (match, bool)
}

// match is what a rule found: it covers atoms up to, not including, to.
type match struct {
	to    int
	text  string
	doubt string
}

// Rewrite returns the edits for words, in order and without overlap.
func Rewrite(words []Word) []Edit {
	s := newScan(words)
	rules := Rules()
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
	for _, rule := range rules {
		m, ok := rule.apply(s, i)
		if !ok || m.to <= i || (m.to < len(s.atoms) && !s.atoms[m.to].first) {
			continue
		}
		if m.doubt == "" && s.torn(rule.Name, i, m.to) {
			continue
		}
		from, to := s.atoms[i].word, s.atoms[m.to-1].word+1
		if fields := strings.Fields(m.text); m.doubt == "" && len(fields) > 0 {
			s.atoms[m.to-1].s = lower(fields[len(fields)-1]) // later rules see what is written, as they would next time
		}
		if rule.Name == "date" {
			s.dateEnd = m.to
		}
		if m.doubt == "" && m.text == s.original(from, to) {
			return nil, m.to
		}
		return &Edit{From: from, To: to, Text: m.text, Rule: rule.Name, Doubt: m.doubt}, m.to
	}
	return nil, i + 1
}

// torn says that a match begins or ends in the middle of a row of numbers, where another reading is possible. A blood
// pressure is complete in itself: the next vital sign may follow directly.
func (s *scan) torn(rule string, from, to int) bool {
	if s.open(from-1) && (s.numeric(from-1) || s.at(from-1) == "point") && s.numeric(from) {
		return true
	}
	return rule != "blood_pressure" && rule != "cardinal" && s.numeric(to-1) && s.open(to-1) && s.numeric(to)
}

// numeric says that an atom is a number word or digits.
func (s *scan) numeric(i int) bool {
	w := s.at(i)
	return w != "" && (numberWord(w) || numeral.MatchString(w))
}

// original is the text of words as they stand.
func (s *scan) original(from, to int) string {
	parts := make([]string, 0, to-from)
	for _, w := range s.words[from:to] {
		parts = append(parts, w.Text)
	}
	return strings.Join(parts, " ")
}
