package corpus

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// folded is the form in which texts are compared: lower case, hyphens as spaces, without the colon after a label and the
// commas between words, which change no dose and no finding.
func folded(s string) string { return loose.Replace(strings.ToLower(s)) }

var loose = strings.NewReplacer("-", " ", ": ", " ", ", ", " ")

var blank = regexp.MustCompile(`\[blank[^\]]*\]`)

// Untimed writes each blank as "[blank]", without its times.
func Untimed(text string) string { return blank.ReplaceAllString(text, "[blank]") }

// contains says whether spelling stands in text as whole words.
func contains(text, spelling string) bool {
	if spelling == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], spelling)
		if i < 0 {
			return false
		}
		start := from + i
		end := start + len(spelling)
		if !joinsBefore(text[:start]) && !joinsAfter(text[end:]) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		from = start + size
	}
}

// joinsBefore says that text ends within a word or a number that goes on.
func joinsBefore(text string) bool {
	last, size := utf8.DecodeLastRuneInString(text)
	if isWord(last) {
		return true
	}
	if !strings.ContainsRune(".,/", last) || size == 0 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(text[:len(text)-size])
	return unicode.IsDigit(before)
}

// joinsAfter says that text goes on with the same word or number.
func joinsAfter(text string) bool {
	next, size := utf8.DecodeRuneInString(text)
	if isWord(next) {
		return true
	}
	if !strings.ContainsRune(".,/", next) || size == 0 {
		return false
	}
	after, _ := utf8.DecodeRuneInString(text[size:])
	return unicode.IsDigit(after)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
