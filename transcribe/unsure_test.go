package transcribe

import (
	"math"
	"strings"
	"testing"
)

// heardWords makes tokens of a text, a word each, all as likely as said.
func heardWords(text string, p float64) []Token {
	var out []Token
	for w := range strings.FieldsSeq(text) {
		bare := strings.TrimRight(w, ".,")
		out = append(out, Token{Text: []byte(" " + bare), LogP: math.Log(p)})
		if end := w[len(bare):]; end != "" {
			out = append(out, Token{Text: []byte(end), LogP: math.Log(0.9)})
		}
	}
	return out
}

// rivalled gives the token that reads as text its rivals.
func rivalled(tokens []Token, at string, rivals map[string]float64) [][]reading {
	out := make([][]reading, len(tokens))
	for i, t := range tokens {
		if string(t.Text) == at {
			for text, p := range rivals {
				out[i] = append(out[i], reading{text, math.Log(p)})
			}
		}
	}
	return out
}

func TestARiskWordThatCouldHaveBeenWrittenIsAskedAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, at string
		p              float64
		rivals         map[string]float64
		heard, other   string
		kind           DoubtKind
	}{
		{"a number behind a plain word", "Returning for weeks", " for", 0.5, map[string]float64{" 4": 0.2, " four": 0.2}, "for", "4", DoubtNumber},
		{"a side behind a plain word", "after a ride kidney transplant", " ride", 0.5, map[string]float64{" right": 0.38}, "ride", "right", DoubtSide},
		{"a number that begins a word earlier", "after he four weeks", " he", 0.3, map[string]float64{" 34": 0.12}, "he four", "34", DoubtNumber},
		{"a number where there is a comma only", "Blood loss, period.", ",", 0.9, map[string]float64{" 0": 0.22, " zero": 0.17}, "loss", "loss 0", DoubtNumber},
		{"a point before a figure", "void 7 today", " void", 0.5, map[string]float64{" point": 0.1}, "void 7", "point 7", DoubtNumber},
		{"another number", "lactate 2 today", " 2", 0.25, map[string]float64{" 9": 0.16}, "2", "9", DoubtNumber},
	} {
		tokens := heardWords(c.text, c.p)
		got := unsure(saidWords(tokens), tokens, rivalled(tokens, c.at, c.rivals))
		if len(got) != 1 || got[0].heard != c.heard || got[0].other != c.other || got[0].kind != c.kind {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestAnotherSpellingOfTheSameIsNoDoubt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, at string
		rivals         map[string]float64
	}{
		{"figures and words", "take 5 tablets", " 5", map[string]float64{" five": 0.6}},
		{"a unit and its short form", "take 5 milligrams now", " milligrams", map[string]float64{" mg": 0.5, " mil": 0.2}},
		{"what the next word says", "in the 9 weeks", " the", map[string]float64{" 9": 0.4}},
		{"the beginning of the word itself", "some normal saline", " normal", map[string]float64{" nor": 0.4}},
		{"a single letter", "some lisinopril daily", " lisinopril", map[string]float64{" l": 0.4}},
		{"a rare reading", "and then home", " then", map[string]float64{" ten": 0.01}},
	} {
		tokens := heardWords(c.text, 0.35)
		if got := unsure(saidWords(tokens), tokens, rivalled(tokens, c.at, c.rivals)); len(got) != 0 {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestAPlaceThatWantsANumberAndHasNoneIsAskedAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, heard, other string }{
		{"bupivacaine well milligrams now", "well milligrams", "twelve milligrams"},
		{"used it free times", "free times", "three times"},
		{"metformin 500 mg wise daily", "wise", "twice"},
		{"furosemide 40 mg/w daily", "mg/w", "mg twice"},
		{"potassium 0, void, 5 today", "0 void 5", "0.5"},
		{"create a 9.1.4 today", "create a 9.1.4", "creatinine 1.4"},
		{"lactate 3.1.4 today", "3.1.4", "1.4"},
		{"clear of 8,000 liters today", "8,000 liters", "8 milliliters"},
	} {
		got := misfits(saidWords(heardWords(c.text, 0.5)))
		if len(got) != 1 || got[0].heard != c.heard || got[0].other != c.other {
			t.Errorf("%q: %+v", c.text, got)
		}
	}
}

func TestOrdinaryDosesAndTimesFitTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"metoprolol 50 mg twice daily", "a few milliliters of fluid", "75 mg/m2 every 3 weeks", "blood pressure 120/80, pulse 62", "vitamin D 400 units",
		"in the past weeks", "10 mg/kg per day", "for 6 to 8 weeks", "4 plus 2 puffs", "2 liters of oxygen", "1.4 platelets 130", "standing 106/62", "134/76 standing 106/62",
		"creatinine 0.9", "two tablets daily", "some percent", "aspirin 81 mg daily",
	} {
		for _, p := range []float64{0.5, 0.99} {
			if got := misfits(saidWords(heardWords(text, p))); len(got) != 0 {
				t.Errorf("%q at %.2f: %+v", text, p, got)
			}
		}
	}
}

