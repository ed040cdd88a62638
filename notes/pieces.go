package notes

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// piece is the unit in which versions are compared: a word with its inner punctuation ("142/88"), one mark, or a blank.
type piece struct {
	text  string
	lead  string // white space before it
	parts []part // what the piece's text is made of, when it comes from runs
	space []part // the same for the white space
}

// part is a slice of a run.
type part struct {
	run  int // index of the run in its document; runs of one document have distinct numbers
	text string
}

var blankForm = regexp.MustCompile(`^\[blank \d+:\d\d(?::\d\d)?–\d+:\d\d(?::\d\d)?\]`)

// pieces splits text. What follows the last piece is returned as the tail, white space only.
func pieces(text string) (out []piece, tail string) {
	for text != "" {
		lead := text[:len(text)-len(strings.TrimLeftFunc(text, unicode.IsSpace))]
		text = text[len(lead):]
		if text == "" {
			return out, lead
		}
		n := pieceLength(text)
		out = append(out, piece{text: text[:n], lead: lead})
		text = text[n:]
	}
	return out, ""
}

// pieceLength is the length in bytes of the piece at the beginning of text.
func pieceLength(text string) int {
	if text[0] == '[' {
		if m := blankForm.FindString(text); m != "" {
			return len(m)
		}
	}
	end := 0 // after the last letter or digit
	for i, r := range text {
		if unicode.IsSpace(r) || (r == '[' && i > 0) {
			break
		}
		if wordRune(r) {
			end = i + utf8.RuneLen(r)
			if r == utf8.RuneError {
				_, size := utf8.DecodeRuneInString(text[i:])
				end = i + size
			}
		} else if end == 0 { // a mark before any letter stands alone
			_, size := utf8.DecodeRuneInString(text)
			return size
		}
	}
	return end
}

// wordRune says whether a rune is part of a word rather than a mark beside it.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '%' || r == '°' || r == '+' || r == utf8.RuneError
}

// piecesOf splits the text of runs and remembers which run each byte came from. first is the number of the first run.
func piecesOf(runs []Run, first int) (out []piece, tail []part) {
	var b strings.Builder
	for _, r := range runs {
		b.WriteString(r.Text)
	}
	out, rest := pieces(b.String())
	c := cutter{runs: runs, first: first}
	for i := range out {
		out[i].space = c.take(len(out[i].lead))
		out[i].parts = c.take(len(out[i].text))
	}
	return out, c.take(len(rest))
}

// cutter hands out the text of runs in order.
type cutter struct {
	runs  []Run
	first int
	run   int
	at    int
}

func (c *cutter) take(n int) []part {
	var out []part
	for n > 0 && c.run < len(c.runs) {
		left := c.runs[c.run].Text[c.at:]
		k := min(n, len(left))
		if k > 0 {
			out = append(out, part{run: c.first + c.run, text: left[:k]})
		}
		n, c.at = n-k, c.at+k
		if c.at == len(c.runs[c.run].Text) {
			c.run, c.at = c.run+1, 0
		}
	}
	return out
}

func partsText(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}
