package notes

// labelAt recognises a sub-heading: of the section being dictated when here is set, else of any other.
func (s *scanner) labelAt(i int, boundary, here bool) (found, bool) {
	for _, h := range s.headings.labels[s.key(i)] {
		if !s.wordsAt(i, h.words) || (h.section == s.section) != here {
			continue
		}
		delim, eaten := s.delimiterAt(i + len(h.words))
		f := found{heading: h, words: len(h.words), eaten: eaten}
		if delim == delimColon && (boundary || !notBeforeHeading[s.before(i)]) {
			return f, true
		}
		if here && boundary && delim == delimStop && !h.heardAs && i+len(h.words) < len(s.tokens) && s.listNumberAt(i+len(h.words)) == 0 {
			return f, true
		}
	}
	return found{}, false
}
