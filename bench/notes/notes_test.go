package main

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/bench/corpus"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// note builds a draft whose words each last a second, all of one source run per word.
func note(section, text string) notes.Document {
	s := notes.Section{Key: section}
	for i, w := range strings.Fields(text) {
		if i > 0 {
			s.Runs = append(s.Runs, notes.Run{Text: " ", Source: notes.Source{Kind: notes.FromTemplate}})
		}
		at := float64(i)
		s.Runs = append(s.Runs, notes.Run{Text: w, Source: notes.Source{Kind: notes.FromSpeech, Start: at, End: at + 1, Words: []int{i}}})
	}
	return notes.Document{Sections: []notes.Section{s}}
}

func wanted(section, text string, facts ...string) corpus.Case {
	c := corpus.Case{Note: corpus.Note{Sections: []corpus.Section{{Key: section, Text: text}}}}
	for _, f := range facts {
		c.Facts = append(c.Facts, corpus.Fact{Kind: corpus.Dose, Text: f})
	}
	return c
}

func pairsOf(c corpus.Case, doc notes.Document) pairs {
	return align(expectedTokens(c.Note), documentTokens(doc))
}

func TestAWrongDoseCountsAsSafeOnlyUnderAFlagThatCoversIt(t *testing.T) {
	t.Parallel()
	c := wanted("plan", "Start lisinopril 10 mg daily. Rest well.", "lisinopril 10 mg")
	doc := note("plan", "Start lisinopril 40 mg daily. Rest well.")
	for _, at := range []struct {
		start, end float64
		safe       int
	}{{2, 4, 1}, {5, 7, 0}} {
		doc.Flags = []notes.Flag{{Kind: notes.FlagLowConfidence, Severity: notes.Critical, Text: "40 mg", Start: at.start, End: at.end}}
		var s score
		p := pairsOf(c, doc)
		s.judgeFacts(c, doc, p)
		s.judgeFlags(c, doc, p)
		if s.facts.n != 0 || s.safe.n != at.safe || s.critical.n != at.safe || s.critical.of != 1 {
			t.Errorf("flag at %v s: exact %v, safe %v, flags right %v", at.start, s.facts, s.safe, s.critical)
		}
	}
}

func TestAMissingWordIsFoundUnderAFlagOverTheGap(t *testing.T) {
	t.Parallel()
	c := wanted("plan", "Hold warfarin for two days please", "warfarin")
	doc := note("plan", "Hold for two days please")
	doc.Flags = []notes.Flag{{Kind: notes.FlagUnreliable, Start: 0.5, End: 2}}
	var s score
	s.judgeFacts(c, doc, pairsOf(c, doc))
	if s.facts.n != 0 || s.safe.n != 1 {
		t.Errorf("exact %v, safe %v", s.facts, s.safe)
	}
}

func TestTextInTheWrongSectionIsFoundThere(t *testing.T) {
	t.Parallel()
	c := wanted("plan", "Return in two weeks.")
	c.Note.Sections = append([]corpus.Section{{Key: "exam", Text: "Lungs are clear to auscultation."}}, c.Note.Sections...)
	doc := note("plan", "Return in two weeks. Lungs are clear to auscultation.")
	var s score
	s.judgeSections(c, pairsOf(c, doc))
	if s.sections.n != 0 || s.sections.of != 2 {
		t.Errorf("sections %v, want none of two: the one is elsewhere, the other holds it", s.sections)
	}
}

func TestWordsWithoutAPlaceAndWordsWithoutASourceAreCounted(t *testing.T) {
	t.Parallel()
	tr := transcribe.Transcript{Words: []transcribe.Word{{Text: "no"}, {Text: "fever"}, {Text: "today"}}}
	doc := note("plan", "No fever")
	doc.Sections[0].Runs = append(doc.Sections[0].Runs, notes.Run{Text: " Rest.", Source: notes.Source{Kind: notes.FromTemplate}})
	var s score
	s.judgeWords(doc, tr)
	if s.lost != 1 || s.invented != 1 {
		t.Errorf("lost %d, invented %d, want one of each", s.lost, s.invented)
	}
}

func TestAWordThatGoesWithACommandIsLost(t *testing.T) {
	t.Parallel()
	tr := transcribe.Transcript{Words: []transcribe.Word{{Text: "non-period."}, {Text: "Semi-colon."}, {Text: "period,"}}}
	doc := notes.Document{Removed: []notes.Removed{{Reason: notes.RemovedCommand, Words: []int{0, 1, 2}}}}
	var s score
	s.judgeWords(doc, tr)
	if s.lost != 1 {
		t.Errorf("lost %d, want the one “non”", s.lost)
	}
}

func TestMarksCountOnlyAfterWordsThatWereHeard(t *testing.T) {
	t.Parallel()
	c := wanted("plan", "She has pain, fever, and chills.")
	c.SpokenPunctuation = true
	doc := note("plan", "She has pain fever, and chills period")
	var s score
	s.judgeCommands(c, doc, pairsOf(c, doc))
	if s.commands.of != 4 || s.commands.n != 1 {
		t.Errorf("commands %v, want 1 of 4: a comma, not the other one, no period, and the word period", s.commands)
	}
}

func TestANoteComparedWithItselfIsWhollyAsExpected(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(strings.Fields("no pain, 5 mg. 142/88 x-ray (left) 2+ daily 1. II/VI")), 1, 30).Draw(t, "words"), " ")
		c, doc := wanted("plan", text), note("plan", text)
		p := pairsOf(c, doc)
		var s score
		s.judgeDrift(p)
		if s.drift.n != s.drift.of {
			t.Fatalf("%q: %v", text, s.drift)
		}
		for j := range p.got {
			if p.wrong(j) {
				t.Fatalf("%q: %q is called wrong", text, p.got[j].text)
			}
		}
	})
}

func TestADictationOfTheCorpusIsScored(t *testing.T) {
	t.Parallel()
	cases, err := corpus.Load("../../testdata/dictations")
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := templates.Find(cases[0].WorkType)
	if err != nil {
		t.Fatal(err)
	}
	s, err := judge(cases[0], tpl, cases[0].Spoken(), "spoken")
	if err != nil || s.facts.of == 0 || s.sections.of == 0 || s.time == 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	var page strings.Builder
	write(&page, []score{s}, "a test")
	if !strings.Contains(page.String(), cases[0].Name+", spoken") {
		t.Errorf("the page lacks the dictation:\n%s", page.String())
	}
}
