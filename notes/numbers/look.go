package numbers

import "strings"

// at is the atom's word, "" outside the list.
func (s *scan) at(i int) string {
	if i < 0 || i >= len(s.atoms) {
		return ""
	}
	return s.atoms[i].s
}

// open says that nothing separates atom i from the next one.
func (s *scan) open(i int) bool {
	return i >= 0 && i < len(s.atoms) && s.atoms[i].mark == ""
}

// is says that atom i is one of the words and joined to the atom before it.
func (s *scan) is(i int, words ...string) bool {
	if !s.open(i-1) || i >= len(s.atoms) {
		return false
	}
	for _, w := range words {
		if s.atoms[i].s == w {
			return true
		}
	}
	return false
}

// phrase says that the words of a phrase stand at atom i, joined.
func (s *scan) phrase(i int, words []string) bool {
	if i < 0 || i+len(words) > len(s.atoms) {
		return false
	}
	for j, w := range words {
		if s.atoms[i+j].s != w || (j > 0 && !s.open(i+j-1)) {
			return false
		}
	}
	return true
}

// numeric says that an atom is a number word or figures.
func (s *scan) numeric(i int) bool {
	return i >= 0 && i < len(s.atoms) && (s.atoms[i].isNumeral || numberWord(s.atoms[i].s))
}

// numberStart says that a number may begin at atom i.
func (s *scan) numberStart(i int) bool { return i >= 0 && i < len(s.atoms) && s.atoms[i].starts }

// nearby says that one of the words stands within n atoms before i, whatever marks are between.
func (s *scan) nearby(i, n int, words map[string]bool) bool {
	for j := i - 1; j >= 0 && j >= i-n; j-- {
		if words[s.atoms[j].s] {
			return true
		}
	}
	return false
}

// ahead is nearby, looking forward.
func (s *scan) ahead(i, n int, words map[string]bool) bool {
	for j := i; j < len(s.atoms) && j < i+n; j++ {
		if words[s.atoms[j].s] {
			return true
		}
	}
	return false
}

// label returns the label before atom i that is in names, skipping fillers; "" when there is none. Labels of several
// words are joined by hyphens. What was dictated or written as the end of a sentence ends the search.
func (s *scan) label(i int, names map[string]bool) string {
	j := i - 1
	fillers := lists()["fillers"]
	for skipped := 0; j >= 0 && skipped < 4; skipped++ {
		if strings.ContainsAny(s.atoms[j].mark, ".?!;") || !fillers[s.atoms[j].s] || names[s.atoms[j].s] {
			break
		}
		j--
	}
	if j < 0 || strings.ContainsAny(s.atoms[j].mark, ".?!;") {
		return ""
	}
	joined, found := "", ""
	for k := j; k >= 0 && k > j-4; k-- {
		if k < j && s.atoms[k].mark != "" {
			break
		}
		if joined == "" {
			joined = s.atoms[k].s
		} else {
			joined = s.atoms[k].s + "-" + joined
		}
		if names[joined] {
			found = joined
		}
	}
	return found
}

// labelled is label for a list of the rules' file.
func (s *scan) labelled(i int, list string) string { return s.label(i, lists()[list]) }

// afterDose says that a dose or a form of drug stands shortly before, so that "bid" is a frequency and not a verb.
func (s *scan) afterDose(i int) bool {
	if s.endsInFigure(i-1) && s.open(i-1) {
		return true
	}
	for j := i - 1; j >= 0 && j >= i-6 && !strings.ContainsAny(s.atoms[j].mark, ".?!"); j-- {
		w := s.atoms[j].s
		if nouns().doseWords[w] || w == "daily" || w == "po" {
			return true
		}
		if u, ok := shortUnit(w); ok && u.kind == dose {
			return true
		}
		for _, u := range units().said[w] {
			if u.unit.kind == dose {
				return true
			}
		}
	}
	return false
}
