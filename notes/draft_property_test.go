package notes_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

// vocabulary is what the generated dictations are made of: commands in all forms, headings, numbers and ordinary words.
var vocabulary = strings.Fields(`period period. Period, comma comma, Comma. coma colon colon, colon. semicolon question mark hyphen dash slash
	open close paren quote unquote new line paragraph. next section number one two three four 1. 2. #1 bullet point cap all caps on off
	scratch that. strike leave a blank end of dictation go back to Subjective Objective, assessment plan. Plan medications allergies:
	history present president illness chief complaint physical examination fiscal lungs lunch abdomen heart procedure findings
	forty two fifty milligrams mg 40mg 5.0 over eighty eight one twelve hundred point five percent weeks daily QD BID b.i.d. L four L5
	blood pressure heart rate temperature October third twenty six menstrual the patient denies pain left right no lisinopril metformin
	(chest) "quoted" [BLANK_AUDIO] [inaudible] ... - is include with Mr. Dr. Smith word. Word, A I he colonoscopy cancer and Ünïcode 🙂 T S H`)

// phrases are commands and headings that need several words.
var phrases = []string{
	"scratch that", "Scratch that.", "strike that", "new paragraph", "New paragraph.", "new line", "number one", "Number two,",
	"next number", "bullet point", "Plan, colon.", "assessment colon", "physical examination colon", "lungs colon",
	"history of president illness, colon.", "one forty two over eighty eight", "forty milligrams daily", "leave a blank",
	"end of dictation", "open paren", "close paren", "go back to plan colon", "next section", "all caps", "pedigree colon",
}

func anyTranscript(t *rapid.T) transcribe.Transcript {
	var out transcribe.Transcript
	at := 0.0
	said := strings.Fields(strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom(vocabulary), rapid.SampledFrom(phrases)), 0, 40).Draw(t, "words"), " "))
	for _, word := range said {
		gap := rapid.SampledFrom([]float64{0, 0, 0, 0.1, 0.3, 0.6, 1.5, 5}).Draw(t, "gap")
		if gap == 5 && rapid.Bool().Draw(t, "unheard") {
			out.Spans = append(out.Spans, transcribe.Span{Start: at + 1, End: at + 4, Kind: transcribe.SpanUnheard})
		}
		at += gap
		out.Words = append(out.Words, transcribe.Word{
			Text: word, Start: at, End: at + 0.3,
			Confidence: rapid.Float64Range(0, 1).Draw(t, "confidence"),
		})
		at += 0.3
	}
	out.Audio.Seconds = at
	return out
}

func anyTemplate(t *rapid.T) templates.Template {
	return rapid.SampledFrom(templates.All()).Draw(t, "template")
}

func mustDraft(t interface{ Fatal(...any) }, tr transcribe.Transcript, tpl templates.Template) notes.Document {
	doc, err := notes.Draft(tr, tpl, notes.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// anyDraft is a draft that has something to edit.
func anyDraft(t *rapid.T) notes.Document {
	return rapid.Custom(func(t *rapid.T) notes.Document { return mustDraft(t, anyTranscript(t), anyTemplate(t)) }).
		Filter(func(doc notes.Document) bool { return len(doc.Sections) > 0 }).Draw(t, "draft")
}

func TestEveryWordOfATranscriptIsInExactlyOnePlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr, tpl := anyTranscript(t), anyTemplate(t)
		doc := mustDraft(t, tr, tpl)
		tiles(t, tr, doc)
	})
}

var (
	blankText = regexp.MustCompile(`^ ?\[blank \d+:\d\d–\d+:\d\d\]$`)
	listText  = regexp.MustCompile(`^\d+\. $`)
)

func TestNothingIsInvented(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := anyTranscript(t)
		doc := mustDraft(t, tr, anyTemplate(t))
		for _, s := range doc.Sections {
			for _, r := range s.Runs {
				checkSource(t, tr, r)
			}
		}
	})
}