func TestOnlyRiskWordsThatAreNotSureAreAskedAbout(t *testing.T) {
	t.Parallel()
	r := &run{engine: &babbler{}}
	for _, c := range []struct {
		text string
		p    float64
		want string
	}{
		{"take 15 mg", 0.95, ""},
		{"take 15 tablets", 0.6, "50 1.5 150"},
		{"pressure 180/64 today", 0.6, "118/64 18/64 180/6.4 180/640"},
		{"a 16-year-old boy", 0.6, "60-year-old 1.6-year-old 160-year-old"},
		{"the left knee", 0.6, "right"},
	} {
		var got []string
		for _, q := range r.questions(saidWords(heardWords(c.text, c.p))) {
			if q.other != "mcg" && q.other != "g" && q.other != "ml" && q.other != "no" {
				got = append(got, q.other)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q at %.2f: %q", c.text, c.p, got)
		}
	}
}

func TestReadingsWithTheSameRiskWordsDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"class III", "class 3", true},
		{"four hours", "4 hours", true},
		{"left-hydrone afrosis", "left hydronephrosis", true},
		{"2 puffed", "two puffs", true},
		{"no-ylnurse", "ulnar", false},
		{"12 mg", "112 mg", false},
		{"known", "no", false},
		{"denies", "has", false},
	} {
		if (risksOf(c.a) == risksOf(c.b)) != c.same {
			t.Errorf("%q and %q: %q, %q", c.a, c.b, risksOf(c.a), risksOf(c.b))
		}
	}
}

func TestAWordThatOnlyOneHearingHasIsShownWithItsNeighbour(t *testing.T) {
	t.Parallel()
	a, b := saidWords(heardWords("there is fever today", 0.9)), saidWords(heardWords("there is no fever today", 0.9))
	for _, rows := range [][2][]said{{a, b}, {b, a}} {
		found := differences(rows[0], rows[1])
		if len(found) != 1 {
			t.Fatal(found)
		}
		d := found[0].withNeighbour(rows[0], rows[1])
		if x, y := joinSaid(rows[0][d.i1:d.i2]), joinSaid(rows[1][d.j1:d.j2]); !strings.HasSuffix(x, "fever") || !strings.HasSuffix(y, "fever") || len(x) == len(y) {
			t.Errorf("%q, %q", x, y)
		}
	}
}

func TestConfidenceGrowsWithProbabilityAndFallsInNoise(t *testing.T) {
	t.Parallel()
	r := &run{}
	at := func(p, around float64, text string) float64 {
		return r.confidence([]rawWord{{text: text, p: p, logp: math.Log(p), around: around}}, 0)
	}
	last := 0.0
	for p := 0.0; p <= 1; p += 0.05 {
		c := r.confidence([]rawWord{{text: "pain", p: p, logp: max(math.Log(p), -9), around: -0.2}}, 0)
		if c < last || c < 0 || c > 1 || math.IsNaN(c) {
			t.Fatalf("at %.2f: %v after %v", p, c, last)
		}
		last = c
	}
	if clear, noisy := at(0.8, -0.1, "pain"), at(0.8, -0.9, "pain"); noisy >= clear {
		t.Errorf("in noise %.2f, else %.2f", noisy, clear)
	}
	if word, none := at(0.8, -0.3, "pain"), at(0.8, -0.3, "cramten"); none >= word {
		t.Errorf("no word %.2f, a word %.2f", none, word)
	}
}
