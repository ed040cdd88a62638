package numbers

import (
	"strings"
	"sync"
)

// kind says how the number before a unit is written.
type kind int

const (
	dose    kind = iota // mg, mL, units: no trailing zero, thousands separated
	measure             // cm, mmHg, mg/dL: figures as said
	count               // weeks, tablets: the word stays, the number is written in figures
	span                // week, day: like count, and "two week history" is hyphenated
	percent             // joined to the number
)

// unit is a unit's short form and kind.
type unit struct {
	text string
	kind kind
}

// saidUnit is a unit as it is said, word by word.
type saidUnit struct {
	words []string
	unit  unit
}

// unitTable is data/units.yaml, by what is said and written.
type unitTable struct {
	said  map[string][]saidUnit // by first word
	short map[string]unit
}

var units = sync.OnceValue(func() unitTable {
	var entries []struct {
		Write string   `yaml:"write"`
		Kind  string   `yaml:"kind"`
		Said  []string `yaml:"said"`
		Short []string `yaml:"short"`
	}
	mustDecode("data/units.yaml", &entries)
	t := unitTable{said: map[string][]saidUnit{}, short: map[string]unit{}}
	for _, e := range entries {
		kind, ok := map[string]kind{"dose": dose, "measure": measure, "percent": percent}[e.Kind]
		if !ok {
			panic("unit " + e.Write + " has no kind")
		}
		u := unit{e.Write, kind}
		for _, said := range e.Said {
			words := strings.Fields(said)
			t.said[words[0]] = append(t.said[words[0]], saidUnit{words, u})
		}
		for _, short := range e.Short {
			t.short[short] = u
		}
	}
	return t
})

// shortUnit reads a unit already written short: "mg", "mg/dL", "mcg/kg/min".
func shortUnit(w string) (unit, bool) {
	t := units()
	if u, ok := t.short[w]; ok {
		return u, true
	}
	first, rest, compound := strings.Cut(w, "/")
	if !compound {
		return unit{}, false
	}
	u, ok := t.short[first]
	if said := t.said[first]; !ok && len(said) > 0 && len(said[len(said)-1].words) == 1 {
		u, ok = said[len(said)-1].unit, true
	}
	if !ok || u.kind == percent {
		return unit{}, false
	}
	for _, part := range strings.Split(rest, "/") {
		divisor, known := nouns().divisors[part]
		if !known {
			return unit{}, false
		}
		u = u.per(divisor)
	}
	return u, true
}

// per divides a unit. A concentration is a measure, except that of a drug in a syringe.
func (u unit) per(divisor string) unit {
	drug := u.kind == dose && divisor == "mL" && (u.text == "mg" || u.text == "units")
	switch divisor {
	case "hour", "day", "min", "dose", "kg":
	default:
		if !drug {
			u.kind = measure
		}
	}
	u.text += "/" + divisor
	return u
}

// unitAt reads the unit at atom i, with what follows "per".
func (s *scan) unitAt(i int) (unit, int, bool) {
	u, next, ok := s.simpleUnit(i)
	if !ok || u.kind == count || u.kind == span || u.kind == percent {
		return u, next, ok
	}
	if u.text == "units" || u.text == "international units" {
		return u, next, true // "per" stays a word: a slash after units has been read as a 1
	}
	for {
		at := next + 1
		switch {
		case s.is(next, "per", "/"):
		case s.is(next, "a", "an") && s.is(next+1, "hour", "minute", "day", "kilo", "kilogram") && u.kind == dose:
		default:
			return u, next, true
		}
		divisor, known := nouns().divisors[s.at(at)]
		if !known || !s.open(next) {
			return u, next, true
		}
		u, next = u.per(divisor), at+1
	}
}

func (s *scan) simpleUnit(i int) (unit, int, bool) {
	if i >= len(s.atoms) || i > 0 && !s.open(i-1) {
		return unit{}, i, false
	}
	w := s.at(i)
	best, length := unit{}, 0
	for _, u := range units().said[w] {
		if len(u.words) > length && s.phrase(i, u.words) {
			best, length = u.unit, len(u.words)
		}
	}
	if length > 0 {
		return best, i + length, true
	}
	if u, ok := shortUnit(w); ok {
		if w == "ms" && s.atoms[i].raw != "ms" { // "MS" may be a drug or a disease
			return unit{}, i, false
		}
		return u, i + 1, true
	}
	if nouns().spans[w] {
		return unit{s.atoms[i].raw, span}, i + 1, true
	}
	if nouns().counted[w] {
		return unit{s.atoms[i].raw, count}, i + 1, true
	}
	return unit{}, i, false
}

// startsUnit says that a word can begin a unit's name.
func startsUnit(w string) bool {
	if len(units().said[w]) > 0 {
		return true
	}
	_, ok := shortUnit(w)
	return ok
}

// with puts a number and its unit together in the scan's style. Results keep their trailing zero.
func (s *scan) with(n number, u unit, lab bool) string {
	text := s.amount(n, u, lab)
	if u.kind == percent {
		return text + "%"
	}
	if u.kind == count || u.kind == span {
		return text + " " + u.text
	}
	plain := n.text
	if u.kind == dose {
		plain = withoutTrailingZero(plain)
	}
	name := s.style.Unit(u.text, plain+n.tail)
	if plain == "1" && n.tail == "" && (u.text == "units" || u.text == "international units") {
		name = strings.TrimSuffix(name, "s")
	}
	return text + " " + name
}

// amount writes the number before a unit.
func (s *scan) amount(n number, u unit, lab bool) string {
	text := n.text
	if u.kind == dose && !lab {
		text = withoutTrailingZero(text)
	}
	grouped := u.kind == dose || u.text == "hours" // 1000 hours is ten o'clock
	return s.style.Number(text, grouped) + n.tail
}

// withoutTrailingZero writes 5.0 as 5 and 2.50 as 2.5: a missed point must not multiply a dose by ten.
func withoutTrailingZero(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
