package notes

import (
	"sort"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
	"vesper/notes/checks"
)

// risk is a kind of word whose mishearing harms. Below its threshold of confidence a person should hear it.
type risk struct {
	name      string
	below     float64
	severity  Severity
	explained string
}

var (
	riskNumber    = risk{"number", 0.55, Critical, "a number"}
	riskTeen      = risk{"teen", 0.95, Critical, "a number that sounds like another one (15 and 50)"}
	riskTold      = risk{"teen", 0.7, Critical, "a number that sounds like another one"} // but the drug comes in this strength only
	riskUnit      = risk{"unit", 0.5, Critical, "a unit"}
	riskDrug      = risk{"drug", 0.5, Critical, "the name of a drug"}
	riskKnownDrug = risk{"drug", 0.3, Critical, "the name of a drug"} // a word from the list is less likely to be an accident
	riskCount     = risk{"count", 0.5, Notice, "a number"}
	riskName      = risk{"name", 0.4, Critical, "before a dose, where the name of a drug is expected"}
	riskAllergy   = risk{"allergy", 0.5, Critical, "an allergy"}
	riskSide      = risk{"side", 0.5, Critical, "a side"}
	riskNegation  = risk{"negation", 0.45, Critical, "a negation"}
)

// weighedBelow are the thresholds for figures where the engine held each one against those that sound alike: what was doubtful
// by that has a flag for two readings already.
var weighedBelow = map[string]float64{"number": 0.3, "count": 0.3, "teen": 0.8}

var (
	sides     = wordSet("left right bilateral bilaterally")
	negations = wordSet("no not denies denied without never none negative")
	unitWords = wordSet("mg mcg g ml l units meq mmol milligram milligrams microgram micrograms gram grams milliliter milliliters " +
		"liter liters unit milliequivalents percent")
	teenWords = wordSet("thirteen fourteen fifteen sixteen seventeen eighteen nineteen thirty forty fifty sixty seventy eighty ninety " +
		"13 14 15 16 17 18 19 30 40 50 60 70 80 90")
)

// unsure is a doubtful word.
type unsure struct {
	risk       risk
	section    string
	tokens     []int
	text       string
	confidence float64
}

// flagUnsure flags the words that matter and that the engine was least sure of. Neighbours share a flag.
func (s *scanner) flagUnsure(most int) []Flag {
	if most <= 0 {
		most = 8
	}
	var found []unsure
	for _, seg := range s.segments {
		last := -2
		for i, it := range seg.items {
			if it.kind != itemWord || len(it.tokens) == 0 {
				continue
			}
			r, confidence, ok := s.riskOf(seg.items, i)
			if !ok && allergen(seg, i) {
				r, confidence, ok = riskAllergy, s.sureOfItem(it), true
			}
			if below, weighed := weighedBelow[r.name]; weighed && s.weighed {
				r.below = min(r.below, below)
			}
			if !ok || confidence >= r.below {
				continue
			}
			u := unsure{risk: r, section: seg.section, tokens: it.tokens, text: it.text, confidence: confidence}
			if n := len(found); n > 0 && last == i-1 {
				found[n-1] = join(found[n-1], u)
			} else {
				found = append(found, u)
			}
			last = i
		}
	}
	sort.SliceStable(found, func(a, b int) bool { return found[a].confidence < found[b].confidence })
	rest := found[min(len(found), most):]
	found = found[:min(len(found), most)]
	sort.SliceStable(found, func(a, b int) bool { return found[a].tokens[0] < found[b].tokens[0] })
	flags := make([]Flag, 0, len(found))
	for _, u := range found {
		flags = append(flags, s.flag(FlagLowConfidence, u.risk.severity, u.section, u.tokens, u.text,
			"The engine was unsure of “"+u.text+"”, "+u.risk.explained+". Listen to it."))
	}
	return append(flags, s.leftOver(rest)...)
}

// allergen says that a word probably names what somebody is allergic to.
func allergen(seg segment, i int) bool {
	key := keyOf(seg.items[i].text)
	if len(key) < 4 || lexicon.English(key) >= everydayWord {
		return false
	}
	if seg.section == "allergies" {
		return true
	}
	for j := i - 1; j >= max(0, i-3) && seg.items[j].kind == itemWord; j-- {
		if k := keyOf(seg.items[j].text); k == "allergic" || k == "allergy" || k == "allergies" {
			return true
		}
	}
	return false
}

// sureOfItem is the engine's lowest confidence in an item's words.
func (s *scanner) sureOfItem(it item) float64 {
	sure := 1.0
	for _, t := range it.tokens {
		sure = min(sure, s.tokens[t].confidence)
	}
	return sure
}

