package notes_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vesper/internal/fault"
	"vesper/notes"
	"vesper/transcribe"
)

// blocksOf are the text blocks of a plainly fictional author.
var blocksOf = []notes.TextBlock{
	{Name: "heart exam", Also: []string{"cardiac exam"}, Text: "Regular rate and rhythm. No murmur.", ApprovedBy: "a1", ApprovedAt: time.Unix(1000, 0), Version: "v7"},
	{Name: "consent", Text: "Risks were discussed.\nThe patient agreed.", ApprovedBy: "a1", ApprovedAt: time.Unix(2000, 0)},
}

// spokenPhrases are the commands in all forms, and words around them.
var spokenPhrases = []string{
	"period", "period.", "Comma,", "comma", "coma,", "Theriod.", "Kamer,", "colon", "semi-colon", "question mark", "New pair graph.",
	"new line", "noon line.", "new paragraph", "next section", "number one", "next number", "bullet point", "open paren", "close paren",
	"open bracket", "close bracket", "quote", "unquote", "end quote", "cap", "all caps", "no caps", "caps on", "caps off", "all caps on",
	"no space", "hyphen", "slash", "dash", "scratch that", "Strike that.", "delete the last sentence", "scratch last word", "correction",
	"correction, woman", "make that fifty", "sorry, left", "go back to plan.", "add to assessment colon", "insert my normal heart exam.",
	"use my normal consent", "insert my normal liver.", "numeral five", "roman numeral four", "spell s m i t h", "spelled sierra mike india tango hotel",
	"S-M-I-T-H,", "spell capital b double l as in lima", "leave a blank", "blank", "flag this.", "please verify", "Stat dictation.", "c c doctor Patel period",
	"copy to doctor Nguyen and doctor Cho.", "please send a copy to Dr. Reyes.", "end of dictation", ".", ",", "?", "Plan, colon.", "subjective colon", "lungs colon",
	"fifty four year old man", "the left knee", "forty milligrams", "doctor smith", "menstrual period", "colon cancer", "she eats", "He walks.",
	"no fever,", "lisinopril", "losartan",
}

func anyDictation(t *rapid.T) transcribe.Transcript {
	var out transcribe.Transcript
	at := 0.0
	said := rapid.SliceOfN(rapid.SampledFrom(spokenPhrases), 0, 25).Draw(t, "said")
	for _, word := range strings.Fields(strings.Join(said, " ")) {
		at += rapid.SampledFrom([]float64{0, 0, 0, 0.1, 0.3, 0.6, 1.5, 5}).Draw(t, "gap")
		out.Words = append(out.Words, transcribe.Word{Text: word, Start: at, End: at + 0.3, Confidence: 0.9})
		at += 0.3
	}
	out.Audio.Seconds = at
	return out
}

// tiles says that every word of a transcript is in exactly one place of a document.
func tiles(t interface{ Fatalf(string, ...any) }, tr transcribe.Transcript, doc notes.Document) {
	var places []int
	for _, s := range doc.Sections {
		for _, r := range s.Runs {
			places = append(places, r.Source.Words...)
		}
	}
	for _, r := range doc.Removed {
		places = append(places, r.Words...)
	}
	slices.Sort(places)
	want := make([]int, len(tr.Words))
	for i := range want {
		want[i] = i
	}
	if !slices.Equal(places, want) {
		t.Fatalf("places of words: %v\n%s", places, notes.Text(doc))
	}
}

func TestWhateverIsRestoredEachWordStaysInOnePlace(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := anyDictation(t)
		doc, err := notes.Draft(tr, anyTemplate(t), notes.Options{Blocks: blocksOf})
		if err != nil {
			t.Fatal(err)
		}
		tiles(t, tr, doc)
		for range rapid.IntRange(0, 12).Draw(t, "times") {
			all := notes.Restorable(doc)
			if len(all) == 0 {
				break
			}
			one := rapid.SampledFrom(all).Draw(t, "taken")
			next, err := notes.Restore(doc, one.ID, "p1", time.Unix(5, 0))
			if err != nil {
				t.Fatal(err)
			}
			tiles(t, tr, next)
			if !strings.Contains(letters(notes.Text(next)), letters(one.Said)) {
				t.Fatalf("%q was restored, and is not in %q", one.Said, notes.Text(next))
			}
			if len(notes.Restorable(next)) != len(all)-1 {
				t.Fatalf("after restoring %q %d things can be restored, not %d", one.Said, len(notes.Restorable(next)), len(all)-1)
			}
			doc = next
		}
	})
}

func TestEverythingTakenCanBePutBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tr := anyDictation(t)
		doc, err := notes.Draft(tr, templateOf(t), notes.Options{Blocks: blocksOf})
		if err != nil {
			t.Fatal(err)
		}
		for all := notes.Restorable(doc); len(all) > 0; all = notes.Restorable(doc) {
			if doc, err = notes.Restore(doc, all[0].ID, "p1", time.Unix(5, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if len(doc.Removed) > 0 {
			t.Fatalf("still removed: %v", doc.Removed)
		}
		tiles(t, tr, doc)
	})
}

func restored(t *testing.T, script, said string) string {
	t.Helper()
	doc, err := notes.Draft(heard(script), template(t, "progress"), notes.Options{Blocks: blocksOf})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range notes.Restorable(doc) {
		if one.Said == said {
			next, err := notes.Restore(doc, one.ID, "p1", time.Unix(5, 0))
			if err != nil {
				t.Fatal(err)
			}
			s, _ := next.Section("subjective")
			return s.Text()
		}
	}
	t.Fatalf("%q cannot be restored in %q: %+v", said, script, notes.Restorable(doc))
	return ""
}

func TestRestoringACommandPutsItsWordsBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, said, want string }{
		{"he eats period she sleeps", "period", "He eats period She sleeps"},
		{"he eats period new line she sleeps period", "new line", "He eats. new line She sleeps."},
		{"he eats period she feels bad scratch that she sleeps period", "she feels bad", "He eats. she feels bad She sleeps."},
		{"he eats period she feels bad scratch that she sleeps period", "scratch that", "He eats. scratch that She sleeps."},
		{"sixty year old man correction woman period", "man", "60-year-old man woman."},
		{"take all caps now period", "all caps", "Take all caps NOW."},
		{"she has numeral four dogs period", "numeral four", "She has numeral four dogs."},
		{"doctor smith spelled s m y t h e came period", "smith spelled s m y t h e", "Doctor smith spelled s m y t h e came."},
		{"use my normal heart exam period", "use my normal heart exam", "use my normal heart exam"},
		{"subjective colon she eats period", "subjective colon", "subjective colon She eats."},
		{"number one rest period", "number one", "number one Rest."},
	} {
		if got := restored(t, c.script, c.said); got != c.want {
			t.Errorf("%q, %q put back: %q, want %q", c.script, c.said, got, c.want)
		}
	}
}

func TestRestoringSettlesTheFlagAndRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "he eats period she feels bad scratch that she sleeps period")
	for _, one := range notes.Restorable(doc) {
		if one.Reason != notes.RemovedScratched {
			continue
		}
		next, err := notes.Restore(doc, one.ID, "p1", time.Unix(5, 0))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(next.Flags, func(f notes.Flag) bool { return f.Kind == notes.FlagScratched })
		if s := next.Flags[i].Settled; s == nil || s.How != "restored" || s.By != "p1" {
			t.Errorf("the flag is settled as %+v", s)
		}
		if _, err := notes.Restore(next, one.ID, "p1", time.Unix(6, 0)); fault.KindOf(err) != fault.NotFound {
			t.Errorf("restored twice: %v", err)
		}
	}
	var f *fault.Error
	if _, err := notes.Restore(doc, "w99-99", "p1", time.Unix(5, 0)); !errors.As(err, &f) {
		t.Errorf("an unknown id gives %v", err)
	}
}

func FuzzCommandsTakeAnyWords(f *testing.F) {
	for _, p := range spokenPhrases {
		f.Add("she eats comma drinks comma and sleeps period " + p + " he walks period")
	}
	f.Fuzz(func(t *testing.T, script string) {
		tr := heard(script)
		doc, err := notes.Draft(tr, templateOf(t), notes.Options{Blocks: blocksOf})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		mark := func(words []int) {
			for _, w := range words {
				seen[w] = true
			}
		}
		for _, s := range doc.Sections {
			for _, r := range s.Runs {
				mark(r.Source.Words)
			}
		}
		for _, r := range doc.Removed {
			mark(r.Words)
		}
		if len(seen) != len(tr.Words) {
			t.Fatalf("%d of %d words have a place", len(seen), len(tr.Words))
		}
		for _, one := range notes.Restorable(doc) {
			if _, err := notes.Restore(doc, one.ID, "p1", time.Unix(0, 0)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
