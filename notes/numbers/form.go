package numbers

import (
	"fmt"
	"strconv"
	"strings"
)

// form is one way of saying something and how it is written: "<a 0..5> (out of|over) <b 4..5> => {a}/{b}".
//
//	word            the word itself; one|two for either
//	(out of|over)   one of several phrases; (and)? where it may be left out
//	<n>             a whole number, kept as n; <n 1..4> from 1 to 4; <n any> with decimals too; <n pair> also as hundreds are
//	                spoken in clinics ("one forty two"); <n digit> one digit
//	<w: to|or>      one of several phrases, kept as said; <w: @list> a word of a list; with ? where it may be left out
//
// The text after => holds {n}, {n:roman}, {w}, {w:upper}, {w:lower}, and what is between them.
type form struct {
	parts []part
	write []piece
}

// part is one step of a form.
type part struct {
	name     string
	phrases  [][]string      // one of these phrases
	list     map[string]bool // or a word of a list
	reader   string          // or a number: "whole", "any", "pair", "digit"
	min, max int64           // of a whole number; max < 0 for no bounds
	optional bool
}

// piece is plain text, or the name of what was read and how it is written.
type piece struct{ text, name, as string }

// parseForm reads a form as written in a rule's file.
func parseForm(line string) (form, error) {
	said, written, ok := strings.Cut(line, " => ")
	if !ok {
		return form{}, fmt.Errorf("it needs => between what is said and what is written")
	}
	var f form
	for rest := strings.TrimSpace(said); rest != ""; rest = strings.TrimSpace(rest) {
		var token string
		if token, rest, ok = nextToken(rest); !ok {
			return f, fmt.Errorf("a bracket is not closed")
		}
		p, err := parsePart(token)
		if err != nil {
			return f, err
		}
		f.parts = append(f.parts, p)
	}
	return f, f.parseWrite(written)
}

// nextToken cuts the first token off; brackets may hold spaces.
func nextToken(text string) (token, rest string, ok bool) {
	end := strings.IndexByte(text, ' ')
	if closing := map[byte]string{'<': ">", '(': ")"}[text[0]]; closing != "" {
		at := strings.Index(text, closing)
		if at < 0 {
			return "", "", false
		}
		if end = at + 1; end < len(text) && text[end] == '?' {
			end++
		}
	}
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:], true
}

func parsePart(token string) (part, error) {
	p := part{max: -1}
	if rest, ok := strings.CutSuffix(token, "?"); ok {
		token, p.optional = rest, true
	}
	switch {
	case token[0] == '(':
		p.phrases = phrasesOf(token[1 : len(token)-1])
	case token[0] != '<':
		p.phrases = phrasesOf(token)
	default:
		return p.slot(strings.TrimSuffix(token[1:], ">"))
	}
	return p, nil
}

// slot reads what stands between < and >.
func (p part) slot(text string) (part, error) {
	if name, words, ok := strings.Cut(text, ":"); ok {
		p.name, words = name, strings.TrimSpace(words)
		if list, ok := strings.CutPrefix(words, "@"); ok {
			p.list = lists()[list]
			if p.list == nil {
				return p, fmt.Errorf("there is no list %q", list)
			}
			return p, nil
		}
		p.phrases = phrasesOf(words)
		return p, nil
	}
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return p, fmt.Errorf("a slot needs a name")
	}
	p.name, p.reader = fields[0], "whole"
	for _, f := range fields[1:] {
		low, high, bounds := strings.Cut(f, "..")
		if !bounds {
			p.reader = f
			continue
		}
		var err, err2 error
		p.min, err = strconv.ParseInt(low, 10, 64)
		p.max, err2 = strconv.ParseInt(high, 10, 64)
		if err != nil || err2 != nil || p.min > p.max {
			return p, fmt.Errorf("%q is no range", f)
		}
	}
	switch p.reader {
	case "whole", "any", "pair", "digit":
		return p, nil
	}
	return p, fmt.Errorf("numbers are read as whole, any, pair or digit, not as %q", p.reader)
}

func phrasesOf(text string) [][]string {
	var out [][]string
	for _, phrase := range strings.Split(text, "|") {
		out = append(out, strings.Fields(phrase))
	}
	return out
}

// parseWrite reads the text to write.
func (f *form) parseWrite(text string) error {
	for text != "" {
		before, rest, ok := strings.Cut(text, "{")
		if before != "" {
			f.write = append(f.write, piece{text: before})
		}
		if !ok {
			return nil
		}
		slot, after, ok := strings.Cut(rest, "}")
		if !ok {
			return fmt.Errorf("a brace is not closed")
		}
		name, as, _ := strings.Cut(slot, ":")
		known := false
		for _, p := range f.parts {
			known = known || p.name == name && name != ""
		}
		if !known || as != "" && as != "roman" && as != "upper" && as != "lower" && as != "dose" {
			return fmt.Errorf("{%s} names nothing that is read", slot)
		}
		f.write = append(f.write, piece{name: name, as: as})
		text = after
	}
	return nil
}