// leftOver is one flag for the unsure words beyond the cap: none is dropped unseen.
func (s *scanner) leftOver(rest []unsure) []Flag {
	var folded []Flag
	severity := Notice
	for _, u := range rest {
		folded = append(folded, s.flag(FlagLowConfidence, u.risk.severity, u.section, u.tokens, u.text, "The engine was unsure of “"+u.text+"”, "+u.risk.explained+"."))
		if u.risk.severity == Critical {
			severity = Critical
		}
	}
	if len(folded) == 0 {
		return nil
	}
	return []Flag{moreFlag(folded, severity, "more words were heard unclearly")}
}

func join(a, b unsure) unsure {
	a.tokens = append(append([]int{}, a.tokens...), b.tokens...)
	a.text += " " + b.text
	if b.confidence < a.confidence {
		a.confidence, a.risk = b.confidence, b.risk
	}
	return a
}

// flag makes a flag over tokens.
func (s *scanner) flag(kind FlagKind, severity Severity, section string, tokens []int, text, detail string) Flag {
	start, end := s.times(tokens)
	return newFlag(Flag{Kind: kind, Severity: severity, Section: section, Text: text, Start: start, End: end, Detail: detail})
}

// riskOf says what kind of risk a word carries and how sure the engine was of it.
func (s *scanner) riskOf(items []item, i int) (risk, float64, bool) {
	it := items[i]
	confidence, teen := 1.0, false
	for _, t := range it.tokens {
		confidence = min(confidence, s.tokens[t].confidence)
		teen = teen || teenWords[s.tokens[t].key] || teenDigits(s.tokens[t].key)
	}
	key := keyOf(it.text)
	digits := strings.IndexFunc(it.text, unicode.IsDigit) >= 0
	switch {
	case digits && teen && isDose(items, i):
		if twinTold(items, i) {
			return riskTold, confidence, true
		}
		return riskTeen, confidence, true
	case digits && it.rule == "quantity" && !isDose(items, i) && strings.IndexByte(it.text, '%') < 0:
		return riskCount, confidence, true
	case digits && it.rule != "":
		return riskNumber, confidence, true
	case digits && i+1 < len(items) && unitWords[keyOf(items[i+1].text)]:
		return riskNumber, confidence, true
	case unitWords[key]:
		return riskUnit, confidence, true
	case sides[key] || strings.HasPrefix(key, "left-") || strings.HasPrefix(key, "right-"):
		return riskSide, confidence, true
	case negations[key]:
		return riskNegation, confidence, true
	case knownDrugs()[key] || inLexicon(key):
		return riskKnownDrug, confidence, true
	case drugLike(key) || beforeDose(items, i):
		return riskDrug, confidence, true
	case beforeDose(items, i+1) || beforeDose(items, i+2):
		return riskName, confidence, i+1 < len(items) && it.trail == ""
	}
	return risk{}, 1, false
}

// twinTold says that the drug before a dose comes in this strength and not in the one that sounds like it.
func twinTold(items []item, i int) bool {
	amount, unit := doseOf(items, i)
	for j := i - 1; amount > 0 && j >= max(0, i-nameReach) && items[j].kind == itemWord; j-- {
		if namesDrug(items[j].text) {
			return checks.TwinTold(items[j].text, amount, unit)
		}
	}
	return false
}

// teenDigits says that a number of three digits ends like 15 or 50.
func teenDigits(key string) bool {
	if len(key) != 3 || strings.IndexFunc(key, func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
		return false
	}
	return teenWords[key[1:]]
}

// beforeDose says that a dose follows the word, so that it is likely to be part of the name of a drug.
func beforeDose(items []item, i int) bool {
	if i+1 >= len(items) || items[i].kind != itemWord || items[i].trail != "" || items[i+1].kind != itemWord {
		return false
	}
	if commonBeforeDose[keyOf(items[i].text)] || strings.IndexFunc(items[i].text, unicode.IsDigit) >= 0 {
		return false
	}
	return isDose(items, i+1)
}

// isDose says that a word is a number with a unit of dose, in itself or with the next word.
func isDose(items []item, i int) bool {
	dose := items[i].text
	if i+1 < len(items) && items[i].trail == "" && doseUnits[keyOf(items[i+1].text)] {
		dose += " " + keyOf(items[i+1].text)
	}
	unit := dose[strings.LastIndex(dose, " ")+1:]
	return unit != dose && doseUnits[keyOf(unit)] && strings.IndexFunc(dose, unicode.IsDigit) == 0
}

var (
	doseUnits        = wordSet("mg mcg microgram micrograms g units meq mg/hour mcg/hour mg/kg units/hour")
	commonBeforeDose = wordSet("about increase decrease increased decreased another received taking given total least under dose " +
		"initially every after to at of was is with than for over by from and the")
)
