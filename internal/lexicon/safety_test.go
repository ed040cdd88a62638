package lexicon

import (
	"slices"
	"testing"
)

func TestStrengthsAndConfusedPairsAreOfKnownDrugs(t *testing.T) {
	t.Parallel()
	if len(strengths()) < 200 || len(confused()) < 250 {
		t.Fatalf("%d drugs with strengths, %d confused", len(strengths()), len(confused()))
	}
	for drug, list := range strengths() {
		if term, ok := Default().Find(drug); !ok || !term.Kind.Drug() {
			t.Errorf("strengths of %q, which is no known drug", drug)
		}
		for _, s := range list {
			if len(s.Amounts) == 0 || !slices.Contains([]string{"mg", "mcg", "g", "mEq"}, s.Unit) || s.Amounts[0] <= 0 {
				t.Errorf("%s: %+v", drug, s)
			}
		}
	}
	for a, others := range confused() {
		for _, b := range others {
			if !slices.ContainsFunc(Confused(b), func(c string) bool { return keyOf(c) == a }) {
				t.Errorf("%s is taken for %s, but not the other way round", a, b)
			}
		}
	}
}

func TestUsualStrengthsTellDosesApart(t *testing.T) {
	t.Parallel()
	s := UsualStrengths("Levothyroxine")
	if len(s) != 1 || s[0].Unit != "mcg" || !slices.Contains(s[0].Amounts, 112) {
		t.Errorf("%+v", s)
	}
	if UsualStrengths("zanterpel") != nil {
		t.Error("strengths of an unknown drug")
	}
	if !slices.Contains(Confused("hydroxyzine"), "hydralazine") {
		t.Errorf("%v", Confused("hydroxyzine"))
	}
}
