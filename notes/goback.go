package notes

import "strings"

// longestTarget is the largest number of words in the name of a section that is gone back to.
const longestTarget = 5

// backTo finds the section that "go back to HEADING" at token i names, and the token after it; its command has n words.
func (s *scanner) backTo(i, n int) (section string, end int) {
	if !s.boundary(i) {
		return "", i
	}
	j := i + n
	if k := s.key(j); k == "the" || k == "my" {
		j++
	}
	best := i
	for _, h := range s.headings.byFirst[s.key(j)] {
		if end := s.afterTarget(j + len(h.words)); s.wordsAt(j, h.words) && end > best {
			section, best = h.section, end
		}
	}
	if best > i {
		return section, best
	}
	joined := ""
	for n := 1; n <= longestTarget && j+n <= len(s.tokens); n++ {
		joined += s.key(j + n - 1)
		if len(joined) < shortestByEar {
			continue
		}
		if end := s.afterTarget(j + n); end > 0 {
			if h, ok := s.closest(soundOf(joined), farthestByEar); ok {
				return h.section, end
			}
			return "", i
		}
	}
	return "", i
}

// afterTarget is the token after a heading that ends before token j and what marks it; 0 when nothing marks it.
func (s *scanner) afterTarget(j int) int {
	if j > len(s.tokens) {
		return 0
	}
	if k := s.key(j); (k == "section" || k == "heading") && s.tokens[j-1].mark() == "" {
		j++
	}
	delim, eaten := s.delimiterAt(j)
	if delim == delimNone && !s.newSentence(j) && s.key(j-1) != "section" {
		return 0
	}
	return j + eaten
}

// goBack carries out "go back to HEADING" and "add to HEADING", said by tokens from up to to.
func (s *scanner) goBack(from, to int) int {
	section, end := s.backTo(from, to-from)
	s.dropComma()
	s.open(section)
	s.current().goesOn, s.current().headed = true, true
	s.remove(RemovedHeading, from, end)
	return end
}

// nextSection is the section after the current one in the template.
func (s *scanner) nextSection() string {
	for i, section := range s.tpl.Sections {
		if section.Key == s.section && i+1 < len(s.tpl.Sections) {
			return s.tpl.Sections[i+1].Key
		}
	}
	return s.section
}

// sentenceItems are the items of the sentence that is being dictated or, at its end, that was dictated last.
func (s *scanner) sentenceItems() []item {
	items := s.current().items
	from := len(items)
	for from > 0 {
		it := items[from-1]
		if it.kind == itemBreak || it.kind == itemNumber || it.kind == itemLabel {
			break
		}
		ends := strings.ContainsAny(it.trail, sentenceEnds) || it.kind == itemMark && strings.ContainsAny(it.text, sentenceEnds)
		if ends && from < len(items) && hasWords(items[from:]) {
			break
		}
		from--
	}
	return items[from:]
}

func hasWords(items []item) bool {
	for _, it := range items {
		if it.kind == itemWord {
			return true
		}
	}
	return false
}
