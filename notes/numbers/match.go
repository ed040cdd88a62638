package numbers

import (
	"strconv"
	"strings"
)

// captured is what a part of a form read.
type captured struct {
	name     string
	from, to int
	number   number
	isNumber bool
}

// match reads the form at atom i.
func (f *form) match(s *scan, i int) (match, bool) {
	if !f.parts[0].mayStart(s, i) {
		return match{}, false
	}
	caught, next, ok := f.from(s, i, i, 0, s.caught[:0])
	if !ok || next == i {
		return match{}, false
	}
	return match{to: next, text: f.text(s, caught)}, true
}

// mayStart is a quick look that spares the work for most words.
func (p *part) mayStart(s *scan, i int) bool {
	if p.optional {
		return true
	}
	w := s.atoms[i].s
	switch {
	case p.reader != "":
		return s.numberStart(i)
	case p.list != nil:
		return p.list[w]
	}
	for _, phrase := range p.phrases {
		if phrase[0] == w {
			return true
		}
	}
	return false
}

// from reads the parts from k on at atom i; start is the first atom of the form. Optional parts are tried first.
func (f *form) from(s *scan, start, i, k int, caught []captured) ([]captured, int, bool) {
	if k == len(f.parts) {
		return caught, i, true
	}
	p := &f.parts[k]
	if i > start && !s.open(i-1) {
		return f.without(s, start, i, k, caught)
	}
	if p.reader != "" {
		if n, ok := p.number(s, i); ok {
			got, next, ok := f.from(s, start, n.next, k+1, append(caught, captured{p.name, i, n.next, n, true}))
			if ok {
				return got, next, true
			}
		}
		return f.without(s, start, i, k, caught)
	}
	if p.list != nil && i < len(s.atoms) && p.list[s.atoms[i].s] {
		if got, next, ok := f.from(s, start, i+1, k+1, append(caught, captured{name: p.name, from: i, to: i + 1})); ok {
			return got, next, true
		}
	}
	for _, phrase := range p.phrases {
		if !s.phrase(i, phrase) {
			continue
		}
		to := i + len(phrase)
		if got, next, ok := f.from(s, start, to, k+1, append(caught, captured{name: p.name, from: i, to: to})); ok {
			return got, next, true
		}
	}
	return f.without(s, start, i, k, caught)
}

// without goes on after an optional part that is not there.
func (f *form) without(s *scan, start, i, k int, caught []captured) ([]captured, int, bool) {
	if !f.parts[k].optional {
		return nil, 0, false
	}
	return f.from(s, start, i, k+1, caught)
}

// number reads the number of a part within its bounds.
func (p *part) number(s *scan, i int) (number, bool) {
	var n number
	var ok bool
	switch p.reader {
	case "digit":
		var d byte
		if d, ok = s.digit(i); ok {
			n = number{text: string(d), value: int64(d - '0'), whole: true, next: i + 1, said: true}
		}
	case "pair":
		n, ok = s.clinical(i)
	default:
		if n, ok = s.leadingPoint(i); !ok {
			n, ok = s.plain(i)
		}
	}
	switch {
	case !ok || p.reader == "whole" && !n.whole:
		return n, false
	case p.max < 0:
		return n, true
	}
	if n.whole {
		return n, n.value >= p.min && n.value <= p.max
	}
	v, err := strconv.ParseFloat(n.text, 64)
	return n, err == nil && v >= float64(p.min) && v <= float64(p.max)
}

// text writes what was read.
func (f *form) text(s *scan, caught []captured) string {
	var b strings.Builder
	for _, w := range f.write {
		if w.name == "" {
			b.WriteString(w.text)
			continue
		}
		for _, c := range caught {
			if c.name == w.name {
				b.WriteString(s.write(c, w.as))
			}
		}
	}
	return b.String()
}

// write is a number or words in one of the ways of writing.
func (s *scan) write(c captured, as string) string {
	if c.isNumber {
		switch {
		case as == "roman" && c.number.value >= 0 && c.number.value < int64(len(romans)):
			return romans[c.number.value]
		case as == "dose":
			return s.style.Number(withoutTrailingZero(c.number.text), true)
		}
		return s.style.Number(c.number.text, false)
	}
	words := make([]string, 0, c.to-c.from)
	for i := c.from; i < c.to; i++ {
		words = append(words, s.atoms[i].raw)
	}
	text := strings.Join(words, " ")
	switch as {
	case "upper":
		return strings.ToUpper(text)
	case "lower":
		return strings.ToLower(text)
	}
	return text
}
