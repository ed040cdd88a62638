package notes_test

import "testing"

func TestLabelsHoweverTheyAreSaidAndHeard(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Lungs: clear to auscultation bilaterally.":                              "Lungs: Clear to auscultation bilaterally.",
		"Lungs clear to auscultation bilaterally. Heart regular without murmur.": "Lungs: Clear to auscultation bilaterally.\nHeart: Regular without murmur.",
		"Lunch, colon, clear. Hart, colon, regular.":                             "Lungs: Clear.\nHeart: Regular.",
		"lunch colon clear period":                                               "Lungs: Clear.",
		"Lunch, clear. Heat, normocephalic.":                                     "Lungs: Clear.\nHEENT: Normocephalic.",
		"H E E N T colon normal. heat colon normal.":                             "HEENT: Normal.\nHEENT: Normal.",
		"Add domin, colon, soft.":                                                "Abdomen: Soft.",
		"General: alert. The lungs are clear. Heart rate is 72.":                 "General: Alert. The lungs are clear.\nHeart rate is 72.",
		"Heart, lungs, and abdomen are normal.":                                  "Heart, lungs, and abdomen are normal.",
		"Chest wall is tender. Back pain with motion.":                           "Chest wall is tender. Back pain with motion.",
		"Skin is warm and dry.":                                                  "Skin is warm and dry.",
	} {
		if got := sections(draft(t, "hp", "Physical examination: "+said))["exam"]; got != want {
			t.Errorf("%q became\n%q, want\n%q", said, got, want)
		}
	}
}
