package notes_test

import (
	"strings"
	"testing"

	"vesper/notes"
)

// subjective is the text that a dictation yields in the first section of a progress note.
func subjective(t *testing.T, script string) string {
	t.Helper()
	s, _ := draft(t, "progress", script).Section("subjective")
	return s.Text()
}

func TestSpokenCommands(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, said, want string }{
		{"period", "no chest pain period lungs are clear period", "No chest pain. Lungs are clear."},
		{"full stop", "no chest pain full stop", "No chest pain."},
		{"period as an engine writes it", "No chest pain, period. Lungs are clear period.", "No chest pain. Lungs are clear."},
		{"a mark is never doubled", "No chest pain. Period. Lungs are clear.", "No chest pain. Lungs are clear."},
		{"comma", "pain comma fever comma or chills period", "Pain, fever, or chills."},
		{"comma as an engine writes it", "Pain, comma, fever, comma. Or chills, period.", "Pain, fever, or chills."},
		{"comma misheard", "Pain, comma, fever, comma, chills, Coma with no cough, period.", "Pain, fever, chills, with no cough."},
		{"comma misheard at a pause", "Pain, comma. Fever, comma. And daily, coma. And chills, period.", "Pain, fever, and daily, and chills."},
		{"coma is a diagnosis", "She was found in a coma.", "She was found in a coma."},
		{"fever, coma and chills", "pain comma fever comma coma period", "Pain, fever, coma."},
		{"comma shaped", "a comma shaped scar period", "A comma shaped scar."},
		{"semicolon", "stable semicolon no change period", "Stable; no change."},
		{"semi colon", "stable semi colon no change period", "Stable; no change."},
		{"question mark", "is it malignant question mark", "Is it malignant?"},
		{"colon", "as follows colon rest and ice period", "As follows: rest and ice."},
		{"hyphen", "follow hyphen up visit period", "Follow-up visit."},
		{"slash", "and slash or period", "And/or."},
		{"parentheses", "aspirin open paren baby dose close paren daily period", "Aspirin (baby dose) daily."},
		{"left parenthesis", "aspirin left parenthesis daily right parenthesis period", "Aspirin (daily)."},
		{"quote", "she said quote it burns unquote period", `She said "it burns".`},
		{"new line", "first new line second", "First\nSecond"},
		{"new paragraph", "it is stable period new paragraph she feels well period", "It is stable.\n\nShe feels well."},
		{"new paragraph, misheard", "It is stable, period. New pair of graph. She feels well, period.", "It is stable.\n\nShe feels well."},
		{"numbers", "number one rest period number two ice period", "1. Rest.\n2. Ice."},
		{"numbers, written", "Number 1. Rest, period. Number 2, ice, period. #3. Call.", "1. Rest.\n2. Ice.\n3. Call."},
		{"number to", "number one rest period number to ice period", "1. Rest.\n2. Ice."},
		{"next number", "number one rest period next number ice period", "1. Rest.\n2. Ice."},
		{"bullets", "bullet point rest bullet point ice", "- Rest\n- Ice"},
		{"cap", "see cap golgi body period", "See Golgi body."},
		{"all caps", "take all caps now period", "Take NOW."},
		{"caps on and off", "this is caps on very urgent caps off indeed period", "This is Very Urgent indeed."},
		{"all caps on and off", "this is all caps on very urgent all caps off indeed period", "This is VERY URGENT indeed."},
		{"end of dictation", "she feels well period end of dictation", "She feels well."},
		{"scratch that, in a sentence", "she feels well period he feels bad scratch that she eats period", "She feels well. She eats."},
		{"scratch that, after a period", "she feels well period he feels bad period scratch that she eats period", "She feels well. She eats."},
		{"strike that", "she has pain on the left strike that she has pain on the right period", "She has pain on the right."},
		{"delete that, as an engine writes it", "She feels well. He feels bad. Delete that. She eats.", "She feels well. She eats."},
		{"scratch that, at the beginning", "scratch that she eats period", "She eats."},
		{"two commands in a row", "she eats period period new paragraph new line she sleeps period", "She eats.\n\nShe sleeps."},
		{"marks at the beginning", "period comma she eats period", "She eats."},
		{"pH keeps its form", "pH is low period pH rose period", "pH is low. pH rose."},
		{"mishearing of a list", "1. Rest at home. 2. Ice.", "1. Rest at home. 2. Ice."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := subjective(t, c.said); got != c.want {
				t.Errorf("%q became\n%q, want\n%q", c.said, got, c.want)
			}
		})
	}
}

func TestWordsThatAreNoCommands(t *testing.T) {
	t.Parallel()
	for _, said := range []string{
		"Her last menstrual period was in May.", "A period of two weeks went by.", "In the postoperative period she did well.",
		"Over a six week period he lost weight.", "During this period she ate.", "The ascending colon was normal.",
		"He has colon cancer.", "The transverse colon and the descending colon were normal.", "A polyp in the sigmoid colon was removed.",
		"We began a new line of therapy.", "A new line was placed.", "A central line was placed.", "A bullet wound of the thigh.",
		"The cap of the bottle.", "The comma shaped scar.", "Room number four is hers.", "She is a number one fan.",
		"This is the end of a long road.", "A dash of salt.", "His quote was kind.", "The number one cause is smoking.",
		"He was seen in the next section of the ward.", "She was told to scratch that itch.",
	} {
		got := subjective(t, said)
		want := strings.NewReplacer("two weeks", "2 weeks", "six week", "6-week", "number four", "number 4").Replace(said)
		if got != want {
			t.Errorf("%q became %q", said, got)
		}
	}
}

func TestSpeakersWithoutCommandsGetTheEnginesSentences(t *testing.T) {
	t.Parallel()
	got := subjective(t, "She has a cough\nThe cough is worse at night\nShe takes aspirin.")
	if want := "She has a cough. The cough is worse at night. She takes aspirin."; got != want {
		t.Errorf("got %q", got)
	}
	tr := heard("She feels well. The cough is gone.")
	for i := 3; i < len(tr.Words); i++ {
		tr.Words[i].Start += 5
		tr.Words[i].End += 5
	}
	doc := mustDraft(t, tr, template(t, "progress"))
	if want := "SUBJECTIVE\nShe feels well.\n\nThe cough is gone.\n"; notes.Text(doc) != want {
		t.Errorf("a long pause gave %q", notes.Text(doc))
	}
}

func TestConsumedWordsAreOnTheRecord(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "progress note period\nsubjective colon\nhe eats scratch that she eats new paragraph period end of dictation")
	got := map[notes.RemovedReason]string{}
	for _, r := range doc.Removed {
		got[r.Reason] += r.Text + "|"
	}
	want := map[notes.RemovedReason]string{
		notes.RemovedTitle: "progress note period|", notes.RemovedHeading: "subjective colon|",
		notes.RemovedScratched: "he eats|", notes.RemovedCommand: "scratch that|period|end of dictation|new paragraph|",
	}
	for reason, text := range want {
		if got[reason] != text {
			t.Errorf("%s: %q, want %q", reason, got[reason], text)
		}
	}
}

func TestABlankOutlivesScratchThat(t *testing.T) {
	t.Parallel()
	tr := heard("Subjective colon\nshe has pain on the left scratch that she eats period")
	at := tr.Words[5].Start
	tr.Spans = append(tr.Spans, notesSpan(at-0.2, at-0.1))
	doc := mustDraft(t, tr, template(t, "progress"))
	if s, _ := doc.Section("subjective"); s.Text() != "[blank 0:02–0:02] she eats." {
		t.Errorf("got %q", s.Text())
	}
}
