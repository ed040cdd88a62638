package notes

import (
	_ "embed" // for the list of drugs
	"strings"
	"sync"

	"vesper/internal/lexicon"
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

// namesDrug says that a word, or a word of several, is the name of a drug: of the list, of the lexicon, or by its ending.
func namesDrug(text string) bool {
	for _, word := range strings.Fields(text) {
		if drugLike(word) || inLexicon(keyOf(word)) {
			return true
		}
	}
	return false
}

// inLexicon says that the lexicon has a word as the name of a drug or of a class of drugs, and everyday English has not.
func inLexicon(key string) bool {
	if len(key) < 4 || lexicon.English(key) >= everydayWord {
		return false
	}
	t, ok := lexicon.Default().Find(key)
	return ok && (t.Kind.Drug() || t.Kind == lexicon.Class) || !ok && len(lexicon.Confused(key)) > 0
}

// everydayWord is the commonness from which a word is everyday English.
const everydayWord = 0.35

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
			name, ok := namelessDose(seg.items, i, s.saysComma)
			if !ok {
				continue
			}
			end := i + 1
			if end < len(seg.items) && doseUnits[keyOf(seg.items[end].text)] && seg.items[i].trail == "" {
				end++ // the unit stands by itself
			}
			tokens := tokensIn(seg.items[name:end])
			text := joinItems(seg.items[name:end])
			// A flag on the dose alone does not make anybody listen to the name.
			from, to := s.times(tokensIn(seg.items[name:i]))
			if overlapsFlag(unsure, from, to) {
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
func namelessDose(items []item, i int, soft bool) (int, bool) {
	from, strange := i, -1
	grams := keyOf(items[i].text[strings.LastIndex(items[i].text, " ")+1:]) == "g" || i+1 < len(items) && keyOf(items[i+1].text) == "g"
	for from > 0 && i-from < nameReach {
		prev := items[from-1]
		if prev.kind != itemWord || strings.ContainsAny(prev.trail, hardMarks(soft)) || prev.rule == "quantity" {
			break
		}
		from--
		if namesDrug(prev.text) {
			return 0, false
		}
		key := keyOf(prev.text)
		if smallWords[key] || commonBeforeDose[key] || doseTalk[key] || !hasWord(key) || numberLike(key) || unitWords[key] {
			continue
		}
		// A plain word before grams is more likely what was weighed: "the prostate is 45 g".
		if !grams || lexicon.English(key) < everydayWord && !known(key) {
			strange = from
		}
	}
	return strange, strange >= 0
}

// hardMarks are the engine's marks that part a dose from a name. Of somebody who dictates commas, the engine's own ones are
// pauses, and stand in the middle of names that it does not know: "furus, myd, 40 mg".
func hardMarks(soft bool) string {
	if soft {
		return ".;:?!"
	}
	return ".,;:?!"
}

// known says that the lexicon has a word, which is then no misheard name.
func known(key string) bool { return lexicon.Default().Has(key) }

// doseTalk are words that stand before doses without naming a drug.
var doseTalk = wordSet("start started continue continued increase increased decrease decreased reduce reduced add added give given take " +
	"takes taking took stop stopped resume change changed switch titrate raise lower dose doses dosage daily currently now only " +
	"additional first second total maximum minimum up down twice once bolus infusion then again her him them me you use used " +
	"raise raised lowered exceed exceeds exceeding followed follows limit limited cut halved doubled adjusted reached contained contains weighs " +
	"weighed weight birth urine cycle over between every each night morning evening bedtime week weeks day days month after before later tomorrow " +
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
