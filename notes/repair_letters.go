package notes

import (
	"strconv"
	"strings"

	"vesper/internal/lexicon"
)

// lettersApart is the share of letters that differ between two texts, hyphens and case aside.
func lettersApart(a, b string) float64 {
	x, y := []rune(lettersOf(a)), []rune(lettersOf(b))
	longest := max(len(x), len(y))
	if longest == 0 {
		return 0
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return float64(row[len(y)]) / float64(longest)
}

// stemEnd is how many letters at the end of a word its inflections change.
const stemEnd = 3

// sameStem says that two words differ at their ends only: "stenotic" is no misheard "stenosis".
func sameStem(a, b string) bool {
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	return same >= min(len(a), len(b))-stemEnd
}

// british says that a word is the British spelling of a term.
func british(known *lexicon.Lexicon, word string) bool {
	plain := strings.NewReplacer("ae", "e", "oe", "e", "our", "or", "isation", "ization", "yse", "yze", "sulph", "sulf").Replace(word)
	if plain == word {
		return false
	}
	_, ok := known.Find(plain)
	return ok
}

// doseOf reads the dose that begins at item i.
func doseOf(items []item, i int) (amount float64, unit string) {
	dose := strings.Fields(items[i].text)
	if len(dose) == 1 && i+1 < len(items) {
		dose = append(dose, items[i+1].text)
	}
	if len(dose) != 2 {
		return 0, ""
	}
	amount, err := strconv.ParseFloat(strings.ReplaceAll(dose[0], ",", ""), 64)
	if err != nil {
		return 0, ""
	}
	return amount, dose[1]
}
