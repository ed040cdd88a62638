package checks

import (
	_ "embed" // for the list
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"vesper/internal/lexicon"
)

// given is a drug with a dose as the note writes it.
type given struct {
	drug     int // word
	name     string
	from, to int // words of the dose
	amount   float64
	unit     string // mg, mcg, g, mEq, units
}

//go:embed data/units.txt
var unitsText string

// inUnits are drugs that are dosed in units; see units.txt.
var inUnits = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(unitsText) {
		if !strings.HasPrefix(line, "#") {
			for name := range strings.FieldsSeq(line) {
				m[strings.ToLower(name)] = true
			}
		}
	}
	return m
})

var (
	amountForm = regexp.MustCompile(`^(\d{1,3}(?:,\d{3})+|\d*\.?\d+)$`)
	joinedForm = regexp.MustCompile(`^(\d{1,3}(?:,\d{3})+|\d*\.?\d+)(mg|mcg|g|units)$`)
	unitNames  = map[string]string{"mg": "mg", "mcg": "mcg", "g": "g", "meq": "mEq", "units": "units", "milligrams": "mg", "micrograms": "mcg", "grams": "g", "milligram": "mg", "microgram": "mcg", "gram": "g", "unit": "units"}
	toMg       = map[string]float64{"mg": 1, "mcg": 0.001, "g": 1000}

	// beforeDose are words between a drug and its dose.
	beforeDose = set("at to of from dose dosed tablet tablets tab tabs capsule capsules er xr sr xl cr dr ir succinate tartrate hydrochloride hcl sodium " +
		"potassium calcium besylate maleate mesylate extended release immediate extended-release delayed-release oral po iv intravenous intravenously " +
		"im a an one two the patch injection her his current currently takes taking is was up down now on 1 2 by mouth with dosage mononitrate " +
		"hyclate citrate oxalate phosphate sulfate chewable baby low-dose low")
	// otherDoses are words after which a dose is not a single one.
	otherDoses = set("total maximum max cumulative daily/total level concentration infusion drip per mg/kg loading overdose overdosed ingested bottle refill pump " +
		"over course lifetime month-supply ml patch vial bag each")
)

// doses finds doses ten times off the usual ones, in a unit that the drug does not come in, and numbers of which only the
// other one of a pair like 15 and 50 is usual.
func doses(r *reader) []Finding {
	var out []Finding
	for _, g := range r.given() {
		if f, ok := r.doseOff(g); ok {
			out = append(out, f)
		}
	}
	return out
}

// given lists the drugs with doses.
func (r *reader) given() []given {
	var out []given
	for i := range r.words {
		t, ok := r.drugs[i]
		if !ok {
			continue
		}
		for j := i + 1; j <= i+5 && r.in(i, j) && r.words[j].clause == r.words[i].clause; j++ {
			if g, ok := r.doseAt(j); ok {
				g.drug, g.name = i, t.Text
				out = append(out, g)
				break
			}
			if _, other := r.drugs[j]; other || !beforeDose[r.key(j)] && !amountForm.MatchString(r.key(j)) {
				break
			}
		}
	}
	return out
}

// doseAt reads "40 mg" at word j. Doses by weight, by time or in a volume are not single doses.
func (r *reader) doseAt(j int) (given, bool) {
	g := given{from: j, to: j + 2}
	number, unit := r.key(j), ""
	if m := joinedForm.FindStringSubmatch(number); m != nil {
		number, unit, g.to = m[1], m[2], j+1
	} else if r.joined(j) {
		unit = unitNames[r.key(j+1)]
	}
	if unit == "" || !amountForm.MatchString(number) {
		return g, false
	}
	amount, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	if err != nil || amount <= 0 {
		return g, false
	}
	if k := r.key(g.to); r.joined(g.to-1) && (otherDoses[k] || k == "a" && r.key(g.to+1) == "day") || otherDoses[r.key(j-1)] {
		return g, false
	}
	g.amount, g.unit = amount, unit
	return g, true
}

