package notes_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// sentencesWithoutHeadings are what the generated dictations say between the headings.
var sentencesWithoutHeadings = []string{
	"He denies chest pain.", "She takes lisinopril forty milligrams daily.", "Lungs are clear.", "Blood pressure one forty two over eighty eight, pulse 72.",
	"No known drug allergies.", "She does not smoke period", "Hypertension, not at goal.", "Continue metformin.", "Labs show a hemoglobin of 12.",
	"Her past medical history is significant for gout.", "Medications include aspirin.", "It was normal.", "Appendectomy in 1985.", "Number one gout.",
	"number two rest at home period", "lungs colon clear period", "Abdomen soft.", "heat colon normal period", "Heart, regular.", "new paragraph",
	"vital signs colon blood pressure one twenty over eighty comma pulse 70 comma and temperature 98.6 period he is well period",
	"scratch that", "odd zanterpel words", "1. Rest. 2. Ice.", "Problem number one, cough.", "pedigree colon none period", "9 p.m.", "and", "period",
}

// shuffledDictation is a dictation with headings of a template, in any order and form, sentences, commands and odd words.
func shuffledDictation(t *rapid.T, tpl templates.Template) transcribe.Transcript {
	var headings []string
	for _, s := range tpl.Sections {
		for _, said := range append([]string{s.Heading}, append(s.Synonyms, s.HeardAs...)...) {
			headings = append(headings, said+" colon", said+":", said+".", said+",", said)
		}
	}
	parts := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom(headings), rapid.SampledFrom(sentencesWithoutHeadings), rapid.SampledFrom(sentencesWithoutHeadings), rapid.SampledFrom(vocabulary),
	), 0, 25).Draw(t, "parts")
	return heard(strings.Join(parts, rapid.SampledFrom([]string{" ", "\n"}).Draw(t, "between")))
}

// TestSectionsTileTheTranscriptHoweverItIsHeaded holds that text is never lost or doubled on its way to a section, and that
// it keeps its order there.
func TestSectionsTileTheTranscriptHoweverItIsHeaded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tpl := anyTemplate(t)
		tr := shuffledDictation(t, tpl)
		doc := mustDraft(t, tr, tpl)
		var places []int
		for _, s := range doc.Sections {
			var here []int
			for _, r := range s.Runs {
				here = append(here, r.Source.Words...)
				checkSource(t, tr, r)
			}
			if !slices.IsSorted(here) {
				t.Fatalf("%s does not keep the order of the dictation: %v", s.Key, here)
			}
			places = append(places, here...)
		}
		for _, r := range doc.Removed {
			places = append(places, r.Words...)
		}
		slices.Sort(places)
		for i := range tr.Words {
			if i >= len(places) || places[i] != i {
				t.Fatalf("word %d %q of %d is lost or doubled: %v", i, tr.Words[i].Text, len(tr.Words), places)
			}
		}
	})
}

// TestRequiredSectionsAreShownAndNeverFilled holds that a section without dictated words has no text.
func TestRequiredSectionsAreShownAndNeverFilled(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`\pL`)
	rapid.Check(t, func(t *rapid.T) {
		tpl := anyTemplate(t)
		for _, s := range mustDraft(t, shuffledDictation(t, tpl), tpl).Sections {
			spoken := slices.ContainsFunc(s.Runs, func(r notes.Run) bool { return len(r.Source.Words) > 0 })
			if !spoken && word.MatchString(s.Text()) {
				t.Fatalf("%s holds %q, which nobody said", s.Key, s.Text())
			}
		}
	})
}
