// Package checks looks for contradictions and dangerous writing in the text of a note: sides that differ, pronouns and
// organs against the sex, two ages, an allergy where none is known, a drug both stopped and continued, doses far from the
// usual ones, drugs that are taken for each other, unsafe abbreviations, and a name, birth date or record number that are
// not the bound patient's. It reads text and returns places; it changes nothing and needs no service.
//
//	sections ──read──▶ words with sentence and place ──each check──▶ findings, in the order of the text
//
// The checks are made to be right when they speak: each one knows what looks like a contradiction and is none (a sister
// who is "she", a knee that was replaced years ago) and stays silent there.
package checks

import (
	"cmp"
	"slices"
	"time"
)

// The kinds of finding.
const (
	Side         = "side"
	Sex          = "sex"
	Age          = "age"
	Allergy      = "allergy"
	Stopped      = "drug_stopped"
	Dose         = "dose"
	SoundAlike   = "sound_alike"
	Identity     = "identity"
	Abbreviation = "unsafe_abbreviation"
)

// Kinds lists the kinds of finding.
func Kinds() []string {
	return []string{Side, Sex, Age, Allergy, Stopped, Dose, SoundAlike, Identity, Abbreviation}
}

// Section is one section of a note as text.
type Section struct {
	Key  string // "hpi", "plan"
	Text string
}

// Patient is what is known of the patient whom the note is bound to. Empty fields are not known and not compared.
type Patient struct {
	Name      string
	BirthDate string   // 2006-01-02
	Sex       string   // "male" or "female"; anything else is not compared
	MRN       string   // record number
	Allergies []string // as the record names them
	Drugs     []string // names of the drugs that the record lists
}

// Note is what is looked at.
type Note struct {
	Sections []Section
	Patient  Patient
	Dictated time.Time // for the age; zero when not known
	// Sure is the lowest confidence of the engine in a stretch of a section's text, 0…1; nil: nothing is known.
	Sure func(section, from, to int) float64
}

// Place is a stretch of a section's text in bytes.
type Place struct{ Section, From, To int }

// Finding is one thing that a person should look at.
type Finding struct {
	Kind     string
	Critical bool
	At       Place
	Also     []Place // what it contradicts
	Text     string  // the words at At
	Detail   string  // why, in plain words
}

// Run makes all checks and returns what they found, in the order of the text.
func Run(n Note) []Finding {
	r := read(n)
	var out []Finding
	for _, check := range []func(*reader) []Finding{
		sides, sexes, ages, allergies, stopped, doses, soundAlikes, identity, abbreviations,
	} {
		out = append(out, check(r)...)
	}
	all := slices.Clone(out)
	out = slices.DeleteFunc(out, func(f Finding) bool { // the drug that fits the dose better says it already
		return f.Kind == Dose && slices.ContainsFunc(all, func(o Finding) bool {
			return o.Kind == SoundAlike && o.At.Section == f.At.Section && o.At.From == f.At.From
		})
	})
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.At.Section, b.At.Section), cmp.Compare(a.At.From, b.At.From), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}
