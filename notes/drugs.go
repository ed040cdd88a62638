package notes

import (
	_ "embed" // for the list of drugs
	"strings"
	"sync"
)

//go:embed drugs.txt
var drugList string

// knownDrugs are the names in drugs.txt.
var knownDrugs = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for line := range strings.Lines(drugList) {
		if !strings.HasPrefix(line, "#") {
			for _, name := range strings.Fields(line) {
				known[name] = true
			}
		}
	}
	return known
})

var (
	// drugEnds are endings of generic names (stems of the USAN list) that ordinary words rarely have.
	drugEnds = []string{
		"pril", "sartan", "olol", "statin", "azole", "mycin", "cillin", "floxacin", "dipine", "prazole", "gliptin", "gliflozin",
		"glutide", "triptan", "parin", "xaban", "gatran", "mab", "tinib", "cycline", "oxetine", "traline", "pram", "azepam", "zolam",
		"idone", "apine", "caine", "formin", "thiazide", "semide", "tidine", "setron", "lukast", "terol", "sone", "solone", "vir",
		"profen", "codone", "morphone", "barbital", "toin", "zepine", "gabalin", "pentin", "thyroxine", "glargine", "lispro",
		"warfarin", "digoxin", "aspirin", "insulin", "tropium", "fentanyl", "ketamine", "dronate", "fibrate", "zosin", "afil",
		"opurinol", "oxicam", "amiodarone", "diltiazem", "verapamil", "vancomycin", "acetaminophen", "clopidogrel", "methotrexate",
	}
	notDrugs = wordSet("person reason season jason lesson blouse moab environ")
)

// drugLike says that a word is the name of a drug or ends like one.
func drugLike(word string) bool {
	key := keyOf(word)
	if knownDrugs()[key] {
		return true
	}
	if len(key) < 6 || notDrugs[key] {
		return false
	}
	for _, end := range drugEnds {
		if strings.HasSuffix(key, end) && len(key) >= len(end)+2 || key == end {
			return true
		}
	}
	return false
}

// flagNameless flags doses before which no drug's name stands, but other words do: they were probably the name.
func (s *scanner) flagNameless(unsure []Flag) []Flag {
	var out []Flag
	for _, seg := range s.segments {
		for i := range seg.items {
			if seg.items[i].kind != itemWord || !isDose(seg.items, i) || len(seg.items[i].tokens) == 0 {
				continue
			}
			name, ok := namelessDose(seg.items, i)
			if !ok {
				continue
			}
			tokens := tokensIn(seg.items[name : i+1])
			text := joinItems(seg.items[name : i+1])
			// A flag on the dose alone does not make anybody listen to the name.
			start, end := s.times(tokensIn(seg.items[name:i]))
			if overlapsFlag(unsure, start, end) {
				continue
			}
			out = append(out, s.flag(FlagDrug, Critical, seg.section, tokens, text,
				"Vesper knows no drug of the name before “"+seg.items[i].text+"”. Listen to “"+text+"”."))
		}
	}
	return out
}

// nameReach is how many words before a dose can hold the drug's name.
const nameReach = 5

// namelessDose looks at the words before the dose at item i. It returns the first of those that may be a misheard name.
func namelessDose(items []item, i int) (int, bool) {
	from, strange := i, -1
	for from > 0 && i-from < nameReach {
		prev := items[from-1]
		if prev.kind != itemWord || strings.ContainsAny(prev.trail, ".,;:?!") || prev.rule == "quantity" {
			break
		}
		from--
		if drugLike(prev.text) {
			return 0, false
		}
		if key := keyOf(prev.text); !smallWords[key] && !commonBeforeDose[key] && !doseTalk[key] && hasWord(key) {
			strange = from
		}
	}
	return strange, strange >= 0
}

// doseTalk are words that stand before doses without naming a drug.
var doseTalk = wordSet("start started continue continued increase increased decrease decreased reduce reduced add added give given take " +
	"takes taking took stop stopped resume change changed switch titrate raise lower dose doses dosage daily currently now only " +
	"additional first second total maximum minimum up down twice once bolus infusion then again her him them me you use used " +
	"intravenous intravenously oral orally iv po by mouth tablet tablets extended release another up-titrate received receiving")

func joinItems(items []item) string {
	words := make([]string, len(items))
	for i, it := range items {
		words[i] = it.text
	}
	return strings.Join(words, " ")
}

func overlapsFlag(flags []Flag, start, end float64) bool {
	for _, f := range flags {
		if f.Start < end && f.End > start {
			return true
		}
	}
	return false
}
