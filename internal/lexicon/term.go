package lexicon

import (
	"slices"
	"strings"
)

// Kind says what a term is.
type Kind string

// The kinds of terms.
const (
	Generic   Kind = "generic"   // a drug's generic (international nonproprietary) name
	Brand     Kind = "brand"     // a drug's brand name
	Class     Kind = "class"     // a class of drugs: beta blocker
	Disease   Kind = "disease"   // a disease or syndrome
	Symptom   Kind = "symptom"   // a symptom or complaint
	Anatomy   Kind = "anatomy"   // a part of the body, a direction
	Procedure Kind = "procedure" // an operation or treatment
	Lab       Kind = "lab"       // a laboratory test
	Imaging   Kind = "imaging"   // an imaging study and its words
	Exam      Kind = "exam"      // a sign or word of the physical examination
	Organism  Kind = "organism"  // a bacterium, virus, fungus or parasite
	Device    Kind = "device"    // a device or instrument
	Unit      Kind = "unit"      // a unit of measure or a frequency
	Other     Kind = "other"     // anything else that a note is made of
)

// Kinds lists every kind, in the order in which lists show them.
func Kinds() []Kind {
	return []Kind{Generic, Brand, Class, Disease, Symptom, Anatomy, Procedure, Lab, Imaging, Exam, Organism, Device, Unit, Other}
}

// Known says whether k is one of Kinds.
func (k Kind) Known() bool { return slices.Contains(Kinds(), k) }

// Drug says whether the kind names a drug: a wrong one is dangerous.
func (k Kind) Drug() bool { return k == Generic || k == Brand }

// Term is one medical term.
type Term struct {
	Text   string   `json:"text"`             // as it is written in a note: "levothyroxine", "Crohn's disease"
	Kind   Kind     `json:"kind"`             // what it is
	Says   []string `json:"says,omitempty"`   // spoken forms that differ from the spelling: "HbA1c" → "hemoglobin a one c"
	Fields []string `json:"fields,omitempty"` // specialties where it is common; empty: everywhere
	Weight float64  `json:"weight"`           // 0…1, how common: metformin 1, a rare drug 0.2
}

// keyOf is what terms are looked up by: lower case, hyphens as spaces, typographic apostrophes as plain ones.
func keyOf(text string) string {
	text = strings.Map(func(r rune) rune {
		switch r {
		case '-', '‐', '‑', '–':
			return ' '
		case '’':
			return '\''
		default:
			return r
		}
	}, strings.ToLower(text))
	return strings.Join(strings.Fields(text), " ")
}

// forms lists the keys under which a heard form may stand: itself, without a possessive, and its singulars.
func forms(key string) []string {
	out := []string{key}
	if cut, ok := strings.CutSuffix(key, "'s"); ok {
		out, key = append(out, cut), cut
	}
	if cut, ok := strings.CutSuffix(key, "s'"); ok {
		out, key = append(out, cut+"s", cut), cut+"s"
	}
	if strings.Contains(key, "'s ") {
		out = append(out, strings.ReplaceAll(key, "'s ", " "), strings.ReplaceAll(key, "'s ", "s "))
	}
	for _, plural := range plurals {
		if stem, ok := strings.CutSuffix(key, plural.many); ok && len(stem) >= 2 {
			out = append(out, stem+plural.one)
		}
	}
	return out
}

// plurals are the endings of English, Latin and Greek plurals, the regular one last.
var plurals = []struct{ many, one string }{
	{"ies", "y"},
	{"ses", "sis"},
	{"xes", "x"},
	{"ches", "ch"},
	{"shes", "sh"},
	{"sses", "ss"},
	{"ices", "ex"},
	{"ices", "ix"},
	{"mata", "ma"},
	{"ae", "a"},
	{"i", "us"},
	{"a", "um"},
	{"a", "on"},
	{"es", ""},
	{"s", ""},
}
