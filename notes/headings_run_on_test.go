package notes_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeadingsThatTheEngineRanTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said string
		want map[string]string
	}{
		{
			"Chief complaint. Cough. Medications. None. Alleges, no known drug allergies, vital signs, blood pressure 120/80, pulse 70, physical examination, he is well. Assesment. Cold.",
			map[string]string{
				"chief_complaint": "Cough.", "medications": "None.", "allergies": "No known drug allergies.", "vitals": "Blood pressure: 120/80\nPulse: 70",
				"exam": "He is well.", "assessment": "Cold.",
			},
		},
		{
			"Chief complaint. Cough. Medications. None. History of present illness. I reviewed his diet, medications, past medical history, and labs.",
			map[string]string{
				"chief_complaint": "Cough.", "medications": "None.", "hpi": "I reviewed his diet, medications, past medical history, and labs.",
			},
		},
		{
			"Chief complaint, chest pain, history of present illness. This is a 55-year-old man.",
			map[string]string{"chief_complaint": "Chest pain.", "hpi": "This is a 55-year-old man."},
		},
	} {
		if diff := cmp.Diff(c.want, sections(draft(t, "hp", c.said))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.said, diff)
		}
	}
}

func TestAPlanWhoseHeadingWasNotHeardIsStillThePlan(t *testing.T) {
	t.Parallel()
	said := "Findings colon. Normal, period. Complications, colon. None, period. Number 1. Await pathology, period. Number 2. Hold aspirin, period."
	want := map[string]string{"findings": "Normal.", "complications": "None.", "plan": "1. Await pathology.\n2. Hold aspirin."}
	if diff := cmp.Diff(want, sections(draft(t, "procedure", said))); diff != "" {
		t.Error(diff)
	}
}
