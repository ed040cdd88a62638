package lexicon_test

import (
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vesper/internal/lexicon"
)

func drawTerm(t *rapid.T, terms []lexicon.Term, label string) lexicon.Term {
	return terms[rapid.IntRange(0, len(terms)-1).Draw(t, label)]
}

func TestEveryTermIsFoundByItsOwnSoundAtDistanceZero(t *testing.T) {
	t.Parallel()
	l := lexicon.Default()
	terms := l.Terms()
	rapid.Check(t, func(t *rapid.T) {
		term := drawTerm(t, terms, "term")
		for _, m := range l.Near(term.Text, 0.05, 50) {
			if m.Term.Text == term.Text {
				if m.Distance != 0 {
					t.Fatalf("%q is %.3f away from itself", term.Text, m.Distance)
				}
				return
			}
		}
		t.Fatalf("%q is not near itself", term.Text)
	})
}

func TestDistanceIsSymmetricAndZeroOnlyForTheSameSounds(t *testing.T) {
	t.Parallel()
	terms := lexicon.Default().Terms()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawTerm(t, terms, "a").Text, drawTerm(t, terms, "b").Text
		x, y := lexicon.Distance(a, b), lexicon.Distance(b, a)
		if x != y || x < 0 || x > 1 {
			t.Fatalf("%q and %q: %.3f and %.3f", a, b, x, y)
		}
		if same := lexicon.Spell(lexicon.Sounds(a)) == lexicon.Spell(lexicon.Sounds(b)); same != (x == 0) {
			t.Fatalf("%q and %q: distance %.3f, same sounds %v", a, b, x, same)
		}
	})
}

// The index leaves out what cannot be near; it must never leave out what is.
func TestNearLeavesNothingOutThatIsNearEnough(t *testing.T) {
	t.Parallel()
	l := lexicon.Default()
	terms := l.Terms()
	rapid.Check(t, func(t *rapid.T) {
		heard := drawTerm(t, terms, "heard").Text
		limit := rapid.Float64Range(0.05, 0.45).Draw(t, "limit")
		found := map[string]bool{}
		for _, m := range l.Near(heard, limit, l.Len()) {
			found[m.Term.Text] = true
		}
		for range 400 {
			term := drawTerm(t, terms, "term")
			if d := lexicon.Distance(heard, term.Text); d <= limit && !found[term.Text] {
				t.Fatalf("%q is %.3f from %q, within %.3f, but was not found", term.Text, d, heard, limit)
			}
		}
	})
}

func TestNearIsTheSameEachTimeAndForEveryone(t *testing.T) {
	t.Parallel()
	l := lexicon.Default().With(lexicon.Term{Text: "Zanterpel", Kind: lexicon.Brand, Weight: 1})
	heard := []string{"listen up or", "metform in", "let the roxin", "zan turple", "period"}
	want := make([][]lexicon.Match, len(heard))
	for i, h := range heard {
		want[i] = l.Near(h, 0.4, 10)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, h := range heard {
				got := l.Near(h, 0.4, 10)
				if !slices.EqualFunc(got, want[i], func(a, b lexicon.Match) bool {
					return a.Term.Text == b.Term.Text && a.Distance == b.Distance
				}) {
					t.Errorf("%q gives %v, then %v", h, want[i], got)
				}
			}
		})
	}
	wg.Wait()
}

func TestEnginesMishearingsLeadToTheTerm(t *testing.T) {
	t.Parallel()
	for heard, want := range map[string]string{
		"listen up or":         "lisinopril",
		"metform in":           "metformin",
		"let the roxin":        "levothyroxine",
		"car vedilol":          "carvedilol",
		"loratidine":           "loratadine",
		"a torva statin":       "atorvastatin",
		"empagli flozen":       "empagliflozin",
		"dupiluma":             "dupilumab",
		"hydro chlorothyazide": "hydrochlorothiazide",
		"ampha tericin":        "amphotericin",
		"sofos buvear":         "sofosbuvir",
		"peri carditis":        "pericarditis",
	} {
		var got []string
		for _, m := range lexicon.Default().Near(heard, 0.5, 4) {
			got = append(got, m.Term.Text)
		}
		if !slices.Contains(got, want) {
			t.Errorf("%q: %q is not among %v", heard, want, got)
		}
	}
}

func TestFindTakesPluralsPossessivesHyphensAndCase(t *testing.T) {
	t.Parallel()
	l := lexicon.New([]lexicon.Term{
		{Text: "Crohn's disease", Kind: lexicon.Disease, Weight: 1},
		{Text: "beta-blocker", Kind: lexicon.Class, Weight: 1},
		{Text: "metastasis", Kind: lexicon.Disease, Weight: 1},
		{Text: "biopsy", Kind: lexicon.Procedure, Weight: 1},
		{Text: "diverticulum", Kind: lexicon.Disease, Weight: 1},
	})
	for heard, want := range map[string]string{
		"crohn's disease": "Crohn's disease", "CROHN’S DISEASE": "Crohn's disease", "beta blockers": "beta-blocker",
		"metastases": "metastasis", "biopsies": "biopsy", "diverticula": "diverticulum", "biopsy's": "biopsy",
	} {
		if got, ok := l.Find(heard); !ok || got.Text != want {
			t.Errorf("%q finds %q, %v", heard, got.Text, ok)
		}
	}
	if _, ok := l.Find("disease"); ok {
		t.Error("a part of a term is found as a term")
	}
	if !l.Has("disease") || l.Has("dis") {
		t.Error("Has is wrong about words of terms")
	}
}

func TestWithAddsAndReplacesWithoutTouchingWhatIsBelow(t *testing.T) {
	t.Parallel()
	base := lexicon.New([]lexicon.Term{{Text: "metformin", Kind: lexicon.Generic, Weight: 0.5}})
	over := base.With(lexicon.Term{Text: "Metformin", Kind: lexicon.Generic, Weight: 1, Says: []string{"met for men"}}, lexicon.Term{Text: "Foobarin", Kind: lexicon.Brand})
	if base.Len() != 1 || over.Len() != 2 {
		t.Fatalf("sizes %d and %d", base.Len(), over.Len())
	}
	if got, _ := over.Find("metformin"); got.Weight != 1 {
		t.Errorf("the upper term does not win: %+v", got)
	}
	if got := over.Near("met for men", 0.1, 5); len(got) != 1 || got[0].Says != "met for men" || got[0].Term.Text != "Metformin" {
		t.Errorf("near gives %+v", got)
	}
	if base.Fingerprint() == over.Fingerprint() || base.With().Fingerprint() != base.Fingerprint() {
		t.Error("the fingerprint does not follow the content")
	}
}

func BenchmarkNear(b *testing.B) {
	l := lexicon.Default()
	heard := []string{"listen up or", "hematochezia", "patient takes", "let the roxin", "acute pancreas titus", "in the morning"}
	for i := 0; b.Loop(); i++ {
		l.Near(heard[i%len(heard)], 0.36, 10)
	}
}
