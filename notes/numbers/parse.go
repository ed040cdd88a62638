package numbers

import (
	"strconv"
	"strings"
)

// partsOfOne are the fractions that follow a whole number, with their decimals.
var partsOfOne = []struct {
	words    []string
	decimals string
}{
	{strings.Fields("and a half"), "5"},
	{strings.Fields("and one half"), "5"},
	{strings.Fields("and a quarter"), "25"},
	{strings.Fields("and one quarter"), "25"},
	{strings.Fields("and three quarters"), "75"},
	{strings.Fields("and 1 / 2"), "5"},
	{strings.Fields("1 / 2"), "5"},
	{strings.Fields("1 / 4"), "25"},
	{strings.Fields("3 / 4"), "75"},
	{strings.Fields("½"), "5"},
	{strings.Fields("¼"), "25"},
	{strings.Fields("¾"), "75"},
}

// number is a number that was read: its figures, whether it is whole, and where it ends.
type number struct {
	text  string // plain figures: "1200", "98.6"
	tail  string // " million", which stays a word
	value int64  // of whole numbers
	whole bool
	next  int  // atom after it
	small bool // one of zero to nine, as a word
	said  bool // spoken words, not figures
	pair  bool // read as "one forty two"
}

// plain reads the number at atom i as grammar has it: figures, or "one hundred forty two point five", "two and a half".
func (s *scan) plain(i int) (number, bool) {
	if i < 0 || i >= len(s.atoms) || !s.atoms[i].starts {
		return number{}, false
	}
	if m := &s.plains[i]; m.done {
		return m.n, m.ok
	}
	n, ok := s.readPlain(i)
	s.plains[i] = memo{n, ok, true}
	return n, ok
}

func (s *scan) readPlain(i int) (number, bool) {
	n, ok := s.digits(i)
	if !ok {
		n, ok = s.cardinal(i)
	}
	if !ok {
		return number{}, false
	}
	n = s.fraction(n)
	if n.whole {
		if part, next := s.partOfOne(n); part != "" {
			n.text, n.whole, n.small, n.said, n.next = n.text+"."+part, false, false, true, next
		}
	}
	if s.is(n.next, "million", "thousand") && n.tail == "" && !n.whole {
		n.tail, n.next = " "+s.at(n.next), n.next+1
	}
	return n, true
}

// partOfOne reads what follows a whole number in "two and a half", "one and three quarters", "2 1/2": its decimals.
func (s *scan) partOfOne(n number) (string, int) {
	at := n.next
	for _, f := range partsOfOne {
		if s.open(at-1) && s.phrase(at, f.words) {
			return f.decimals, at + len(f.words)
		}
	}
	return "", n.next
}

// digits reads a number already written in figures; ".5" becomes "0.5".
func (s *scan) digits(i int) (number, bool) {
	if i < 0 || i >= len(s.atoms) || !s.atoms[i].isNumeral || len(s.atoms[i].s) > 15 {
		return number{}, false
	}
	text := s.style.Plain(s.atoms[i].s)
	if len(text) > 2 && text[0] == '0' && text[1] != '.' {
		return number{}, false // a record's or a telephone's
	}
	if strings.HasPrefix(text, ".") {
		return number{text: "0" + text, next: i + 1}, true
	}
	value, err := strconv.ParseInt(text, 10, 64)
	n := number{text: text, value: value, whole: err == nil, next: i + 1}
	if scale := scales[s.at(i+1)]; n.whole && s.open(i) && scale > 0 && value > 0 && value < 1000 {
		n.value *= scale
		n.text, n.next, n.said = strconv.FormatInt(n.value, 10), i+2, true
	}
	return n, true
}

// under100 reads zero to ninety-nine.
func (s *scan) under100(i int) (int64, int, bool) {
	w := s.at(i)
	if w == "zero" {
		return 0, i + 1, true
	}
	if v, ok := ones[w]; ok {
		return v, i + 1, true
	}
	if v, ok := teens[w]; ok {
		return v, i + 1, true
	}
	if v, ok := tens[w]; ok {
		if unit, ok := ones[s.at(i+1)]; ok && s.open(i) && !(unit == 1 && s.open(i+1) && lists()["one_of"][s.at(i+2)]) {
			return v + unit, i + 2, true
		}
		if o := ordinals[s.at(i+1)]; o > 0 && o < 10 && s.open(i) {
			return 0, i, false // "fifty eighth"
		}
		return v, i + 1, true
	}
	return 0, i, false
}

// under1000 reads up to "nine hundred and ninety nine", and "twelve hundred".
func (s *scan) under1000(i int) (int64, int, bool) {
	v, next, ok := s.under100(i)
	if !ok && s.at(i) == "a" && s.is(i+1, "hundred", "thousand") {
		v, next, ok = 1, i+1, true
	}
	if !ok || v == 0 || !s.is(next, "hundred") {
		return v, next, ok
	}
	v, next = v*100, next+1
	rest := next
	if s.is(rest, "and") {
		rest++
	}
	if s.open(rest - 1) {
		if low, after, ok := s.under100(rest); ok && low > 0 {
			return v + low, after, true
		}
	}
	return v, next, true
}

