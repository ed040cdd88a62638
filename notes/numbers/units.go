package numbers

import "strings"

// class says how the number before a unit is written.
type class int

const (
	dose    class = iota // mg, mL, units: no trailing zero, thousands separated
	measure              // cm, mmHg, mg/dL: digits as said
	count                // weeks, tablets: the word stays, the number becomes digits
	span                 // weeks, days: like count, and "two week history" is hyphenated
	percent              // joined to the number
)

// unit is how a unit is written.
type unit struct {
	text  string
	class class
}

// spokenUnits are the units as they are said, longest first at each starting word.
var spokenUnits = []struct {
	said string
	unit unit
}{
	{"international units", unit{"international units", dose}},
	{"international unit", unit{"international units", dose}},
	{"milligrams", unit{"mg", dose}},
	{"milligram", unit{"mg", dose}},
	{"micrograms", unit{"mcg", dose}},
	{"microgram", unit{"mcg", dose}},
	{"nanograms", unit{"ng", dose}},
	{"nanogram", unit{"ng", dose}},
	{"picograms", unit{"pg", dose}},
	{"picogram", unit{"pg", dose}},
	{"grams", unit{"g", dose}},
	{"gram", unit{"g", dose}},
	{"kilograms", unit{"kg", measure}},
	{"kilogram", unit{"kg", measure}},
	{"kilos", unit{"kg", measure}},
	{"milliliters", unit{"mL", dose}},
	{"milliliter", unit{"mL", dose}},
	{"millilitres", unit{"mL", dose}},
	{"millilitre", unit{"mL", dose}},
	{"cc", unit{"mL", dose}},
	{"ccs", unit{"mL", dose}},
	{"deciliters", unit{"dL", measure}},
	{"deciliter", unit{"dL", measure}},
	{"liters", unit{"L", measure}},
	{"liter", unit{"L", measure}},
	{"litres", unit{"L", measure}},
	{"litre", unit{"L", measure}},
	{"milliequivalents", unit{"mEq", dose}},
	{"milliequivalent", unit{"mEq", dose}},
	{"millimoles", unit{"mmol", dose}},
	{"millimole", unit{"mmol", dose}},
	{"micromoles", unit{"micromol", measure}},
	{"units", unit{"units", dose}},
	{"unit", unit{"units", dose}},
	{"millimeters of mercury", unit{"mmHg", measure}},
	{"centimeters of water", unit{"cmH2O", measure}},
	{"millimeters", unit{"mm", measure}},
	{"millimeter", unit{"mm", measure}},
	{"millimetres", unit{"mm", measure}},
	{"millimetre", unit{"mm", measure}},
	{"centimeters", unit{"cm", measure}},
	{"centimeter", unit{"cm", measure}},
	{"centimetres", unit{"cm", measure}},
	{"centimetre", unit{"cm", measure}},
	{"meters", unit{"m", measure}},
	{"meter", unit{"m", measure}},
	{"millivolts", unit{"mV", measure}},
	{"joules", unit{"J", measure}},
	{"gray", unit{"Gy", measure}},
	{"milliseconds", unit{"ms", measure}},
	{"millisecond", unit{"ms", measure}},
	{"degrees fahrenheit", unit{"°F", measure}},
	{"degrees celsius", unit{"°C", measure}},
	{"degrees centigrade", unit{"°C", measure}},
	{"degrees", unit{"degrees", count}},
	{"degree", unit{"degree", count}},
	{"percent", unit{"%", percent}},
	{"per cent", unit{"%", percent}},
	{"percent sign", unit{"%", percent}},
}

// writtenUnits are units already written short, by lower case; engines vary their case and use unsafe ones.
var writtenUnits = map[string]unit{
	"mg": {"mg", dose}, "mgs": {"mg", dose}, "mcg": {"mcg", dose}, "mcgs": {"mcg", dose}, "ug": {"mcg", dose},
	"µg": {"mcg", dose}, "μg": {"mcg", dose}, "ng": {"ng", dose}, "pg": {"pg", dose}, "g": {"g", dose}, "gm": {"g", dose},
	"gms": {"g", dose}, "kg": {"kg", measure}, "kgs": {"kg", measure}, "ml": {"mL", dose}, "mls": {"mL", dose},
	"cc": {"mL", dose}, "ccs": {"mL", dose}, "dl": {"dL", measure}, "l": {"L", measure}, "meq": {"mEq", dose},
	"mmol": {"mmol", dose}, "u": {"units", dose}, "iu": {"international units", dose}, "mmhg": {"mmHg", measure},
	"cmh2o": {"cmH2O", measure}, "mm": {"mm", measure}, "cm": {"cm", measure}, "cms": {"cm", measure},
	"mg/dl": {"mg/dL", measure}, "g/dl": {"g/dL", measure}, "mcg/dl": {"mcg/dL", measure}, "ng/ml": {"ng/mL", measure},
	"pg/ml": {"pg/mL", measure}, "ng/dl": {"ng/dL", measure}, "meq/l": {"mEq/L", measure}, "mmol/l": {"mmol/L", measure},
	"mg/kg": {"mg/kg", dose}, "mcg/kg": {"mcg/kg", dose}, "mg/ml": {"mg/mL", dose}, "units/ml": {"units/mL", dose},
	"mg/kg/day": {"mg/kg/day", dose}, "mcg/kg/min": {"mcg/kg/min", dose}, "mg/hour": {"mg/hour", dose},
	"ml/hour": {"mL/hour", dose}, "mg/hr": {"mg/hour", dose}, "mg/h": {"mg/hour", dose}, "ml/hr": {"mL/hour", dose},
	"ml/h": {"mL/hour", dose}, "mg/day": {"mg/day", dose}, "l/min": {"L/min", measure}, "kg/m2": {"kg/m2", measure},
	"%": {"%", percent}, "°f": {"°F", measure}, "°c": {"°C", measure}, "ms": {"ms", measure},
}

