package followups_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vesper/notes/followups"
)

var tuesday = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func isDrug(w string) bool {
	return strings.Contains(" clopidogrel meloxicam apixaban lisinopril warfarin metformin aspirin ibuprofen methotrexate semaglutide ", " "+w+" ") //nolint:gocritic // a word in a list
}

func context(weak bool, under string) followups.Context {
	return followups.Context{Day: tuesday, Plan: !weak, FollowUp: under == "follow_up", Drug: isDrug}
}

func TestEveryRuleDoesWhatItsExamplesSay(t *testing.T) {
	t.Parallel()
	for rule, examples := range followups.Examples() {
		if len(examples) < 2 {
			t.Errorf("rule %s has %d examples", rule, len(examples))
		}
		for _, e := range examples {
			if diff := compare(e, followups.Find(e.Say, context(e.Weak, e.Under))); diff != "" {
				t.Errorf("%s: %q: %s", rule, e.Say, diff)
			}
		}
	}
}

// compare says what differs between an example and what was found, "" for nothing.
func compare(e followups.Example, got []followups.Finding) string {
	if len(got) != len(e.Is) {
		return fmt.Sprintf("found %+v", got)
	}
	for i, want := range e.Is {
		f := got[i]
		switch {
		case f.Kind != want.Kind, f.Conditional != want.Conditional, want.Pending != f.Pending:
			return fmt.Sprintf("found %+v", f)
		case want.Due == "none" && f.Due.Words != "":
			return fmt.Sprintf("found %+v", f)
		case want.Due != "" && want.Due != "none" && f.Due.String() != want.Due, want.To != "" && !strings.EqualFold(f.With, want.To), want.Owner != "" && f.Owner != want.Owner:
			return fmt.Sprintf("found %+v", f)
		}
	}
	return ""
}
