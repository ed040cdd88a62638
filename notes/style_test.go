package notes_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/notes"
	"vesper/notes/style"
	"vesper/notes/templates"
)

func inStyle(t interface{ Fatal(...any) }, name, script string) notes.Document {
	st, err := style.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := templates.Find("progress")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := notes.Draft(heard(script), tpl, notes.Options{Style: st})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

const styledVisit = `subjective colon
seen on October third twenty twenty six at six thirty p m with edema and anemia period
objective colon
blood pressure one forty two over eighty eight period
plan colon
levothyroxine fifty micrograms every morning period
ten thousand units of heparin p.r.n. period`

func TestANoteIsWrittenInThePracticesStyle(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"en-US": {"October 3, 2026 at 6:30 PM with edema and anemia", "142/88", "50 mcg every morning", "10,000 units of heparin as needed"},
		"en-GB": {"3 October 2026 at 18:30 with oedema and anaemia", "142/88", "50 micrograms every morning", "10,000 units of heparin when required"},
	} {
		text := notes.Text(inStyle(t, name, styledVisit))
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in\n%s", name, w, text)
			}
		}
	}
}

func TestTheZeroStyleIsTheDefault(t *testing.T) {
	t.Parallel()
	tpl, err := templates.Find("progress")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := notes.Draft(heard(styledVisit), tpl, notes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := notes.Text(doc), notes.Text(inStyle(t, style.DefaultName, styledVisit)); got != want {
		t.Errorf("without a style:\n%s\nin the default:\n%s", got, want)
	}
}

// Whatever a rule wrote can be seen and undone: its run says what was heard, and by which rule it was written.
func TestEveryChangeOfARuleKeepsWhatWasSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(style.Names()).Draw(t, "style")
		words := rapid.SliceOfN(rapid.SampledFrom(slices.Concat(vocabulary, strings.Fields("5.0 mg .5 1000 edema litres µg"))), 1, 30).Draw(t, "words")
		for _, s := range inStyle(t, name, strings.Join(words, " ")).Sections {
			for _, r := range s.Runs {
				if r.Source.Rule != "" && r.Source.Said == "" {
					t.Fatalf("%q was written by %s, and nothing says what was heard", r.Text, r.Source.Rule)
				}
			}
		}
	})
}
