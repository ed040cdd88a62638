package transcribe

import (
	"regexp"
	"slices"
	"strings"

	"vesper/internal/lexicon"
)

// Places where a number, or how often, would have to stand and something else does, and numbers that nobody says: a unit
// with no number before it, "wise daily", "mg/w", "9.1.4". What they should have been is guessed by sound.

// misfits lists them.
func misfits(words []said) []risky {
	var out []risky
	for i := range words {
		for _, look := range []func([]said, int) (risky, bool){oddNumber, oddUnit, noNumber, noFrequency, lostPoint, creatinine, soundsLikeRisk} {
			if d, is := look(words, i); is {
				out = append(out, d)
				break
			}
		}
	}
	return out
}

func bareAt(words []said, i int) string {
	if i < 0 || i >= len(words) {
		return ""
	}
	return strings.ToLower(trimmed(words[i].text))
}

// about is a doubt about words first…last.
func about(words []said, first, last int, kind DoubtKind, other string) (risky, bool) {
	heard := joinSaid(words[first : last+1])
	least := 0.0
	for _, w := range words[first : last+1] {
		least = min(least, w.logp)
	}
	return risky{from: words[first].from, to: words[last].to, kind: kind, heard: heard, other: other, margin: -least}, !strings.EqualFold(heard, other)
}

