package corpus_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/bench/corpus"
	"vesper/notes/templates"
)

func dictations(t *testing.T) []corpus.Case {
	t.Helper()
	cases, err := corpus.Load(filepath.Join("..", "..", "testdata", "dictations"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestTheCorpusCoversSpecialtiesVoicesContainersAndWorkTypes(t *testing.T) {
	t.Parallel()
	seen := map[string]map[string]bool{}
	note := func(what, value string) {
		if seen[what] == nil {
			seen[what] = map[string]bool{}
		}
		seen[what][value] = true
	}
	for _, c := range dictations(t) {
		note("cases", c.Name)
		note("specialties", c.Specialty)
		for _, r := range c.Recordings() {
			note("voices", r.Voice)
			note("containers", filepath.Ext(r.Audio))
		}
		if c.Second != nil {
			note("in two voices", c.Name)
		}
		if c.Unseen {
			note("unseen", c.Name)
		}
		for _, f := range c.Expect.FollowUps {
			note("kinds of follow-up", f.Kind)
		}
		note("work types", c.WorkType)
		if !c.SpokenPunctuation {
			note("without dictated punctuation", c.Name)
		}
		if strings.Contains(c.Script, "scratch that") {
			note("with words taken back", c.Name)
		}
		for _, f := range c.Facts {
			note("kinds of fact", string(f.Kind))
		}
	}
	atLeast := map[string]int{
		"cases": 25, "specialties": 20, "voices": 3, "containers": 6, "work types": 12, "in two voices": 16, "unseen": 7,
		"without dictated punctuation": 4, "with words taken back": 4, "kinds of fact": 7, "kinds of follow-up": 5,
	}
	for what, n := range atLeast {
		if len(seen[what]) < n {
			t.Errorf("%s: %d, want at least %d", what, len(seen[what]), n)
		}
	}
}

func TestEveryRecordingIsAsLongAsItsCaseSays(t *testing.T) {
	t.Parallel()
	for _, c := range dictations(t) {
		for _, r := range c.Recordings() {
			got, err := corpus.ProbeSeconds(t.Context(), r.Path())
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if math.Abs(got-r.Seconds) > 0.5 {
				t.Errorf("%s %s lasts %.2f s, case.yaml says %.1f", c.Name, r.Audio, got, r.Seconds)
			}
			if got < 30 || got > 150 {
				t.Errorf("%s %s lasts %.1f s, want 30 to 150", c.Name, r.Audio, got)
			}
			most := int64(520_000)
			if c.Second != nil {
				most = 110_000
			}
			if info, err := os.Stat(r.Path()); err != nil || info.Size() > most {
				t.Errorf("%s %s: %v bytes, want at most %d (%v)", c.Name, r.Audio, info.Size(), most, err)
			}
		}
	}
}

func TestATranscriptIsThatOfTheRecordingBesideIt(t *testing.T) {
	t.Parallel()
	for _, c := range dictations(t) {
		for _, r := range c.Recordings() {
			heard, ok, err := r.Heard()
			if err != nil {
				t.Fatalf("%s: %v", c.Name, err)
			}
			if !ok {
				continue
			}
			data, err := os.ReadFile(r.Path())
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != heard.Audio.SHA256 {
				t.Errorf("%s: the transcript of %s is of another recording: run testdata/hear.sh", c.Name, r.Audio)
			}
			if len(heard.Words) == 0 || len(heard.Spans) == 0 {
				t.Errorf("%s: the transcript of %s has %d words and %d spans", c.Name, r.Audio, len(heard.Words), len(heard.Spans))
			}
		}
	}
}

func TestWhatACaseExpectsCanBeMet(t *testing.T) {
	t.Parallel()
	kinds := strings.Fields("appointment referral lab imaging procedure prior_authorization letter call medication_hold")
	for _, c := range dictations(t) {
		text := c.Note.Text()
		for _, term := range c.Expect.Terms {
			if !(corpus.Fact{Text: term}).In(text) {
				t.Errorf("%s: the term %q does not stand in note.json", c.Name, term)
			}
		}
		for _, e := range c.Expect.Commands {
			if !e.Shown(text) {
				t.Errorf("%s: note.json does not show the effect of %q", c.Name, e.Say)
			}
			if !strings.Contains(strings.Join(strings.Fields(c.Script), " "), e.Say) {
				t.Errorf("%s: nobody says %q", c.Name, e.Say)
			}
		}
		for _, f := range c.Expect.FollowUps {
			if !slices.Contains(kinds, f.Kind) || len(f.Text) == 0 {
				t.Errorf("%s: follow-up %+v has no known kind or no words", c.Name, f)
			}
		}
		for key := range c.Expect.Also {
			if !slices.ContainsFunc(c.Note.Sections, func(s corpus.Section) bool { return s.Key == key }) {
				t.Errorf("%s: expect.yaml names the section %q, note.json does not", c.Name, key)
			}
		}
	}
}

func TestAFlagIsToldByTheBeginningOfItsWords(t *testing.T) {
	t.Parallel()
	about := corpus.About{About: []string{"allerg", "left knee"}}
	for text, want := range map[string]bool{
		"Allergies: none": true, "no known allergy": true, "the “left knee” or the right": true, "left-knee pain": true, "nonallergic": false, "left": false,
	} {
		if about.Of(text) != want {
			t.Errorf("%q: %v, want %v", text, !want, want)
		}
	}
}

func TestEveryExpectedNoteFollowsItsTemplate(t *testing.T) {
	t.Parallel()
	for _, c := range dictations(t) {
		template, err := templates.Find(c.WorkType)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if c.Note.WorkType != c.WorkType {
			t.Errorf("%s: the note is a %q, the case a %q", c.Name, c.Note.WorkType, c.WorkType)
		}
		last := -1
		for _, s := range c.Note.Sections {
			at := slices.IndexFunc(template.Sections, func(ts templates.Section) bool { return ts.Key == s.Key })
			switch {
			case at < 0:
				t.Errorf("%s: the template %s has no section %q", c.Name, c.WorkType, s.Key)
			case template.Sections[at].Heading != s.Heading:
				t.Errorf("%s: section %s is headed %q, the template says %q", c.Name, s.Key, s.Heading, template.Sections[at].Heading)
			case at <= last:
				t.Errorf("%s: section %s is out of the template's order", c.Name, s.Key)
			case strings.TrimSpace(s.Text) == "":
				t.Errorf("%s: section %s is empty", c.Name, s.Key)
			}
			last = max(last, at)
		}
	}
}

func TestEveryFactStandsInItsNote(t *testing.T) {
	t.Parallel()
	for _, c := range dictations(t) {
		if len(c.Facts) < 5 {
			t.Errorf("%s has %d facts, want at least 5", c.Name, len(c.Facts))
		}
		for _, f := range c.Facts {
			if !strings.Contains(c.Note.Text(), f.Text) || !f.In(c.Note.Text()) {
				t.Errorf("%s: %s %q does not stand in note.json", c.Name, f.Kind, f.Text)
			}
		}
	}
}

func TestPunctuationIsDictatedWhereTheCaseSaysSo(t *testing.T) {
	t.Parallel()
	for _, c := range dictations(t) {
		marks := strings.Count(c.Script, " period\n")
		if c.SpokenPunctuation != (marks > 3) {
			t.Errorf("%s: spoken_punctuation is %v, the script says \"period\" %d times", c.Name, c.SpokenPunctuation, marks)
		}
	}
}

func TestAFactIsFoundOnlyAsWholeWordsAndNumbers(t *testing.T) {
	t.Parallel()
	fact := corpus.Fact{Kind: corpus.Dose, Text: "5 mg", Accept: []string{"5 milligrams"}}
	for text, want := range map[string]bool{
		"start 5 mg daily": true, "Start 5 MG.": true, "5 milligrams": true, "(5 mg)": true, "25 mg, then 5 mg": true, "a 5-mg tablet": true,
		"start 25 mg": false, "start 0.5 mg": false, "1,5 mg": false, "5 mgs": false, "": false,
	} {
		if got := fact.In(text); got != want {
			t.Errorf("in %q: %v, want %v", text, got, want)
		}
	}
	reading := corpus.Fact{Text: "142/88"}
	if reading.In("142/882") || reading.In("142/88/2") || !reading.In("pressure 142/88.") {
		t.Error("142/88 is not told from a longer number")
	}
}

func TestAFactIsAlwaysFoundBetweenSpaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		spelling := rapid.StringMatching(`[a-z0-9][a-z0-9./ é°]{0,8}`).Draw(t, "spelling")
		around := rapid.StringMatching(`[a-zé 0-9.,/]{0,12}`)
		text := around.Draw(t, "before") + " " + spelling + " " + around.Draw(t, "after")
		if !(corpus.Fact{Text: spelling}).In(text) {
			t.Fatalf("%q is not found in %q", spelling, text)
		}
	})
}

