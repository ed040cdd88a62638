package followups_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/notes/followups"
)

var words = strings.Fields(`follow up return in two 2 weeks months days 4 to 6 next Tuesday tomorrow PRN if symptoms persist consider MRI of the
	lumbar spine CBC and CMP , . ; refer Dr. Patel cardiology hold aspirin for five until no not was seen last week will I we she patient
	call with results pending await pathology prior authorization letter colonoscopy on December 1 31 February 1. - before surgery or sooner`)

func TestADueDateIsNeverBeforeTheDictation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sentence := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 25).Draw(t, "words"), " ")
		day := tuesday.AddDate(0, 0, rapid.IntRange(0, 800).Draw(t, "day"))
		found := followups.Find(sentence, followups.Context{Day: day, Plan: rapid.Bool().Draw(t, "plan"), Drug: isDrug})
		for _, f := range found {
			check(t, sentence, f)
			if f.Due.Date != "" && f.Due.Date < day.Format(time.DateOnly) {
				t.Fatalf("%q on %s is due %s", sentence, day.Format(time.DateOnly), f.Due.Date)
			}
		}
	})
}

func check(t interface{ Fatalf(string, ...any) }, sentence string, f followups.Finding) {
	if f.From < 0 || f.From >= f.To || f.To > len(sentence) || f.Kind == "" || f.Owner == "" {
		t.Fatalf("%q: %+v", sentence, f)
	}
	if f.Due.Date != "" {
		if _, err := time.Parse(time.DateOnly, f.Due.Date); err != nil {
			t.Fatalf("%q: %v", sentence, err)
		}
	}
	if !strings.Contains(sentence, f.Due.Words) {
		t.Fatalf("%q does not say %q", sentence, f.Due.Words)
	}
}

func TestIntervalsEndInTheMonthThatIsMeant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ day, say, due string }{
		{"2026-11-30", "Return in 3 months.", "2027-02-28"},
		{"2028-02-29", "Return in one year.", "2029-02-28"},
		{"2026-12-31", "Return in 2 months.", "2027-02-28"},
		{"2026-11-27", "Return next week.", "2026-11-30"},
		{"2026-11-27", "Return on Friday.", "2026-12-04"},
		{"2026-11-27", "Return in 2 business days.", "2026-12-01"},
		{"2026-11-27", "Return on January 5.", "2027-01-05"},
		{"2026-11-27", "Return on 12/1/2026.", "2026-12-01"},
		{"2026-11-27", "Return on June 31.", "on June 31"},
		{"2026-11-27", "Return within 72 hours.", "2026-11-30"},
		{"2026-11-27", "Return in a couple of weeks.", "2026-12-11"},
		{"2026-11-27", "Return in six to eight weeks.", "2027-01-08"},
		{"2026-11-27", "Return in 4–6 weeks.", "2026-12-25"},
		{"2026-11-27", "Return in a fortnight.", "2026-12-11"},
	} {
		day, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		found := followups.Find(c.say, followups.Context{Day: day, Plan: true})
		if len(found) != 1 || found[0].Due.String() != c.due {
			t.Errorf("%q on %s: %+v", c.say, c.day, found)
		}
	}
}

func FuzzFindTakesAnySentence(f *testing.F) {
	f.Add("If symptoms persist, consider MRI; hold aspirin for 5 days and return in 2–3 weeks.")
	f.Add("\x00\xff 1. follow up in 999999999999 months until 32/13/9999 İ cc: Dr. ")
	f.Fuzz(func(t *testing.T, sentence string) {
		if len(sentence) > 2000 {
			return
		}
		for _, found := range followups.Find(sentence, followups.Context{Day: tuesday, Plan: true, FollowUp: true, Drug: isDrug}) {
			check(t, sentence, found)
		}
	})
}