// doseOff judges a dose against the usual ones.
func (r *reader) doseOff(g given) (Finding, bool) {
	text := r.text(r.place(g.drug, g.to))
	name := r.words[g.drug].text
	if inUnits()[strings.ToLower(name)] {
		if g.unit == "mg" || g.unit == "mcg" || g.unit == "g" {
			return r.find(Dose, true, g.drug, g.to, "“"+text+"”: "+name+" is dosed in units, not in "+g.unit+". Listen to it."), true
		}
		return Finding{}, false
	}
	usual := usualIn(g)
	if len(usual) == 0 {
		if g.unit == "units" && len(lexicon.UsualStrengths(g.name)) > 0 {
			return r.find(Dose, true, g.drug, g.to, "“"+text+"”: "+name+" is not dosed in units. Listen to it."), true
		}
		return Finding{}, false
	}
	low, high := usual[0], usual[len(usual)-1]
	switch {
	case g.amount >= 9*high || g.amount <= low/9:
		return r.find(Dose, true, g.drug, g.to, "“"+text+"” is far from the usual strengths of "+name+", "+amounts(usual, g.unit)+
			". The number or the unit may be misheard."), true
	case g.amount > 2*high && near(usual, g.amount/10) || g.amount < low/2 && near(usual, g.amount*10):
		return r.find(Dose, true, g.drug, g.to, "“"+text+"” is ten times off a usual strength of "+name+", "+amounts(usual, g.unit)+
			". Listen to the number."), true
	}
	if twin, ok := twins[g.amount]; ok && near(usual, twin) && !composed(usual, g.amount) {
		return r.find(Dose, true, g.drug, g.to, fmt.Sprintf("“%s” is no usual strength of %s, but %s %s is, and the two sound alike. Listen to the number.",
			text, name, number(twin), g.unit)), true
	}
	return Finding{}, false
}

// twins are the numbers that sound like others.
var twins = map[float64]float64{
	13: 30, 14: 40, 15: 50, 16: 60, 17: 70, 18: 80, 19: 90, 30: 13, 40: 14, 50: 15, 60: 16, 70: 17, 80: 18, 90: 19,
	115: 150, 150: 115, 113: 130, 114: 140, 116: 160, 160: 116, 118: 180, 180: 118, 215: 250, 250: 215, 315: 350,
}

// usualIn lists the usual amounts in the unit of the dose, sorted.
func usualIn(g given) []float64 {
	var out []float64
	for _, s := range lexicon.UsualStrengths(g.name) {
		from, to := toMg[s.Unit], toMg[g.unit]
		switch {
		case s.Unit == g.unit:
			out = append(out, s.Amounts...)
		case from > 0 && to > 0:
			for _, a := range s.Amounts {
				out = append(out, a*from/to)
			}
		}
	}
	slices.Sort(out)
	return slices.CompactFunc(out, func(a, b float64) bool { return math.Abs(a-b) < 1e-9*b })
}

func near(usual []float64, amount float64) bool {
	return slices.ContainsFunc(usual, func(u float64) bool { return math.Abs(u-amount) <= 1e-6*u })
}

// TwinTold says that a dose is usual for a drug while the number that it sounds like (15 and 50) is not: the table speaks
// for what was heard.
func TwinTold(drug string, amount float64, unit string) bool {
	g := given{name: drug, amount: amount, unit: unitNames[strings.ToLower(unit)]}
	twin, ok := twins[amount]
	usual := usualIn(g)
	return ok && near(usual, amount) && !composed(usual, twin)
}

// Usual says whether a dose is a usual one of a drug, alone or two of it, and whether anything is known of the drug.
func Usual(drug string, amount float64, unit string) (usual, known bool) {
	amounts := usualIn(given{name: drug, amount: amount, unit: unitNames[strings.ToLower(unit)]})
	return composed(amounts, amount), len(amounts) > 0
}

// composed says that a dose is a usual one, one and a half, two of one, or two together.
func composed(usual []float64, amount float64) bool {
	for _, u := range usual {
		for _, times := range []float64{1, 1.5, 2} {
			if math.Abs(u*times-amount) <= 1e-6*amount {
				return true
			}
		}
		if amount <= usual[len(usual)-1] && near(usual, amount-u) {
			return true
		}
	}
	return false
}

func amounts(usual []float64, unit string) string {
	if len(usual) == 1 {
		return number(usual[0]) + " " + unit
	}
	return number(usual[0]) + " to " + number(usual[len(usual)-1]) + " " + unit
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
