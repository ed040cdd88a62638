package notes

import (
	"slices"
	"strings"
	"time"

	"vesper/notes/checks"
)

// Patient is what is known of the patient whom a note is bound to; see checks.Patient.
type Patient = checks.Patient

// The kinds of flag that the checks of the whole note raise.
const (
	FlagSide         FlagKind = checks.Side         // left in one place, right in another
	FlagSex          FlagKind = checks.Sex          // sex, pronouns and organs do not fit together
	FlagAge          FlagKind = checks.Age          // two ages, or one that the birth date cannot give
	FlagAllergy      FlagKind = checks.Allergy      // no known allergies against a named one; a drug in spite of one
	FlagStopped      FlagKind = checks.Stopped      // a drug that is stopped and goes on
	FlagDose         FlagKind = checks.Dose         // far from the usual strengths, or in a unit the drug does not come in
	FlagSoundAlike   FlagKind = checks.SoundAlike   // a drug that is taken for another one, with something that speaks for it
	FlagIdentity     FlagKind = checks.Identity     // another name, birth date or record number than the patient's
	FlagAbbreviation FlagKind = checks.Abbreviation // writing that is misread: QD, U, 1.0 mg
)

// FlagKinds lists every kind of flag.
func FlagKinds() []FlagKind {
	return append([]FlagKind{
		FlagReading, FlagUnreliable, FlagLowConfidence, FlagNumber, FlagDrug, FlagStruck, FlagScratched, FlagHeading,
		FlagMissingSection, FlagStatement, FlagMore, FlagTextBlock, FlagCorrection, FlagRequest, FlagRepair, FlagUnknown,
	}, checks.Kinds()...)
}

// checkFlags are the findings about a document as flags with the recording under them.
func checkFlags(d Document, patient Patient, dictated time.Time) []Flag {
	note := checks.Note{Patient: patient, Dictated: dictated}
	for _, s := range d.Sections {
		note.Sections = append(note.Sections, checks.Section{Key: s.Key, Text: s.Text()})
	}
	note.Sure = func(section, from, to int) float64 { return sureOf(d.Sections[section], from, to) }
	var out []Flag
	for _, f := range checks.Run(note) {
		severity := Notice
		if f.Critical {
			severity = Critical
		}
		at := Origin(d.Sections[f.At.Section], f.At.From, f.At.To)
		flag := Flag{
			Kind: f.Kind, Severity: severity, Section: d.Sections[f.At.Section].Key, Text: f.Text, Start: at.Start, End: at.End, Detail: f.Detail,
		}
		for _, p := range f.Also {
			if o := Origin(d.Sections[p.Section], p.From, p.To); o.End > 0 {
				flag.Also = append(flag.Also, Span{o.Start, o.End})
			}
		}
		out = append(out, newFlag(flag))
	}
	return distinct(out)
}

// sureOf is the engine's lowest confidence in the bytes from…to of a section; what a person wrote is sure, and what was put
// right has a flag of its own.
func sureOf(s Section, from, to int) float64 {
	sure, at := 1.0, 0
	for _, r := range s.Runs {
		begin, end := at, at+len(r.Text)
		at = end
		if end > from && begin < to && r.Source.Kind == FromSpeech && r.Source.Rule != ruleRepair && !strings.HasPrefix(r.Source.Rule, ruleLearned) {
			sure = min(sure, r.Source.Confidence)
		}
	}
	return sure
}

// withChecks adds the findings about a whole draft. A word that the engine was unsure of needs no flag of its own where a
// finding already makes a person listen to it.
func withChecks(d Document, opts Options) Document {
	found := checkFlags(d, opts.Patient, opts.Dictated)
	covers := slices.DeleteFunc(slices.Clone(found), func(f Flag) bool { return f.Kind != FlagDose && f.Kind != FlagSoundAlike })
	d.Flags = slices.DeleteFunc(d.Flags, func(f Flag) bool {
		return (f.Kind == FlagLowConfidence || f.Kind == FlagDrug) && overlapsFlag(covers, f.Start, f.End)
	})
	d.Flags = distinct(append(d.Flags, found...))
	return d
}

// recheck looks at a version that a person saved. Contradictions that the edit settled count as settled by it, and new
// ones are flagged. What only the patient's record contradicts stays open until its words change or somebody settles it.
func recheck(prev, next Document, by string, at time.Time) []Flag {
	before, now := checkFlags(prev, Patient{}, time.Time{}), checkFlags(next, Patient{}, time.Time{})
	known := map[string]bool{}
	for i, f := range next.Flags {
		known[f.ID] = true
		for _, folded := range f.More {
			known[folded.ID] = true
		}
		if f.Settled == nil && hasFlag(before, f.ID) && !hasFlag(now, f.ID) {
			next.Flags[i].Settled = &Settlement{By: by, At: at, How: "edited"}
		}
	}
	for _, f := range now {
		if !known[f.ID] {
			next.Flags = append(next.Flags, f)
		}
	}
	return next.Flags
}

func hasFlag(flags []Flag, id string) bool {
	return slices.ContainsFunc(flags, func(f Flag) bool { return f.ID == id })
}
