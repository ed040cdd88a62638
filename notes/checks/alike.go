package checks

import (
	"slices"
	"strings"

	"vesper/internal/lexicon"
)

const (
	unsureDrug = 0.5  // confidence under which a name of a confusable drug is asked about
	soundsLike = 0.45 // distance by sound from which two names are confused by the eye only
)

// soundAlikes finds drugs that are taken for another one, where something speaks for the other: the engine was unsure, the
// record lists it and not this one, or the dose is usual for it and not for this one.
func soundAlikes(r *reader) []Finding {
	doseOf := map[int]given{}
	for _, g := range r.given() {
		doseOf[g.drug] = g
	}
	var out []Finding
	seen := map[string]bool{}
	for i, w := range r.words {
		t, ok := r.drugs[i]
		if !ok || seen[strings.ToLower(t.Text)] {
			continue
		}
		for _, other := range lexicon.Confused(t.Text) {
			why := r.speaksFor(other, t.Text, i, doseOf)
			if why == "" {
				continue
			}
			seen[strings.ToLower(t.Text)] = true
			out = append(out, r.find(SoundAlike, true, i, i+1, "“"+w.text+"” is often taken for “"+other+"”, and "+why+". Listen to it."))
			break
		}
	}
	return out
}

// speaksFor says what speaks for the other drug, "" for nothing.
func (r *reader) speaksFor(other, named string, i int, doseOf map[int]given) string {
	if g, ok := doseOf[i]; ok && unfit(g, named) && fits(g, other) && !otherUnit(g, named) {
		return "the dose is usual for " + other + ", not for " + named
	}
	if r.listed(other) && !r.listed(named) && !r.mentions(other) && !r.has(i, stopsOrStarts) && len(r.note.Patient.Drugs) > 0 {
		return other + " is on the patient's list, " + named + " is not"
	}
	if r.sure(r.place(i, i+1)) < unsureDrug && lexicon.Distance(named, other) <= soundsLike {
		return "the engine was unsure of it"
	}
	return ""
}

// stopsOrStarts are words that explain why a drug is not on the list.
var stopsOrStarts = set("start started starting begin began initiate initiated add added adding switch switched switching change changed trial " +
	"prescribe prescribed new tried failed stopped stop discontinue discontinued allergic allergy avoid given received previously will")

func unfit(g given, name string) bool {
	g.name = name
	usual := usualIn(g)
	return len(usual) > 0 && !composed(usual, g.amount) && (g.amount > 2*usual[len(usual)-1] || g.amount < usual[0]/2)
}

// otherUnit says that the number is usual for the drug in another unit, so that the unit is the doubt and not the name.
func otherUnit(g given, name string) bool {
	return slices.ContainsFunc(lexicon.UsualStrengths(name), func(s lexicon.Strength) bool { return s.Unit != g.unit && near(s.Amounts, g.amount) })
}

func fits(g given, name string) bool {
	g.name = name
	return near(usualIn(g), g.amount)
}

func (r *reader) listed(name string) bool {
	return slices.ContainsFunc(r.note.Patient.Drugs, func(d string) bool { return strings.EqualFold(d, name) })
}

func (r *reader) mentions(name string) bool {
	for _, t := range r.drugs {
		if strings.EqualFold(t.Text, name) {
			return true
		}
	}
	return false
}
