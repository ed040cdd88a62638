package render_test

import (
	"bytes"
	"testing"
	"time"

	"vesper/notes"
	"vesper/notes/render"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// version is a note of one section.
func version(text string) render.Version {
	d := notes.Document{WorkType: "progress", Dictated: "2026-11-24", Sections: []notes.Section{
		{Key: "plan", Heading: "Plan", Runs: []notes.Run{{Text: text, Source: notes.Source{Kind: notes.FromSpeech, Start: 1, End: 2}}}},
	}}
	return render.Version{
		Document: d, Number: 3, ContentHash: notes.ContentHash(d), At: noon, SavedBy: "Kim Example", Title: "Progress Note", NoteID: "note-1",
		Author: notes.Person{ID: "p1", Name: "Ana Rivera", Credential: "MD"}, Patient: render.Patient{Name: "Demo Patient", MRN: "DEMO-0001", BirthDate: "1970-01-01"},
	}
}

func signed(v render.Version) render.Version {
	v.Signature = &render.Signature{Name: "Ana Rivera, MD", At: noon.Add(time.Hour), Meaning: "I dictated this note, reviewed it and approve it.", TextSHA256: "ab12"}
	return v
}

func rendered(t testing.TB, f render.Format, v render.Version) []byte {
	t.Helper()
	out, err := render.Render(f, v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryFormSaysWhichVersionItIs(t *testing.T) {
	t.Parallel()
	for _, f := range render.Formats() {
		draft, final := version("Follow up in 4 weeks."), signed(version("Follow up in 4 weeks."))
		for _, part := range []string{"Version", "3", draft.ContentHash, "Progress Note", "Demo Patient", "DEMO", "Follow up in 4 weeks", render.Draft} {
			if !holds(t, f, rendered(t, f, draft), part) {
				t.Errorf("%s: the draft does not say %q", f, part)
			}
		}
		out := rendered(t, f, final)
		for _, part := range []string{"Electronically signed by Ana Rivera, MD", "2026-11-24 13:00:00 UTC", "I dictated this note", "ab12", final.ContentHash} {
			if !holds(t, f, out, part) {
				t.Errorf("%s: the signed note does not say %q", f, part)
			}
		}
		if holds(t, f, out, render.Draft) {
			t.Errorf("%s: the signed note is marked as a draft", f)
		}
		if !bytes.Equal(out, rendered(t, f, final)) {
			t.Errorf("%s: the same version gives other bytes", f)
		}
		if f.ContentType() == "" || f.Extension() == "" {
			t.Errorf("%s has no type or extension", f)
		}
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := render.ParseFormat("docx"); err == nil {
		t.Error("docx was taken")
	}
	if _, err := render.Render("docx", version("x")); err == nil {
		t.Error("docx was rendered")
	}
}
