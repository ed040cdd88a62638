package checks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vesper/notes/checks"
)

// vocabulary is what the generated notes are made of: what each check looks for, and what makes it silent.
var vocabulary = strings.Fields(`left right knee pain arthroplasty Left-sided bilateral ago 54-year-old man woman she He wife mother
	prostate pregnant No known drug allergies NKDA allergic to penicillin Penicillin allergy stop continue lisinopril 100 mg 5 mcg units
	levothyroxine hydralazine insulin Mr. Smith Mrs. patient name is date of birth 03/04/1960 medical record number 12345 QD 1.0 mg .5 mg
	U MSO4 and but not without . , ; ( ) “quoted” Ünïcode 🙂 born MRN is None on the nephrectomy`)

func anyNote(t *rapid.T) checks.Note {
	n := checks.Note{Dictated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, key := range []string{"hpi", "allergies", "medications", "family_history", "plan"} {
		words := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(vocabulary), rapid.String()), 0, 25).Draw(t, key)
		n.Sections = append(n.Sections, checks.Section{Key: key, Text: strings.Join(words, rapid.SampledFrom([]string{" ", ". ", "\n"}).Draw(t, "gap"))})
	}
	n.Patient = checks.Patient{
		Name: rapid.SampledFrom([]string{"", "Alice Quill", ","}).Draw(t, "name"), Sex: rapid.SampledFrom([]string{"", "male", "female", "x"}).Draw(t, "sex"),
		BirthDate: rapid.SampledFrom([]string{"", "1960-03-04", "nonsense"}).Draw(t, "born"), MRN: rapid.SampledFrom([]string{"", "T-1001"}).Draw(t, "mrn"),
		Allergies: rapid.SliceOf(rapid.SampledFrom([]string{"latex", "", "Penicillin"})).Draw(t, "allergies"),
	}
	return n
}

func TestFindingsAreWordsOfTheNoteWithAReasonInOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := anyNote(t)
		found := checks.Run(n)
		if diff := cmp.Diff(found, checks.Run(n)); diff != "" {
			t.Fatalf("not the same twice: %s", diff)
		}
		for i, f := range found {
			for _, p := range append([]checks.Place{f.At}, f.Also...) {
				if p.Section < 0 || p.Section >= len(n.Sections) || p.From < 0 || p.From >= p.To || p.To > len(n.Sections[p.Section].Text) {
					t.Fatalf("%+v lies outside the note", f)
				}
			}
			if f.Text != n.Sections[f.At.Section].Text[f.At.From:f.At.To] {
				t.Fatalf("%+v does not quote its place", f)
			}
			if !slices.Contains(checks.Kinds(), f.Kind) || !strings.HasSuffix(f.Detail, ".") || len(f.Detail) < 20 {
				t.Fatalf("%+v has no reason", f)
			}
			if i > 0 && (f.At.Section < found[i-1].At.Section || f.At.Section == found[i-1].At.Section && f.At.From < found[i-1].At.From) {
				t.Fatalf("%+v comes after %+v", f, found[i-1])
			}
		}
	})
}

func FuzzChecksTakeAnyText(f *testing.F) {
	f.Add("Pain in the left knee. Right knee pain.", "QD 1.0 mg .5mg 10U")
	f.Add("date of birth 99/99/9999. MRN ", "Mr. \xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, found := range checks.Run(checks.Note{
			Sections: []checks.Section{{Key: "hpi", Text: a}, {Key: "allergies", Text: b}},
			Patient:  checks.Patient{Name: "A B", BirthDate: "2000-02-29", MRN: "1", Sex: "male"}, Dictated: time.Unix(0, 0),
		}) {
			if found.Text == "" {
				t.Errorf("%+v quotes nothing", found)
			}
		}
	})
}

func TestADoseIsJudgedInWhateverUnitItIsSaid(t *testing.T) {
	t.Parallel()
	for text, wrong := range map[string]bool{
		"Levothyroxine 0.05 mg daily.": false, "Levothyroxine 50 mcg daily.": false, "Levothyroxine 50 mg daily.": true,
		"Metformin 1 g twice daily.": false, "Metformin 1,000 mg twice daily.": false, "Metformin 10 g daily.": true,
		"Digoxin 250 mcg daily.": false, "Digoxin 0.25 mg daily.": false, "Digoxin 25 mg daily.": true, "Insulin glargine 10 units.": false,
	} {
		found := checks.Run(checks.Note{Sections: []checks.Section{{Key: "plan", Text: text}}})
		if got := slices.ContainsFunc(found, func(f checks.Finding) bool { return f.Kind == checks.Dose }); got != wrong {
			t.Errorf("%q: %+v", text, found)
		}
	}
}