// cardinal reads a spoken whole number.
func (s *scan) cardinal(i int) (number, bool) {
	v, next, ok := s.under1000(i)
	if !ok {
		return number{}, false
	}
	for _, scale := range []struct {
		name string
		size int64
	}{{"million", 1000000}, {"thousand", 1000}} {
		if v == 0 || v%scale.size == 0 && v >= scale.size || !s.is(next, scale.name) {
			continue
		}
		v, next = v*scale.size, next+1
		rest := next
		if s.is(rest, "and") {
			rest++
		}
		if low, after, ok := s.under1000(rest); ok && s.open(rest-1) && low > 0 && low < scale.size {
			v, next = v+low, after
		}
	}
	return number{
		text: strconv.FormatInt(v, 10), value: v, whole: true, next: next, said: true,
		small: next == i+1 && v < 10,
	}, true
}

// fraction continues a whole number with "point two five".
func (s *scan) fraction(n number) number {
	if !n.whole || !s.is(n.next, "point") {
		return n
	}
	digits, next := s.decimals(n.next + 1)
	if digits == "" {
		return n
	}
	n.text, n.whole, n.small, n.said, n.next = n.text+"."+digits, false, false, true, next
	return n
}

// decimals reads the digits after "point": single digits, or one number of two digits.
func (s *scan) decimals(i int) (string, int) {
	var b strings.Builder
	next := i
	for s.open(next-1) && b.Len() < 4 {
		d, ok := s.digit(next)
		if !ok || b.Len() > 0 && s.countsAnew(next) {
			break
		}
		b.WriteByte(d)
		next++
	}
	if b.Len() > 0 {
		return b.String(), next
	}
	if !s.open(i - 1) {
		return "", i
	}
	if v, after, ok := s.under100(i); ok && v >= 10 {
		return strconv.FormatInt(v, 10), after
	}
	if i < len(s.atoms) && isDigits(s.atoms[i].s) && len(s.atoms[i].s) <= 4 {
		return s.atoms[i].s, i + 1
	}
	return "", i
}

// countsAnew says that a small number begins a count of its own after a decimal: "zero point one three times a day", "four
// point five two puffs".
func (s *scan) countsAnew(i int) bool {
	_, small := ones[s.at(i)]
	if s.is(i+1, "times") { // not the axis of a lens: "minus one point two five times ninety"
		return small && s.is(i+2, "a", "per", "daily", "weekly", "each", "every")
	}
	return small && s.open(i) && lists()["counted_anew"][s.at(i+1)]
}

// digit reads one spoken digit, with "oh" for zero.
func (s *scan) digit(i int) (byte, bool) {
	w := s.at(i)
	if v, ok := ones[w]; ok {
		return byte('0' + v), true
	}
	if w == "zero" || w == "oh" || w == "o" {
		return '0', true
	}
	if len(w) == 1 && w[0] >= '0' && w[0] <= '9' {
		return w[0], true
	}
	return 0, false
}

// paired reads hundreds as they are spoken in clinics: "one forty two", "one oh four", "two fifty".
func (s *scan) paired(i int) (number, bool) {
	hundreds, ok := ones[s.at(i)]
	if !ok || !s.open(i) {
		return number{}, false
	}
	n := number{whole: true, said: true, pair: true}
	switch {
	case s.is(i+1, "oh", "o"):
		unit, ok := ones[s.at(i+2)]
		if !ok || !s.open(i+1) {
			return number{}, false
		}
		n.value, n.next = hundreds*100+unit, i+3
	default:
		low, next, ok := s.under100(i + 1)
		if !ok && len(s.at(i+1)) == 2 && isDigits(s.at(i+1)) {
			low, _ = strconv.ParseInt(s.at(i+1), 10, 64)
			next, ok = i+2, true
		}
		if !ok || low < 10 {
			return number{}, false
		}
		n.value, n.next = hundreds*100+low, next
	}
	n.text = strconv.FormatInt(n.value, 10)
	return s.fraction(n), true
}

// clinical reads a number where the context says that one number stands there: paired where the words allow it.
func (s *scan) clinical(i int) (number, bool) {
	if n, ok := s.paired(i); ok && !s.is(n.next, "hundred") {
		if s.is(n.next, "thousand") && n.whole { // "platelets one eighty thousand"
			n.value, n.next, n.pair = n.value*1000, n.next+1, false
			n.text = strconv.FormatInt(n.value, 10)
		}
		return n, true
	}
	return s.plain(i)
}

// crowded says that another number follows directly, so that the words can be read in more than one way.
func (s *scan) crowded(n number) bool {
	if !s.open(n.next-1) || n.next >= len(s.atoms) {
		return false
	}
	if o := ordinals[s.at(n.next+1)]; tens[s.at(n.next)] > 0 && s.open(n.next) && o > 0 && o < 10 {
		return false
	}
	return s.numeric(n.next)
}

// leadingPoint reads "point two five", which is written with its zero; a unit or a label must show that it is a number.
func (s *scan) leadingPoint(i int) (number, bool) {
	if s.at(i) != "point" || !s.open(i) {
		return number{}, false
	}
	if before := s.at(i - 1); before == "point" || before == "this" || before == "that" || before == "the" || before == "one" || before == "a" {
		return number{}, false
	}
	digits, next := s.decimals(i + 1)
	if digits == "" {
		return number{}, false
	}
	return number{text: "0." + digits, next: next, said: true}, true
}
