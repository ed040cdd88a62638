package notes

import "strconv"

// numeral carries out "numeral five" and "roman numeral four", said by tokens from up to to.
func (s *scanner) numeral(c *command, from, to int) int {
	value, end := s.numeralAt(to)
	text := strconv.Itoa(value)
	if s.key(from) == "roman" && value > 0 && value < len(romanNumerals) {
		text = romanNumerals[value]
	}
	s.add(item{kind: itemWord, text: text, tokens: span(from, end), trail: s.tokens[end-1].trail, command: c.name})
	return end
}
