package notes_test

import (
	"strings"
	"testing"

	"vesper/notes"
)

// draftWith drafts a dictation of an author who has text blocks.
func draftWith(t *testing.T, script string) notes.Document {
	t.Helper()
	doc, err := notes.Draft(paused(script), template(t, "progress"), notes.Options{Blocks: blocksOf})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func flagsOf(doc notes.Document, kind notes.FlagKind) (out []notes.Flag) {
	for _, f := range doc.Flags {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}

func wholeText(doc notes.Document) string {
	var out []string
	for _, s := range doc.Sections {
		if s.Text() != "" {
			out = append(out, s.Text())
		}
	}
	return strings.Join(out, " | ")
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want string }{
		{"doctor smith spelled s m y t h e period", "Doctor Smythe."},
		{"Doctor Smith, spelled S-M-Y-T-H-E, was here.", "Doctor Smythe, was here."},
		{"Dr. Smith, S-M-Y-T-H-E, was here.", "Dr. Smythe, was here."},
		{"Dr. Smith, S. M. Y. T. H. E. was here.", "Dr. Smythe was here."},
		{"doctor meyer spelled mike echo india echo romeo period", "Doctor Meier."},
		{"doctor abbot spelled a double b o double t period", "Doctor Abbott."},
		{"doctor cole spelled k as in king o h l period", "Doctor Kohl."},
		{"doctor cole spelled k for king o h l e period", "Doctor Kohle."},
		{"doctor ohara spelled capital o apostrophe capital h a r a period", "Doctor O'Hara."},
		{"doctor lee spelled l e i g h a nurse came period", "Doctor Leigh a nurse came."},
		{"doctor reyes spelled are e y e s period", "Doctor reyes spelled are e y e s."},
		{"doctor reyes spelled r e why e s period", "Doctor Reyes."},
		{"the gene is spelled b r c a period", "The gene is BRCA."},
		{"he had a spell of vertigo period", "He had a spell of vertigo."},
		{"TSH, T4 and T3 were normal.", "TSH, T4 and T3 were normal."},
		{"vitamin A B and C were given", "Vitamin A B and C were given"},
	} {
		if got := wholeText(draft(t, "progress", c.said)); got != c.want {
			t.Errorf("%q became\n%q, want\n%q", c.said, got, c.want)
		}
	}
}

func TestCorrectionsReplaceTheParallelWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want string }{
		{"fifty four year old man with chest pain correction woman period", "54-year-old woman with chest pain."},
		{"Metoprolol 50 mg, correction, 25 mg twice daily.", "Metoprolol 25 mg twice daily."},
		{"Metoprolol 50 mg twice daily, correction, 25 mg twice daily.", "Metoprolol 25 mg twice daily."},
		{"Take 15 mg, I mean 50 mg, at night.", "Take 50 mg, at night."},
		{"Take 15 mg, make that 50 mg, at night.", "Take 50 mg, at night."},
		{"Take 15 mg, sorry, 50 mg.", "Take 50 mg."},
		{"Pain in the left knee, correction, the right knee.", "Pain in the right knee."},
		{"The left knee hurts, correction, right.", "The right knee hurts."},
		{"He denies chest pain, correction, reports chest pain.", "He reports chest pain."},
		{"Seen in June, I'm sorry, July.", "Seen in July."},
		{"Start lisinopril, correction, losartan.", "Start losartan."},
		{"She has hypertension, correction, hypotension.", "She has hypotension."},
		{"He cut his left, no, right index finger.", "He cut his right index finger."},
		{"A right-hand-dominant, correction, left-hand-dominant man.", "A left-hand-dominant man."},
		{"His A1c is 8.1. Actually, make that 8.4.", "His A1c is 8.4."},
		{"Injection of the distal, or rather, proximal radius.", "Injection of the proximal radius."},
	} {
		doc := draft(t, "progress", c.said)
		if got := wholeText(doc); got != c.want {
			t.Errorf("%q became\n%q, want\n%q", c.said, got, c.want)
		}
		if f := flagsOf(doc, notes.FlagCorrection); len(f) != 1 || f[0].Severity != notes.Notice {
			t.Errorf("%q: flags %+v", c.said, f)
		}
	}
}

