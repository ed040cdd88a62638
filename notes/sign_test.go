package notes_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vesper/internal/fault"
	"vesper/notes"
)

func statement() notes.SigningStatement {
	return notes.SigningStatement{
		NoteID: "n1", Version: 3, PracticeID: "p1", DictationID: "d1", WorkType: "progress", Title: "Progress Note", LOINC: "11506-3",
		Patient: notes.PatientRef{ID: "pt1", MRN: "000123"}, EncounterID: "e1",
		Author: notes.Person{ID: "u1", Name: "Ada Winter", Credential: "MD"}, Signer: notes.Person{ID: "u1", Name: "Ada Winter", Credential: "MD"},
		SignedAt: noon.Add(123 * time.Millisecond).In(time.FixedZone("", 7200)), Meaning: "I dictated and reviewed this note.",
	}
}

func TestTheSignedTextIsTheNoteWithItsSignatureBlock(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", visit)
	canonical, st, err := notes.Canonical(statement(), doc)
	if err != nil {
		t.Fatal(err)
	}
	want := `Progress Note

SUBJECTIVE
She feels well.

PLAN
1. Increase lisinopril to 40 mg daily.
2. Follow up in 4 weeks.

Electronically signed by Ada Winter, MD
2026-10-03 12:00:00 UTC
Meaning: I dictated and reviewed this note.
`
	if diff := cmp.Diff(want, st.Text); diff != "" {
		t.Error(diff)
	}
	sum := sha256.Sum256([]byte(st.Text))
	if st.TextSHA256 != hex.EncodeToString(sum[:]) {
		t.Error("the digest is not that of the text")
	}
	if !bytes.Contains(canonical, []byte(`"signed_at":"2026-10-03T12:00:00Z"`)) {
		t.Errorf("canonical bytes: %s", canonical)
	}
	var back notes.SigningStatement
	if err := json.Unmarshal(canonical, &back); err != nil {
		t.Fatal(err)
	}
	again, _, err := notes.Canonical(back, doc)
	if err != nil || !bytes.Equal(again, canonical) {
		t.Errorf("the bytes changed on the way through JSON: %v", err)
	}
}

func TestAnAddendumNamesItsNoteAndADifferentAuthorIsPrinted(t *testing.T) {
	t.Parallel()
	doc, err := notes.AddendumDocument("progress", " The dose was 20 mg.\r\n", "u1", noon)
	if err != nil {
		t.Fatal(err)
	}
	st := statement()
	st.ParentNoteID, st.Signer = "n0", notes.Person{ID: "u2", Name: "Bo Sommer", Credential: "DO"}
	_, st, err = notes.Canonical(st, doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"Progress Note (addendum)", "ADDENDUM to note n0", "The dose was 20 mg.", "Dictated by Ada Winter, MD", "signed by Bo Sommer, DO",
	} {
		if !strings.Contains(st.Text, part) {
			t.Errorf("%q is not in\n%s", part, st.Text)
		}
	}
	if _, err := notes.AddendumDocument("progress", " \n", "u1", noon); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an empty addendum gave %v", err)
	}
}

func TestAnIncompleteOrEmptyNoteHasNoSignedForm(t *testing.T) {
	t.Parallel()
	st := statement()
	st.Signer.Name = ""
	if _, _, err := notes.Canonical(st, draft(t, "progress", visit)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a name: %v", err)
	}
	if _, _, err := notes.Canonical(statement(), draft(t, "progress", "")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without text: %v", err)
	}
}

func TestTheHashFollowsWhatWasSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := anyDraft(t)
		edited := texts(doc)
		i := rapid.IntRange(0, len(edited)-1).Draw(t, "section")
		edited[i].Text += " typed"
		next := notes.Rebase(doc, edited, "p", noon)
		if notes.ContentHash(next) == notes.ContentHash(doc) {
			t.Fatal("another text has the same hash")
		}
		a, _, errA := notes.Canonical(withTitle(statement()), next)
		b, _, errB := notes.Canonical(withTitle(statement()), next)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Fatalf("two forms of one note: %v, %v", errA, errB)
		}
	})
}

func withTitle(st notes.SigningStatement) notes.SigningStatement {
	st.Title = "Note"
	return st
}

func TestPlainTextIsNFCWithLineFeedsOnly(t *testing.T) {
	t.Parallel()
	if got := notes.NormalizeText("a\u0301\r\nb\rc\x00\u2028\xff"); got != "\u00e1\nb\nc\n\ufffd" {
		t.Errorf("got %q", got)
	}
}

func TestSentencesKnowTheirAudioAndTheirPeople(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Subjective colon\nMrs. Winters takes zero point five milligrams period\nshe eats period\nhe sleeps period")
	next := notes.Rebase(doc, []notes.SectionText{
		{Key: "subjective", Text: "Mrs. Winters takes 0.5 mg. She eats well. She sleeps."},
	}, "vma", noon)
	s, _ := next.Section("subjective")
	sentences := notes.Sentences(s)
	var got []string
	for _, sentence := range sentences {
		got = append(got, sentence.Text)
		if s.Text()[sentence.From:sentence.To] != sentence.Text {
			t.Errorf("%q has wrong offsets", sentence.Text)
		}
		if sentence.End <= sentence.Start {
			t.Errorf("%q has the span %v–%v", sentence.Text, sentence.Start, sentence.End)
		}
	}
	if diff := cmp.Diff([]string{"Mrs. Winters takes 0.5 mg.", "She eats well.", "She sleeps."}, got); diff != "" {
		t.Fatal(diff)
	}
	if len(sentences[0].People) != 0 || len(sentences[1].People) != 1 || sentences[1].People[0] != "vma" {
		t.Errorf("people: %v, %v", sentences[0].People, sentences[1].People)
	}
	if sentences[0].End > sentences[1].Start || sentences[1].End > sentences[2].Start {
		t.Errorf("spans overlap: %+v", sentences)
	}
}