var (
	twoPoints = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)$`)
	tooLong   = regexp.MustCompile(`^([1-9])00([1-9])$`)
	unitAnd   = regexp.MustCompile(`(?i)^([\d.,]*\s?(?:mg|mcg|ml|milligrams|micrograms|units))[/-]([a-z].*)$`)
	afterUnit = wordSet("kg m m2 day days dl hr hrs h hour hours min minute ml l d dose week mg puff night")
	letterFig = regexp.MustCompile(`^[a-z]\d\d?$`)
)

// oddNumber finds numbers that nobody says: 9.1.4, and 1008 for "one hundred eight".
func oddNumber(words []said, i int) (risky, bool) {
	w := bareAt(words, i)
	if m := twoPoints.FindStringSubmatch(w); m != nil && !beforeNine(words, i) {
		return about(words, i, i, DoubtNumber, m[2]+"."+m[3])
	}
	if m := tooLong.FindStringSubmatch(w); m != nil && words[i].to-words[i].from > 1 && m[1] != "2" {
		return about(words, i, i, DoubtNumber, m[1]+"0"+m[2])
	}
	if bareAt(words, i+1) == "liters" && len(figures(w)) == len(meaning(w)) && len(figures(w)) > 2 { // who says "8,000 liters" meant milliliters
		before, _, _ := strings.Cut(w, ",")
		return about(words, i, i+1, DoubtNumber, before+" milliliters")
	}
	return risky{}, false
}

// oddUnit finds units that something hangs on: "mg/w".
func oddUnit(words []said, i int) (risky, bool) {
	m := unitAnd.FindStringSubmatch(trimmed(words[i].text))
	if m == nil || afterUnit[strings.ToLower(m[2])] || often[strings.ToLower(m[2])] {
		return risky{}, false
	}
	return about(words, i, i, DoubtFrequency, m[1]+" "+nearestOf(m[2], frequencies, 1))
}

var (
	counted = wordSet(`mg mcg g ml milligrams milligram micrograms grams units milliliters meq percent mm cm tablets tablet
		puffs puff capsules beats liters millimeters centimeters degrees drops`)
	spans    = wordSet("weeks days hours months minutes years times")
	uncounts = wordSet(`few several many some more less of per in the these extra those full whole last no each both half a an his her
		other all any same past next and or by to as`)
	numbersBySound = strings.Fields("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety")
	frequencies    = strings.Fields("once twice")
)

// noNumber finds a unit behind a word that is no number: "well milligrams".
func noNumber(words []said, i int) (risky, bool) {
	w, next := bareAt(words, i), bareAt(words, i+1)
	odd := letterFig.MatchString(w)
	if w == "" || uncounts[w] || figures(w) != "" && !odd || riskClass(w) != "" && !odd || strings.HasSuffix(words[i].text, ".") {
		return risky{}, false
	}
	switch {
	case counted[next] && words[i].logp < almostSure:
	case spans[next] && words[i].logp < halfSure:
	default:
		return risky{}, false
	}
	return about(words, i, i+1, DoubtNumber, nearestOf(w, numbersBySound, 0.8)+" "+next)
}

const (
	almostSure = -0.05 // log probability
	halfSure   = -0.35
	sameSound  = 0.34 // distance by sound
	nearlySame = 0.2  // the same
	likePoint  = 0.66 // the same; little is left of a short word
)

// noFrequency finds "daily" behind a word that says neither how much nor how often.
func noFrequency(words []said, i int) (risky, bool) {
	w := bareAt(words, i)
	if bareAt(words, i+1) != "daily" || w == "" || riskClass(w) != "" || words[i].logp > halfSure || uncounts[w] || counted[w] || oddUnitAt(words, i) {
		return risky{}, false
	}
	near := nearestOf(w, frequencies, 1)
	if lexicon.Distance(w, near) > 0.6 && lexicon.English(w) < plainEnglish {
		return risky{}, false // rather a drug
	}
	return about(words, i, i, DoubtFrequency, near)
}

func oddUnitAt(words []said, i int) bool { return unitAnd.MatchString(trimmed(words[i].text)) }

// lostPoint finds a word between two numbers that was "point": "0, void, 5".
func lostPoint(words []said, i int) (risky, bool) {
	if i == 0 || i+1 >= len(words) || !numeral(words[i-1].text) && !letterFig.MatchString(bareAt(words, i-1)) || !numeral(words[i+1].text) {
		return risky{}, false
	}
	w, a, b := bareAt(words, i), bareAt(words, i-1), bareAt(words, i+1)
	if strings.ContainsAny(a, "./") || len(b) > 2 || w != "point" && (riskClass(w) != "" || connects[w] || len(w) < 3 || lexicon.Distance(w, "point") > likePoint) {
		return risky{}, false
	}
	return about(words, i-1, i+1, DoubtNumber, a+"."+b)
}

var connects = wordSet(`and or to by of over out through than times x weeks days hours months years comma period colon plus minus a an
	at in on for with every per degrees is was then`)

var nineBefore = regexp.MustCompile(`^9(?:1?1?\.)?(\d?)(?:\.(\d+))?`)

// creatinine finds the blood value that is heard as "create a 9".
func creatinine(words []said, i int) (risky, bool) {
	if !beforeNine(words, i+2) {
		return risky{}, false
	}
	m := nineBefore.FindStringSubmatch(bareAt(words, i+2))
	value := "one point " + m[1]
	switch {
	case m[2] != "":
		value = m[1] + "." + m[2]
	case m[1] == "":
		value = ""
	}
	return about(words, i, i+2, DoubtNumber, strings.TrimSpace("creatinine "+value))
}

// beforeNine says that word i begins with a 9 that may have been the end of "creatinine".
func beforeNine(words []said, i int) bool {
	return i >= 2 && i < len(words) && strings.HasPrefix(bareAt(words, i), "9") && slices.Contains([]string{"a", "an", "in", "the"}, bareAt(words, i-1)) &&
		strings.HasPrefix(bareAt(words, i-2), "creat")
}

// soundsLikeRisk finds an unsure word that sounds like a word for a number, a negation or a side.
func soundsLikeRisk(words []said, i int) (risky, bool) {
	w := bareAt(words, i)
	if len(w) < 3 || words[i].logp > almostSure || riskClass(w) != "" || lexicon.English(w) < plainEnglish || everyday[w] {
		return risky{}, false
	}
	near := nearestOf(w, riskBySound, sameSound)
	if near == "" || words[i].logp > halfSure && lexicon.Distance(w, near) > nearlySame {
		return risky{}, false
	}
	return about(words, i, i, riskClass(near), near)
}

// everyday are words that sound like risk words and are so common that only the model's own readings can tell; see hidden.
var everyday = wordSet("for to too then than now know on of")

var riskBySound = append(strings.Fields("twice once no none not denies without left right"), numbersBySound...)

// nearestOf is the word of a list that sounds most like another, "" if none comes near enough.
func nearestOf(word string, list []string, most float64) string {
	best := ""
	for _, x := range list {
		if d := lexicon.Distance(word, x); d < most || d == most && best == "" {
			best, most = x, d
		}
	}
	return best
}