func TestAnUnclearCorrectionKeepsBothAndAsks(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"He was seen in the clinic, correction, his daughter called.",
		"The mass is soft, correction, there is no mass at all.",
	} {
		doc := draft(t, "progress", said)
		if got := wholeText(doc); got != said {
			t.Errorf("%q became %q", said, got)
		}
		if f := flagsOf(doc, notes.FlagCorrection); len(f) != 1 || f[0].Severity != notes.Critical {
			t.Errorf("%q: flags %+v", said, f)
		}
	}
}

func TestWordsThatAreNoCorrection(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"Surgical correction of scoliosis is planned.", "The correction factor is fifty.", "After correction for albumin the calcium is normal.",
		"She would rather wait.", "He is sorry about the delay.", "Make that appointment soon.", "I mean well.", "Excuse me letter was given.",
		"Fever, no, chills, yes.", "Asked about pain he said no, none.",
	} {
		doc := draft(t, "progress", said)
		if f := flagsOf(doc, notes.FlagCorrection); len(f) != 0 || len(doc.Removed) != 0 {
			t.Errorf("%q: %q, flags %+v", said, wholeText(doc), f)
		}
	}
}

func TestTextBlocksOfTheAuthor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want string }{
		{"insert my normal heart exam period she eats period", "Regular rate and rhythm. No murmur. She eats."},
		{"She eats. Insert my normal cardiac exam.", "She eats. Regular rate and rhythm. No murmur."},
		{"She eats. Use my normal hart exam.", "She eats. Regular rate and rhythm. No murmur."},
		{"she eats period insert the standard consent template period he sleeps period", "She eats.\nRisks were discussed.\nThe patient agreed.\nHe sleeps."},
	} {
		doc := draftWith(t, c.said)
		if got := wholeText(doc); got != c.want {
			t.Errorf("%q became\n%q, want\n%q", c.said, got, c.want)
		}
		var source *notes.Source
		for _, s := range doc.Sections {
			for i, r := range s.Runs {
				if r.Source.Kind == notes.FromBlock {
					source = &s.Runs[i].Source
				}
			}
		}
		if source == nil || source.By != "a1" || source.At == nil || source.Block == "" || len(source.Words) == 0 || source.Said == "" {
			t.Errorf("%q: source %+v", c.said, source)
		}
	}
	doc := draftWith(t, "She eats. Insert my normal liver exam.")
	if got := wholeText(doc); got != "She eats. Insert my normal liver exam." {
		t.Errorf("an unknown block gave %q", got)
	}
	if f := flagsOf(doc, notes.FlagTextBlock); len(f) != 1 || f[0].Severity != notes.Critical {
		t.Errorf("flags %+v", f)
	}
	for _, said := range []string{"Normal saline was given.", "I used my normal technique.", "He returned to his normal diet.", "Insert the needle."} {
		if doc := draftWith(t, said); len(flagsOf(doc, notes.FlagTextBlock)) > 0 || wholeText(doc) != said {
			t.Errorf("%q became %q", said, wholeText(doc))
		}
	}
}

func TestCopies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want, to string }{
		{"she eats period c c doctor Patel period", "She eats.\ncc: Doctor Patel.", "doctor Patel"},
		{"She eats. CC Dr. Patel and Dr. Nguyen.", "She eats.\ncc: Dr. Patel and Dr. Nguyen.", "Dr. Patel, Dr. Nguyen"},
		{"She eats. Carbon copy to her primary care physician.", "She eats.\ncc: Her primary care physician.", "her primary care physician"},
		{"She eats. Please send a copy of this note to Dr. Patel.", "She eats. Please send a copy of this note to Dr. Patel.", "Dr. Patel"},
		{"She eats. Copy to the referring physician. He sleeps.", "She eats.\ncc: The referring physician.\nHe sleeps.", "the referring physician"},
		{"Draw 5 cc of blood.", "Draw 5 mL of blood.", ""},
		{"She eats. Copy to Dr. Marsh, comma, hand surgery, period.", "She eats.\ncc: Dr. Marsh, hand surgery.", "Dr. Marsh, hand surgery"},
		{"He made a copy to keep.", "He made a copy to keep.", ""},
	} {
		doc := draft(t, "progress", c.said)
		if got := wholeText(doc); got != c.want {
			t.Errorf("%q became\n%q, want\n%q", c.said, got, c.want)
		}
		var to []string
		for _, cp := range doc.Copies {
			to = append(to, cp.To)
		}
		if got := strings.Join(to, ", "); got != c.to {
			t.Errorf("%q: copies to %q, want %q", c.said, got, c.to)
		}
	}
}

