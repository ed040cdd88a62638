package fhir

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
)

// What is expected of names that the lexicon does not have.
const (
	unknownWeight    = 0.5
	mostDrugWords    = 3
	mostProblemWords = 5
	longestName      = 60 // bytes
)

// drugTerms reduces an order's text to the names of drugs: "levothyroxine sodium 0.112 MG Oral Tablet [Synthroid]" to
// levothyroxine and Synthroid. Of an unknown drug the words before strength, form and salt are the name.
func drugTerms(l *lexicon.Lexicon, text string) []lexicon.Term {
	found := slices.DeleteFunc(l.Within(text), func(t lexicon.Term) bool { return !t.Kind.Drug() && t.Kind != lexicon.Class })
	if len(found) > 0 {
		return found
	}
	var name []string
	for _, w := range strings.Fields(text) {
		w = strings.Trim(w, ".,;:()[]")
		if len(name) == mostDrugWords || strings.ContainsFunc(w, unicode.IsDigit) || notName[strings.ToLower(w)] {
			break
		}
		name = append(name, w)
	}
	return named(strings.Join(name, " "), lexicon.Generic)
}

// notName ends the name of a drug: forms, routes, salts and what orders are made of.
var notName = func() map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(`acetate besylate bromide calcium capsule chloride citrate cream delayed dose drops drug extended
		fumarate gel hcl hydrochloride immediate inhalation inhaler injectable injection intravenous lotion magnesium maleate mesylate
		metered mg mcg ml nasal nitrate ointment ophthalmic oral pack patch phosphate potassium powder prefilled propionate rectal release
		sodium solution spray subcutaneous succinate sulfate suppository suspension syringe syrup tablet tablets tartrate topical
		transdermal vaginal`) {
		out[w] = true
	}
	return out
}()

// semanticTag is what SNOMED CT writes behind a name: "(disorder)".
var semanticTag = regexp.MustCompile(`\s*\((disorder|finding|situation|procedure|morphologic abnormality|event)\)\s*$`)

// problemTerms reduces a problem's text to terms: itself where the lexicon knows it, else the terms within it, else itself
// up to the first qualification, when that is short enough to be said.
func problemTerms(l *lexicon.Lexicon, text string) []lexicon.Term {
	text = semanticTag.ReplaceAllString(strings.Join(strings.Fields(text), " "), "")
	if t, ok := l.Find(text); ok {
		return []lexicon.Term{t}
	}
	found := slices.DeleteFunc(l.Within(text), func(t lexicon.Term) bool { return t.Kind == lexicon.Unit || t.Kind == lexicon.Other })
	if len(found) > 0 {
		return found
	}
	text, _, _ = strings.Cut(text, ",")
	for _, end := range []string{" without ", " with ", " due to ", " unspecified"} {
		text, _, _ = strings.Cut(text, end)
	}
	if len(strings.Fields(text)) > mostProblemWords {
		return nil
	}
	return named(text, lexicon.Disease)
}

// named is a term that the lexicon does not have, or none where the text is no name.
func named(text string, kind lexicon.Kind) []lexicon.Term {
	if text = strings.TrimSpace(text); text == "" || len(text) > longestName || len(lexicon.Sounds(text)) == 0 {
		return nil
	}
	return []lexicon.Term{{Text: text, Kind: kind, Weight: unknownWeight}}
}
