package lexicon_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vesper/internal/lexicon"
)

func TestTermsAreFoundWithinATextLongestFirst(t *testing.T) {
	t.Parallel()
	l := lexicon.Default()
	for text, want := range map[string]string{
		"levothyroxine sodium 112 MCG Oral Tablet":           "levothyroxine",
		"lisinopril / hydrochlorothiazide 20 mg":             "lisinopril|hydrochlorothiazide",
		"Atrial fibrillation, and atrial fibrillation again": "atrial fibrillation",
		"the same as before":                                 "",
		"":                                                   "",
	} {
		var got []string
		for _, term := range l.Within(text) {
			if term.Kind != lexicon.Unit {
				got = append(got, strings.ToLower(term.Text))
			}
		}
		for w := range strings.SplitSeq(want, "|") {
			if w != "" && !slices.Contains(got, w) || want == "" && len(got) > 0 {
				t.Errorf("%q: found %v, want %q", text, got, want)
			}
		}
	}
}

func TestWhateverStandsInATextTheTermsWithinItAreTermsOnce(t *testing.T) {
	t.Parallel()
	l := lexicon.New([]lexicon.Term{{Text: "zanterpel", Kind: lexicon.Brand}, {Text: "bluebell sign", Kind: lexicon.Exam}})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"zanterpel", "Bluebell", "sign", ",", "(", "the", "\x00", "é", "12", "\xff"})).Draw(t, "words"), " ")
		found := l.Within(text)
		if len(found) > l.Len() {
			t.Fatalf("%q: %d terms of %d", text, len(found), l.Len())
		}
		for _, f := range found {
			if _, ok := l.Find(f.Text); !ok {
				t.Fatalf("%q: found the unknown %q", text, f.Text)
			}
		}
	})
}