func TestRequestsOfTheOffice(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "This is a stat dictation. Potassium is nine. Flag this. He eats.")
	if got := wholeText(doc); !strings.Contains(got, "Potassium is 9.") || strings.Contains(got, "Flag") || strings.Contains(got, "stat") {
		t.Errorf("got %q", got)
	}
	if len(doc.Requests) != 2 || doc.Requests[0].Kind != notes.RequestStat || doc.Requests[1].Kind != notes.RequestReview {
		t.Errorf("requests %+v", doc.Requests)
	}
	f := flagsOf(doc, notes.FlagRequest)
	if len(f) != 2 {
		t.Fatalf("flags %+v", f)
	}
	for _, one := range f {
		if stat := strings.Contains(one.Detail, "STAT"); stat != (one.Severity == notes.Notice) || !stat && !strings.Contains(one.Text, "Potassium") {
			t.Errorf("flag %+v", one)
		}
	}
}

func TestALongPauseBeginsAParagraphOnlyInProse(t *testing.T) {
	t.Parallel()
	script := "Subjective colon. She eats. ~~ ~~ He sleeps. Medications colon. Aspirin. Metformin."
	tr := paused(script)
	for i := range tr.Words {
		switch {
		case i >= 8: // "Metformin." after a long pause in a list
			tr.Words[i].Start, tr.Words[i].End = tr.Words[i].Start+10, tr.Words[i].End+10
		case i >= 4:
			tr.Words[i].Start, tr.Words[i].End = tr.Words[i].Start+5, tr.Words[i].End+5
		}
	}
	doc := mustDraft(t, tr, template(t, "progress"))
	if got := notes.Text(doc); !strings.Contains(got, "She eats.\n\nHe sleeps.") || strings.Contains(got, "Aspirin.\n\nMetformin") {
		t.Errorf("got %q", got)
	}
}

func TestAComaOfSomebodyWhoDictatesCommasIsDoubted(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]int{
		"no fever comma no cough comma no rash period\nShe has had a coma, denies fever, comma, denies pain, period.": 1,
		"no fever comma no cough comma no rash period\nHe was found in a coma, comma, and intubated, period.":         0,
		"He had a coma, and died.": 0,
	} {
		n := 0
		for _, f := range flagsOf(draft(t, "progress", said), notes.FlagReading) {
			if f.Text == "coma" {
				n++
			}
		}
		if n != want {
			t.Errorf("%q: %d flags, want %d", said, n, want)
		}
	}
}

func TestGoingBackToASection(t *testing.T) {
	t.Parallel()
	for _, back := range []string{
		"return to plan colon", "go back to plan colon", "Go back to the plan.", "add to plan colon", "Add to the plan section:", "going back to plan period",
	} {
		doc := draft(t, "progress", "subjective colon she eats well period she sleeps period he said so period\nplan colon rest period\n"+
			"subjective colon she walks period\n"+back+"\ncall on friday period")
		plan, _ := doc.Section("plan")
		if got := strings.ToLower(plan.Text()); got != "rest. call on friday." {
			t.Errorf("%q: the plan is %q", back, plan.Text())
		}
	}
	for _, said := range []string{"She may return to clinic.", "Go back to work on Monday.", "Add to his regimen a statin.", "He wants to go back to plan A."} {
		if doc := draft(t, "progress", said); wholeText(doc) != said {
			t.Errorf("%q became %q", said, wholeText(doc))
		}
	}
}