func TestAFolderThatIsNoCorpusIsRefused(t *testing.T) {
	t.Parallel()
	write := func(dir, file, text string) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := corpus.Load(t.TempDir()); err == nil {
		t.Error("an empty folder is read as a corpus")
	}
	root := t.TempDir()
	dir := filepath.Join(root, "one")
	files := []struct{ name, good, bad string }{
		{"case.yaml", "work_type: progress\naudio: audio.ogg\n", "work_type: [progress\n"},
		{"script.txt", "no pain period\n", ""},
		{"note.json", `{"work_type":"progress"}`, `{"work_type":`},
		{"facts.yaml", "- kind: negation\n  text: no pain\n", "- kind: negation\n  txet: no pain\n"},
		{"audio.ogg", "sound", ""},
	}
	for _, f := range files {
		write(dir, f.name, f.good)
	}
	if cases, err := corpus.Load(root); err != nil || len(cases) != 1 || cases[0].Dir() != dir {
		t.Fatalf("a good case is not read: %v", err)
	}
	for _, f := range files {
		if f.bad == "" {
			if err := os.Remove(filepath.Join(dir, f.name)); err != nil {
				t.Fatal(err)
			}
		} else {
			write(dir, f.name, f.bad)
		}
		if _, err := corpus.Load(root); err == nil {
			t.Errorf("a case with a bad or missing %s is read", f.name)
		}
		write(dir, f.name, f.good)
	}
}
