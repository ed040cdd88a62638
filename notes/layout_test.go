package notes_test

import "testing"

func TestVitalSignsAreSetAsATable(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"vital signs colon blood pressure one forty two over eighty eight comma heart rate seventy two period temperature ninety eight point six period": "Blood pressure: 142/88\nHeart rate: 72\nTemperature: 98.6",
		"Vital signs: BP 118/70, pulse 82, and temperature 98.6.":                                     "BP: 118/70\nPulse: 82\nTemperature: 98.6",
		"Vital signs: Pulse 72 and regular, respirations 16 and unlabored. She is comfortable today.": "Pulse: 72 and regular\nRespirations: 16 and unlabored\nShe is comfortable today.",
		"Vital signs: Stable.":                                                 "Stable.",
		"Vital signs: Blood pressure is 120/80. Weight 70 kg.":                 "Blood pressure is 120/80.\nWeight: 70 kg",
		"vital signs colon blood pressure colon one twenty over eighty period": "Blood pressure: 120/80",
	} {
		if got := sections(draft(t, "hp", said))["vitals"]; got != want {
			t.Errorf("%q became\n%q, want\n%q", said, got, want)
		}
	}
}
