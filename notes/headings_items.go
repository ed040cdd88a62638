package notes

import "strings"

// itemNames are words that say what a list is made of: "problem number one", "diagnosis two".
var itemNames = wordSet("problem diagnosis issue item impression")

// namedItem begins an item of a list that is announced by name, and returns the token after it; i when there is none.
func (s *scanner) namedItem(i int) int {
	if !itemNames[s.key(i)] || i+1 >= len(s.tokens) || !s.boundary(i) || strings.ContainsAny(s.tokens[i].trail, ".?!:;") {
		return i
	}
	if !s.layoutLists() && !s.current().free {
		return i
	}
	number := s.listNumberAt(i + 1)
	if number == 0 {
		number = s.itemNumber(i + 1)
	}
	if number == 0 || number != s.listNumber+1 && number != 1 {
		return i
	}
	end := s.listItem(i+1, number)
	last := s.last()
	last.tokens = append([]int{i}, last.tokens...)
	return end
}
