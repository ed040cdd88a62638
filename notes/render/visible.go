package render

import (
	"fmt"
	"strings"
	"unicode"

	"vesper/notes"
)

// visible is text with nothing hidden in it: normalised as notes are, and with every character that would steer the
// display instead of printing (marks that turn the direction of writing, private and unassigned ones) spelled out.
func visible(text string) string {
	text = notes.NormalizeText(text)
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hidden(r) {
			b.WriteString(spelled(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// spelled is a character that cannot be printed, by its number.
func spelled(r rune) string { return fmt.Sprintf("[U+%04X]", r) }

// hidden says that a character does not print. Joiners stay: they are part of words and of signs.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == '\u200c' || r == '\u200d' || r == '\u00ad':
		return false
	case r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}
