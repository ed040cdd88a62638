package notes_test

import (
	"testing"

	"pgregory.net/rapid"

	"vesper/notes"
)

func noteOf(sections ...string) notes.Document {
	var d notes.Document
	for i, text := range sections {
		key := string(rune('a' + i))
		d.Sections = append(d.Sections, notes.Section{Key: key, Heading: key, Runs: []notes.Run{{Text: text}}})
	}
	return d
}

func TestErrorsAreCriticalWhereTheyHarm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, after              string
		critical, other, cosmetic, score int
	}{
		{"nothing", "She takes lisinopril 20 mg.", "She takes lisinopril 20 mg.", 0, 0, 0, 100},
		{"a dose", "She takes lisinopril 20 mg.", "She takes lisinopril 40 mg.", 1, 0, 0, 97},
		{"a unit", "Levothyroxine 125 mg daily.", "Levothyroxine 125 mcg daily.", 1, 0, 0, 97},
		{"a drug", "She takes hydroxyzine.", "She takes hydralazine.", 1, 0, 0, 97},
		{"a side", "Pain in the left knee.", "Pain in the right knee.", 1, 0, 0, 97},
		{"a negation", "She has chest pain.", "She denies chest pain.", 1, 0, 0, 97},
		{"an allergy", "She has a sulfa reaction.", "She has a sulfa allergy.", 1, 0, 0, 97},
		{"a word", "The scar is well healed.", "The scar is nicely healed.", 0, 1, 0, 99},
		{"marks", "She feels well she sleeps.", "She feels well. She sleeps.", 0, 0, 1, 100},
		{"white space", "She feels well. She sleeps.", "She feels well.\n\nShe sleeps.", 0, 0, 0, 100},
		{"two sentences left out", "She sleeps.", "She sleeps. Her mood is bright. She takes aspirin.", 1, 1, 0, 96},
		{"two places", "Pain in the left knee for two weeks.", "Pain in the right knee for ten weeks.", 2, 0, 0, 94},
	} {
		e := notes.CountErrors(noteOf(c.before), noteOf(c.after))
		if e.Critical != c.critical || e.Other != c.other || e.Cosmetic != c.cosmetic || int(e.Score()) != c.score {
			t.Errorf("%s: %+v, score %v", c.name, e, e.Score())
		}
	}
	moved := notes.CountErrors(noteOf("She takes aspirin daily.", ""), noteOf("", "She takes aspirin daily."))
	if moved.Critical != 0 || moved.Other != 1 {
		t.Errorf("text in the wrong section: %+v", moved)
	}
	if (notes.Errors{Critical: 50}).Score() != 0 {
		t.Error("a score is below zero")
	}
}

func TestAnUnchangedNoteHasNoErrorsAndCountsAreNeverNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := mustDraft(t, anyTranscript(t), anyTemplate(t))
		if e := notes.CountErrors(a, a); e.Critical+e.Other+e.Cosmetic != 0 || e.Score() != 100 {
			t.Fatalf("%+v", e)
		}
		if len(a.Sections) == 0 {
			return
		}
		b := notes.Rebase(a, anyEdit(t, a), "editor", noon)
		e := notes.CountErrors(a, b)
		if e.Critical < 0 || e.Other < 0 || e.Cosmetic < 0 || e.Score() < 0 || e.Score() > 100 {
			t.Fatalf("%+v", e)
		}
		if bare := notes.Text(a) != notes.Text(b); !bare && e.Critical+e.Other+e.Cosmetic > 0 {
			t.Fatalf("the same text has errors: %+v", e)
		}
	})
}
