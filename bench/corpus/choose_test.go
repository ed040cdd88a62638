package corpus

import (
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func TestTheCorpusHasFiftyShortDictationsForTheBenchmark(t *testing.T) {
	t.Parallel()
	cases, err := Load(filepath.Join("..", "..", "testdata", "dictations"))
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := choose(t.Context(), cases, 50)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]float64{}
	for _, s := range chosen {
		if s.start < ends[s.from.Name]-2*margin {
			t.Errorf("%s: the snippet at %.2f s overlaps the one before, which ends at %.2f", s.from.Name, s.start, ends[s.from.Name])
		}
		ends[s.from.Name] = s.end
	}
	if len(ends) != len(cases) {
		t.Errorf("snippets come from %d of %d dictations", len(ends), len(cases))
	}
}

func TestUtterancesKeepTheirLimitsWhateverThePauses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := 0.0
		var pauses []span
		for range rapid.IntRange(0, 40).Draw(t, "pauses") {
			at += rapid.Float64Range(0, 10).Draw(t, "speech")
			end := at + rapid.Float64Range(breath, 2).Draw(t, "pause")
			pauses = append(pauses, span{at, end})
			at = end
		}
		seconds := at + rapid.Float64Range(0, 10).Draw(t, "rest")
		last := 0.0
		for _, s := range utterances(pauses, seconds) {
			if s.seconds() < MinSnippet-1e-9 || s.seconds() > MaxSnippet+1e-9 || s.start < last-2*margin || s.end > seconds {
				t.Fatalf("%+v after %.2f in %.2f s", s, last, seconds)
			}
			last = s.end
		}
	})
}
