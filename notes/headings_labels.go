package notes

import (
	"strings"

	"vesper/notes/templates"
)

// labelAt recognises a sub-heading: of the section being dictated when here is set, else of any other.
func (s *scanner) labelAt(i int, boundary, here bool) (found, bool) {
	var elsewhere []found
	for _, h := range s.headings.labels[s.key(i)] {
		if !s.wordsAt(i, h.words) || (h.section == s.section) != here || h.row && !here {
			continue
		}
		end := i + len(h.words)
		delim, eaten := s.delimiterAt(end)
		f := found{heading: h, words: len(h.words), eaten: eaten}
		colon := delim == delimColon && (boundary || !notBeforeHeading[s.before(i)])
		switch {
		case colon && here, here && boundary && !h.heardAs && !h.row && s.startsLine(i, end, delim):
			return f, true
		case here && h.heardAs && s.strongBoundary(i) && (delim == delimComma || delim == delimStop) && templates.InClass(s.key(end+eaten), "finding"):
			return f, true
		case colon:
			elsewhere = append(elsewhere, f)
		}
	}
	if here && boundary {
		return s.labelByEar(i)
	}
	return s.likeliest(i, elsewhere)
}

// startsLine says that a label without a colon, whose words end before token end, begins a line: it stands alone
// ("Lungs. Clear."), or a finding follows it without a verb ("Lungs clear to auscultation").
func (s *scanner) startsLine(i, end int, delim delimiter) bool {
	if end >= len(s.tokens) || s.listNumberAt(end) > 0 {
		return false
	}
	switch delim {
	case delimStop:
		return true
	case delimNone, delimPause, delimComma:
		if s.strongBoundary(i) && asked[s.key(end)] {
			return true
		}
		return s.strongBoundary(i) && templates.InClass(s.key(end), "finding") && verbless(append([]string{s.key(i)}, s.sentenceFrom(end)...))
	}
	return false
}

// likeliest chooses among the labels of other sections: what is denied or stated positive or negative belongs to the
// review of systems, everything else to the examination, which comes after it.
func (s *scanner) likeliest(i int, labels []found) (found, bool) {
	if len(labels) == 0 {
		return found{}, false
	}
	if len(labels) > 1 {
		for _, w := range s.sentenceFrom(i + labels[0].words) {
			if asked[w] {
				return labels[0], true
			}
		}
	}
	best := labels[0]
	for _, f := range labels[1:] {
		if s.place(f.heading.section) > s.place(best.heading.section) {
			best = f
		}
	}
	return best, true
}

// asked are the words of answers, which stand in a review of systems.
var asked = wordSet("denies denied denying negative positive reports reported complains endorses admits")

// The sound of labels: where "colon" is dictated after words that begin a line of a section with labels, they are one.
const (
	longestLabel      = 3 // words
	shortestLabel     = 4 // letters
	farthestFromLabel = 0.3
)

// labelByEar recognises a misheard label of the section being dictated: "add domin colon".
func (s *scanner) labelByEar(i int) (found, bool) {
	joined := ""
	for n := 1; n <= longestLabel && i+n < len(s.tokens); n++ {
		joined += strings.ReplaceAll(s.key(i+n-1), "-", "")
		delim, eaten := s.delimiterAt(i + n)
		if delim == delimNone || delim == delimPause {
			continue
		}
		if delim != delimColon || len(joined) < shortestLabel {
			break
		}
		if h, far := s.closestLabel(soundOf(joined)); far == 0 || far <= farthestFromLabel && !s.headings.known[joined] {
			h.heardAs = true
			return found{heading: h, words: n, eaten: eaten}, true
		}
		break
	}
	return found{}, false
}

// closestLabel is the label of the section being dictated that sounds most like the words, and the share of the letters in
// which it differs.
func (s *scanner) closestLabel(sound string) (heading, float64) {
	best, distance := heading{}, 2.0
	for _, list := range s.headings.labels {
		for _, h := range list {
			if h.section != s.section || len(h.folded) < shortestLabel {
				continue
			}
			d := soundDistance(h.folded, sound) / float64(max(len(h.folded), len(sound)))
			if d < distance || d == distance && h.label < best.label {
				best, distance = h, d
			}
		}
	}
	return best, distance
}

// labelText is a label as it is printed: as it was said, but misheard, spelled and shortened ones as the template has them.
func labelText(h heading, said []token) string {
	words := plainWords(said)
	joined := keyOf(strings.ReplaceAll(words, " ", ""))
	switch {
	case h.label == "?", h.row && len(said[0].core) > 1:
		return capitalised(words)
	case h.heardAs || joined == keyOf(strings.ReplaceAll(h.label, " ", "")):
		return h.label
	case joined == "heent" || len(joined) <= 3 && strings.Trim(joined, "bcdfghjklmnpqrstvwxz") == "" || shortLabels[joined]:
		return strings.ToUpper(joined)
	}
	return capitalised(words)
}

// shortLabels are abbreviations with a vowel.
var shortLabels = wordSet("ent gi gu")
