package notes_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vesper/notes"
)

// sections maps the keys of sections with text to their text.
func sections(d notes.Document) map[string]string {
	out := map[string]string{}
	for _, s := range filled(d) {
		out[s.Key] = s.Text
	}
	return out
}

func TestHeadings(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, workType, said string
		want                 map[string]string
	}{
		{
			"dictated with colon", "progress", "subjective colon she eats period objective colon lungs are clear period",
			map[string]string{"subjective": "She eats.", "objective": "Lungs are clear."},
		},
		{
			"as an engine writes it", "progress", "Subjective, colon. She eats, period. Objective: Lungs are clear.",
			map[string]string{"subjective": "She eats.", "objective": "Lungs are clear."},
		},
		{
			"as a sentence", "hp", "Chief complaint. Abdominal pain. History of present illness. She has pain.",
			map[string]string{"chief_complaint": "Abdominal pain.", "hpi": "She has pain."},
		},
		{
			"after the end of a sentence, run on", "hp", "She eats. History of present illness she has pain.",
			map[string]string{"hpi": "She eats.\n\nShe has pain."},
		},
		{
			"misheard", "hp", "History of president illness, colon. She has pain. Fiscal examination: the lungs are clear.",
			map[string]string{"hpi": "She has pain.", "exam": "The lungs are clear."},
		},
		{
			"misheard by an unfamiliar voice", "hp", "Pass medical history, colon. Gout, period. Alleges, golin' no known allergies, period.",
			map[string]string{"pmh": "Gout.", "allergies": "No known allergies."},
		},
		{
			"synonyms", "progress", "meds colon aspirin period impression colon gout period recommendations colon rest period",
			map[string]string{"medications": "Aspirin.", "assessment": "Gout.", "plan": "Rest."},
		},
		{
			"stated in a sentence", "hp", "She has pain. Her past medical history is significant for gout. Medications include aspirin.",
			map[string]string{
				"hpi": "She has pain.", "pmh": "Her past medical history is significant for gout.", "medications": "Medications include aspirin.",
			},
		},
		{
			"a list of headings is a sentence", "progress", "She eats. Medications, allergies and past medical history were reviewed.",
			map[string]string{"subjective": "She eats. Medications, allergies and past medical history were reviewed."},
		},
		{
			"no heading inside a sentence", "progress", "We discussed the plan. Her allergies act up. She has a history of gout.",
			map[string]string{"subjective": "We discussed the plan. Her allergies act up. She has a history of gout."},
		},
		{
			"labels", "hp", "physical examination colon lungs colon clear period abdomen colon soft period",
			map[string]string{"exam": "Lungs: Clear.\nAbdomen: Soft."},
		},
		{
			"labels misheard", "hp", "physical examination colon lunch colon clear period hart colon regular period",
			map[string]string{"exam": "Lungs: Clear.\nHeart: Regular."},
		},
		{
			"a label opens its section", "hp", "she has pain period lungs colon clear period",
			map[string]string{"hpi": "She has pain.", "exam": "Lungs: Clear."},
		},
		{
			"assessment and plan with numbers", "progress", "assessment and plan number one gout period number two cough period",
			map[string]string{"assessment_plan": "1. Gout.\n2. Cough."},
		},
		{
			"back to a section", "progress", "plan colon rest period subjective colon she eats period plan colon ice period",
			map[string]string{"subjective": "She eats.", "plan": "Rest.\n\nIce."},
		},
		{
			"go back to", "progress", "plan colon rest period go back to subjective colon she eats period",
			map[string]string{"subjective": "She eats.", "plan": "Rest."},
		},
		{
			"next section", "procedure", "procedure colon biopsy period next section a mole period",
			map[string]string{"procedure": "Biopsy.", "indication": "A mole."},
		},
		{
			"colon of the gut after a heading", "procedure", "procedure colon colonoscopy period indication colon colon cancer period",
			map[string]string{"procedure": "Colonoscopy.", "indication": "Colon cancer."},
		},
		{"without headings", "hp", "She has pain. The lungs are clear.", map[string]string{"hpi": "She has pain. The lungs are clear."}},
		{"title", "hp", "History and physical. Chief complaint. Pain.", map[string]string{"chief_complaint": "Pain."}},
		{
			"unknown heading", "progress", "plan colon rest comma and ice period she eats comma too period pedigree colon none period",
			map[string]string{"plan": "Rest, and ice. She eats, too.\nPedigree: None."},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, sections(draft(t, c.workType, c.said))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.said, diff)
			}
		})
	}
}

func TestMissingRequiredSectionsAreFlaggedAndNotFilled(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "subjective colon she eats period assessment and plan colon gout period")
	var missing []string
	for _, f := range doc.Flags {
		if f.Kind == notes.FlagMissingSection {
			missing = append(missing, f.Section)
		}
	}
	if diff := cmp.Diff([]string{"objective"}, missing); diff != "" {
		t.Error(diff)
	}
	s, ok := doc.Section("objective")
	if !ok || s.Text() != "" {
		t.Errorf("the missing section holds %q, listed %v", s.Text(), ok)
	}
	for _, o := range notes.ReadyToSign(doc) {
		if o.Blocking {
			t.Errorf("a missing section blocks: %+v", o)
		}
	}
}

func TestANoteWithoutASingleWordCannotBeSigned(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "")
	if o := notes.ReadyToSign(doc); len(o) == 0 || o[0].Code != "empty" || !o[0].Blocking {
		t.Errorf("obstacles: %+v", o)
	}
	if len(doc.Sections) != 4 {
		t.Errorf("%d sections, want the 4 required ones", len(doc.Sections))
	}
}