// checkSource says that a run's letters were spoken, or that its source says which rule or words they come from.
func checkSource(t *rapid.T, tr transcribe.Transcript, r notes.Run) {
	switch r.Source.Kind {
	case notes.FromTemplate:
		if hasLetters(r.Text) {
			t.Fatalf("the template wrote %q", r.Text)
		}
	case notes.FromBlank:
		if !blankText.MatchString(r.Text) {
			t.Fatalf("a blank is written as %q", r.Text)
		}
	case notes.FromSpeech:
		heard := ""
		for _, w := range r.Source.Words {
			heard += tr.Words[w].Text + " "
			if r.Source.Start > tr.Words[w].Start || r.Source.End < tr.Words[w].End {
				t.Fatalf("%q has the span %v–%v, which leaves out a word of it", r.Text, r.Source.Start, r.Source.End)
			}
		}
		same := letters(r.Text) == letters(heard)
		if !same && r.Source.Said == "" {
			t.Fatalf("%q was written for %q, and nothing says so", r.Text, heard)
		}
		if !same && hasLetters(r.Text) && r.Source.Rule == "" && !listText.MatchString(r.Text) && !strings.HasSuffix(r.Text, ":") {
			t.Fatalf("%q was written for %q without a rule", r.Text, heard)
		}
	default:
		t.Fatalf("a draft has a run from %q", r.Source.Kind)
	}
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, notes.NormalizeText(s))
}

func hasLetters(s string) bool { return letters(s) != "" }

func TestMarksAreNeverDoubled(t *testing.T) {
	t.Parallel()
	doubled := regexp.MustCompile(`[.,;:?!]\s*[.,;:?!]`)
	plain := slices.DeleteFunc(slices.Clone(vocabulary), func(w string) bool { // "Mr.," is right, and so is "b.i.d.,"
		return strings.Contains(w, "..") || w == "Mr." || w == "Dr." || w == "b.i.d."
	})
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(plain), 0, 50).Draw(t, "words")
		doc := mustDraft(t, heard(strings.Join(words, " ")), anyTemplate(t))
		for _, s := range doc.Sections {
			if m := doubled.FindString(s.Text()); m != "" {
				t.Fatalf("%q in %q", m, s.Text())
			}
		}
	})
}

func TestEveryUnheardSpanBecomesOneBlank(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := anyTranscript(t)
		doc := mustDraft(t, tr, anyTemplate(t))
		fromCommands := 0
		for _, s := range doc.Sections {
			for _, r := range s.Runs {
				if r.Source.Kind == notes.FromBlank && len(r.Source.Words) > 0 {
					fromCommands++
				}
			}
		}
		if len(doc.Blanks)-fromCommands != len(tr.Spans) {
			t.Fatalf("%d blanks, %d of them dictated, for %d unheard spans", len(doc.Blanks), fromCommands, len(tr.Spans))
		}
	})
}

func TestADraftIsTheSameEveryTimeAndSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr, tpl := anyTranscript(t), anyTemplate(t)
		a, b := mustDraft(t, tr, tpl), mustDraft(t, tr, tpl)
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back notes.Document
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if notes.Text(back) != notes.Text(a) || notes.ContentHash(back) != notes.ContentHash(a) {
			t.Fatal("the document changed on its way through JSON")
		}
	})
}

func FuzzDraftTakesAnyWords(f *testing.F) {
	f.Add("Subjective colon. pain period scratch that. number one")
	f.Add("period . ... \" ( [x] \x00 \xff #3 40mg/ -")
	f.Fuzz(func(t *testing.T, script string) {
		tr := heard(script)
		doc := mustDraft(t, tr, templates.All()[0])
		seen := map[int]bool{}
		for _, s := range doc.Sections {
			for _, r := range s.Runs {
				for _, w := range r.Source.Words {
					seen[w] = true
				}
			}
		}
		for _, r := range doc.Removed {
			for _, w := range r.Words {
				seen[w] = true
			}
		}
		if len(seen) != len(tr.Words) {
			t.Fatalf("%d of %d words have a place", len(seen), len(tr.Words))
		}
	})
}