// divisors are what may follow "per", as written after the slash.
var divisors = map[string]string{
	"deciliter": "dL", "liter": "L", "litre": "L", "milliliter": "mL", "millilitre": "mL", "kilogram": "kg", "kilo": "kg",
	"minute": "min", "hour": "hour", "day": "day", "dose": "dose", "dl": "dL", "l": "L", "ml": "mL", "kg": "kg", "min": "min",
}

// spans and counted are nouns that are counted: the number before them is written in digits, the noun stays as said.
var (
	spans   = set("year month week day hour minute")
	counted = set("years months weeks days hours minutes seconds tablet tablets tab tabs capsule capsules cap caps puff puffs " +
		"drop drops pill pills spray sprays times dose doses pack packs beats breaths inches inch feet foot pounds pound " +
		"ounces ounce refill refills pillows episodes cigarettes drinks beers vials sutures stitches patches injections " +
		"pack-year pack-years lb lbs bpm mets joules ampules flights blocks weeks' days' months' years'")
)

var unitStarts = func() map[string][]int {
	starts := map[string][]int{}
	for i, u := range spokenUnits {
		first := strings.Fields(u.said)[0]
		starts[first] = append(starts[first], i)
	}
	return starts
}()

// unitAt reads the unit at atom i, with what follows "per".
func (s *scan) unitAt(i int) (unit, int, bool) {
	u, next, ok := s.simpleUnit(i)
	if !ok || u.class == count || u.class == span || u.class == percent {
		return u, next, ok
	}
	for s.is(next, "per", "/") && u.text != "units" && u.text != "international units" {
		divisor, known := divisors[s.at(next+1)]
		if !known || !s.open(next) {
			break
		}
		u.text, next = u.text+"/"+divisor, next+2
		if divisor != "hour" && divisor != "day" && divisor != "min" && divisor != "dose" && divisor != "kg" {
			u.class = measure
		}
	}
	return u, next, true
}

func (s *scan) simpleUnit(i int) (unit, int, bool) {
	if i >= len(s.atoms) || !s.open(i-1) {
		return unit{}, i, false
	}
	best, bestLen := unit{}, 0
	for _, k := range unitStarts[s.at(i)] {
		if words := strings.Fields(spokenUnits[k].said); len(words) > bestLen && s.phrase(i, words) {
			best, bestLen = spokenUnits[k].unit, len(words)
		}
	}
	if bestLen > 0 {
		return best, i + bestLen, true
	}
	if u, ok := writtenUnits[s.at(i)]; ok {
		if s.at(i) == "ms" && s.atoms[i].raw != "ms" { // "MS" may be a drug or a disease
			return unit{}, i, false
		}
		return u, i + 1, true
	}
	if spans[s.at(i)] {
		return unit{s.atoms[i].raw, span}, i + 1, true
	}
	if counted[s.at(i)] {
		return unit{s.atoms[i].raw, count}, i + 1, true
	}
	return unit{}, i, false
}

// written puts number and unit together.
func (u unit) written(n number, lab bool) string {
	text := n.text
	if u.class == dose && !lab {
		text = withoutTrailingZero(text)
	}
	if u.class == dose {
		text = separated(text, 1000)
	} else {
		text = separated(text, 10000)
	}
	if u.class == percent {
		return text + "%"
	}
	return text + " " + u.text
}

// withoutTrailingZero writes 5.0 as 5 and 2.50 as 2.5: a missed point must not multiply a dose by ten.
func withoutTrailingZero(text string) string {
	if !strings.Contains(text, ".") {
		return text
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// separated puts commas between thousands from the given size on.
func separated(text string, from int) string {
	whole, rest, point := strings.Cut(text, ".")
	if len(whole) < 4 || (from >= 10000 && len(whole) < 5) {
		return text
	}
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if point {
		b.WriteString("." + rest)
	}
	return b.String()
}
