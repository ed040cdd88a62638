package notes

import "strings"

// delimiterAt says what follows a heading that ends before token j, and how many tokens of it only mark the heading.
func (s *scanner) delimiterAt(j int) (delimiter, int) {
	trail := s.tokens[j-1].trail
	switch {
	case j < len(s.tokens) && colonForms[s.key(j)] && !strings.ContainsAny(trail, ".?!") && !s.gut(j):
		return delimColon, 1
	case j < len(s.tokens) && s.key(j) == "colon" && strings.ContainsAny(trail, ".,"):
		return delimColon, 1
	case strings.Contains(trail, ":"):
		return delimColon, 0
	case j < len(s.tokens) && s.dictates && soundsLikeColon(s.key(j)):
		return delimColon, 1
	}
	if j >= len(s.tokens) {
		return delimStop, 0
	}
	if c, n := s.commandAt(j); c != nil {
		switch c.act {
		case actMark:
			if c.text == "." {
				return delimStop, n
			}
			if c.text == "," {
				return delimComma, n
			}
		case actLine, actParagraph, actNextItem, actBullet:
			return delimStop, 0
		}
	}
	switch {
	case strings.ContainsAny(trail, sentenceEnds):
		return delimStop, 0
	case s.listNumberAt(j) > 0:
		return delimStop, 0
	case strings.Contains(trail, ","):
		return delimComma, 0
	case s.tokens[j].pause >= headPause:
		return delimPause, 0
	}
	return delimNone, 0
}

// soundsLikeColon accepts what engines make of "colon" after a heading, in voices that they know less.
func soundsLikeColon(key string) bool {
	sound := soundOf(strings.ReplaceAll(key, "-", ""))
	if len(sound) < 4 || len(sound) > 6 || notColon[key] {
		return false
	}
	return soundDistance(sound, "kolon") <= 1.5
}

var notColon = wordSet("color colors colour column columns colony colonic gallon gallons golf clone cold colds coil call called calls " +
	"polyp solo follow golden colonoscopy")

// gut says that "colon" after a heading's word is the organ all the same: "procedure colon resection", said without a pause.
func (s *scanner) gut(j int) bool {
	return gutAfter[s.after(j+1)] && s.tokens[j+1].pause < setOff
}
