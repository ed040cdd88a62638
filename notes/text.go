package notes

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Text renders the document as plain text: headings in capitals on lines of their own, LF line ends, NFC, one line feed at
// the end. Sections without text are left out. The same document gives the same bytes.
func Text(d Document) string {
	var b strings.Builder
	for _, s := range d.Sections {
		text := strings.TrimSpace(NormalizeText(s.Text()))
		if text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		if s.Heading != "" {
			b.WriteString(strings.ToUpper(norm.NFC.String(s.Heading)) + "\n")
		}
		b.WriteString(text)
	}
	if b.Len() == 0 {
		return ""
	}
	return b.String() + "\n"
}

// NormalizeText is the form in which all text of a note is kept: valid UTF-8, NFC, LF line ends, no control characters but
// tab and line feed. Text from any client goes through it before anything is compared or signed.
func NormalizeText(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r) || r == '\ufeff':
			return -1
		}
		return r
	}, text)
	return norm.NFC.String(text)
}
