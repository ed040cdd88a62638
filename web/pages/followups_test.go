package pages

import (
	"strings"
	"testing"

	"vesper/notes"
)

func TestPromisesAreSaidInPlainWords(t *testing.T) {
	t.Parallel()
	got := promises(notes.Document{FollowUps: []notes.FollowUp{
		{Kind: "appointment", Text: "Return", Change: &notes.Settlement{By: "x", How: "withdrawn"}},
		{Kind: "lab", Text: "CBC in 2 weeks", Due: "2026-12-08", DueWords: "in 2 weeks", Owner: "practice", Pending: true},
		{Kind: "imaging", Text: "consider MRI", Conditional: true, Condition: "if symptoms persist"},
		{Kind: "medication_hold", Due: "2026-11-29", Owner: "patient", Change: &notes.Settlement{How: "edited"}},
		{Kind: "referral", To: "cardiology", Due: "as needed", Owner: "physician", Change: &notes.Settlement{How: "added"}},
		{Kind: "something_new", Conditional: true},
	}})
	var said []string
	for _, p := range got {
		said = append(said, strings.Join([]string{p.What, p.When, p.Who, p.Mark}, "|"))
	}
	for i, want := range []string{
		"Lab test, result awaited|Tue 8 Dec 2026 (in 2 weeks)|by the practice|", "Imaging|||Only: if symptoms persist",
		"Held drug|until Sun 29 Nov 2026|by the patient|Changed by an edit", "Referral|as needed|cardiology, by the physician|Written by an editor",
		"Something new|||Conditional", "Visit|||Taken out by an edit",
	} {
		if said[i] != want {
			t.Errorf("%q, want %q", said[i], want)
		}
	}
}
