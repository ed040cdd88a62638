package lexicon_test

import (
	"slices"
	"strings"
	"testing"

	"vesper/internal/lexicon"
)

func TestTheLexiconIsAsLargeAsPromised(t *testing.T) {
	t.Parallel()
	l := lexicon.Default()
	if l.Len() < 15_000 {
		t.Errorf("%d terms, wanted 15,000", l.Len())
	}
	count := map[lexicon.Kind]int{}
	for _, term := range l.Terms() {
		count[term.Kind]++
	}
	if n := count[lexicon.Generic] + count[lexicon.Brand]; n < 2_500 {
		t.Errorf("%d names of drugs, wanted 2,500", n)
	}
	for _, k := range lexicon.Kinds() {
		if count[k] < 100 {
			t.Errorf("only %d terms of kind %s", count[k], k)
		}
	}
}

func TestTermsCoverTwentySpecialties(t *testing.T) {
	t.Parallel()
	fields := map[string]int{}
	for _, term := range lexicon.Default().Terms() {
		for _, f := range term.Fields {
			fields[f]++
		}
	}
	for f, n := range fields {
		if n < 10 {
			t.Errorf("the field %q has only %d terms", f, n)
		}
	}
	if len(fields) < 20 {
		t.Errorf("%d fields, wanted 20: %v", len(fields), fields)
	}
}

func TestEveryFileNamesItsSourceAndLicence(t *testing.T) {
	t.Parallel()
	sources := lexicon.Sources()
	if len(sources) < 15 {
		t.Fatalf("only %d files", len(sources))
	}
	for _, s := range sources {
		if s.Source == "" || s.Licence == "" || s.Count == 0 {
			t.Errorf("%s: source %q, licence %q, %d terms", s.File, s.Source, s.Licence, s.Count)
		}
		for _, no := range []string{"GPL", "DrugBank", "SNOMED", "testdata"} {
			if strings.Contains(s.Source+s.Licence, no) {
				t.Errorf("%s names %s", s.File, no)
			}
		}
	}
}

func TestNoTermStandsTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, s := range lexicon.Sources() {
		if strings.Contains(s.File, "/") {
			continue
		}
		list, err := lexicon.Load("data/" + s.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, term := range list.Terms {
			key := strings.ReplaceAll(strings.ToLower(term.Text), "-", " ")
			if other, twice := seen[key]; twice {
				t.Errorf("%q stands in %s and in %s", term.Text, other, s.File)
			}
			seen[key] = s.File
		}
	}
}

func TestDrugsAreNotPlainEnglish(t *testing.T) {
	t.Parallel()
	for _, term := range lexicon.Default().Terms() {
		if term.Kind.Drug() && lexicon.English(term.Text) >= 0.8 {
			t.Errorf("%q is a drug and plain English", term.Text)
		}
		if term.Kind.Drug() && len([]rune(term.Text)) < 3 {
			t.Errorf("%q is too short for a drug", term.Text)
		}
		if term.Weight < 0 || term.Weight > 1 || !term.Kind.Known() {
			t.Errorf("%+v", term)
		}
	}
}

// suffixes are stems of nonproprietary names; a word that ends in one and is no generic name is in the wrong file.
var suffixes = []string{"mab", "tinib", "vastatin", "oxacin", "prazole", "sartan", "gliptin", "gliflozin", "dipine", "setron", "triptan", "lukast"}

func TestStemsOfGenericNamesStandAmongGenerics(t *testing.T) {
	t.Parallel()
	for _, term := range lexicon.Default().Terms() {
		if strings.Contains(term.Text, " ") || term.Kind == lexicon.Generic || term.Kind == lexicon.Class {
			continue
		}
		for _, s := range suffixes {
			if strings.HasSuffix(strings.ToLower(term.Text), s) {
				t.Errorf("%q is a %s, but ends in -%s", term.Text, term.Kind, s)
			}
		}
	}
}

func TestModernAndCommonDrugsAreKnown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"apixaban", "dupilumab", "tirzepatide", "semaglutide", "empagliflozin", "risankizumab", "lecanemab", "metformin", "Eliquis",
		"Mounjaro", "Skyrizi", "Paxlovid", "levothyroxine", "piperacillin-tazobactam", "hydroxychloroquine",
	} {
		if term, ok := lexicon.Default().Find(name); !ok || !term.Kind.Drug() {
			t.Errorf("%s: %+v, %v", name, term, ok)
		}
	}
}

func TestPlainEnglishIsKnownWithItsInflections(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"the", "The", "walked", "walking", "period", "comma", "paragraph", "seventeen", "wednesday", "patients", "doesn't", "patient's", "colon"} {
		if lexicon.English(word) == 0 {
			t.Errorf("%q is not plain English", word)
		}
	}
	for _, word := range []string{"metformin", "hypertension", "pancreas", "cholecystectomy", "qwxz", "", "biopsy"} {
		if c := lexicon.English(word); c != 0 {
			t.Errorf("%q is plain English (%.1f)", word, c)
		}
	}
	if lexicon.English("the") != 1 || lexicon.English("walk") <= lexicon.English("ambivalent") {
		t.Error("commonness does not follow the lists")
	}
}

func TestSpokenFormsSoundAlike(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{
		"A1c": "a one c", "MRI": "m r i", "B12": "b twelve", "CA-125": "c a one twenty five", "psoriasis": "soriasis",
		"pneumonia": "newmonia", "listen up": "lissen up", "HbA1c": "h b a one c", "COVID-19": "covid nineteen",
	} {
		if d := lexicon.Distance(a, b); d > 0.12 {
			t.Errorf("%q and %q are %.2f apart: %s, %s", a, b, d, lexicon.Spell(lexicon.Sounds(a)), lexicon.Spell(lexicon.Sounds(b)))
		}
	}
	all := lexicon.Default().Near("a one c", 0.1, 5)
	if !slices.ContainsFunc(all, func(m lexicon.Match) bool { return m.Term.Text == "A1c" && m.Distance == 0 }) {
		t.Errorf("a one c gives %+v", all)
	}
}
