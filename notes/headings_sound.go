package notes

const (
	longestHeading  = 6   // words
	shortestByEar   = 8   // letters; shorter words sound like too much else
	farthestByEar   = 0.2 // share of the letters that may differ; vowels count half
	farthestByColon = 0.3 // the same, where "colon" says that it is a heading
	shortestByColon = 6
	farthestIfKnown = 0.22 // for the name of a section that other work types have
)

// soundsLikeHeading recognises a misheard heading that is marked as one: "history of president illness:".
func (s *scanner) soundsLikeHeading(i int) (found, bool) {
	joined := ""
	for n := 1; n <= longestHeading && i+n <= len(s.tokens); n++ {
		if denials[s.key(i+n-1)] {
			break
		}
		joined += s.key(i + n - 1)
		delim, eaten := s.delimiterAt(i + n)
		if delim != delimColon && delim != delimStop {
			if delim == delimComma {
				break
			}
			continue
		}
		if last := s.key(i + n - 1); eaten > 0 && s.key(i+n) == "colon" && gutAfter[s.after(i+n+1)] && notAfterHeading[last] { // "history of colon cancer"
			break
		}
		if len(joined) < shortestByColon || (delim == delimStop && len(joined) < shortestByEar) {
			break
		}
		farthest := farthestByEar
		if delim == delimColon && s.strongBoundary(i) {
			farthest = farthestByColon
		}
		if s.headings.known[joined] {
			if delim != delimColon {
				break
			}
			farthest = farthestIfKnown
		}
		if h, ok := s.closest(soundOf(joined), farthest); ok && !s.holdsHeading(i, n, h) {
			if delim == delimStop && n < 2 && !s.expected(h.section) {
				break
			}
			return found{heading: h, words: n, eaten: eaten}, true
		}
		break
	}
	return found{}, false
}

// denials never stand in a heading: "No drug allergies." is a statement.
var denials = wordSet("no not none without never denies denied nil negative nonexistent")

// holdsHeading says that the words at token i hold a heading exactly: then the others beside it were not misheard, and mean
// something ("mild complications").
func (s *scanner) holdsHeading(i, n int, h heading) bool {
	for j := i; j+len(h.words) <= i+n; j++ {
		if s.wordsAt(j, h.words) {
			return true
		}
	}
	return false
}

// closest is the section heading that sounds most like the words, if any is close enough.
func (s *scanner) closest(sound string, farthest float64) (heading, bool) {
	best, distance := heading{}, 2.0
	for _, h := range s.headings.all {
		longest := max(len(h.folded), len(sound))
		if len(h.folded) < shortestByColon || abs(len(h.folded)-len(sound)) > longest/4 {
			continue
		}
		if d := soundDistance(h.folded, sound) / float64(longest); d < distance {
			best, distance = h, d
		}
	}
	return best, distance <= farthest
}
