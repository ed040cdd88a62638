package notes

// What the speaker does elsewhere in a dictation makes weak signs of a heading stronger: somebody who names the sections
// names them all.

// fewestNamed is the number of headings after which the speaker is taken for one who names the sections.
const fewestNamed = 2

// expected says that a heading of the section can be expected: the speaker names sections, and this one was not named yet.
func (s *scanner) expected(section string) bool {
	named := map[string]bool{}
	for _, seg := range s.segments {
		if seg.headed {
			named[seg.section] = true
		}
	}
	return len(named) >= fewestNamed && !named[section]
}

// betweenCommas says that the engine set a comma before token i, as it does where it takes a heading for part of a
// sentence: "on room air, physical examination, he is sweating". A speaker who dictates commas means them.
func (s *scanner) betweenCommas(i int) bool {
	return i > 0 && !s.saysComma && s.tokens[i-1].mark() == "," && !s.afterMark(i)
}

// endAtComma ends a sentence before a heading where the engine, which took the heading for a part of it, wrote a comma.
func (s *scanner) endAtComma() {
	if last := s.last(); last != nil && last.kind == itemWord && last.trail == "," && !s.dictates {
		last.trail = "."
	}
}
