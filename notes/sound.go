package notes

import "strings"

var sounds = strings.NewReplacer("ph", "f", "ck", "k", "qu", "k", "ch", "k", "ce", "se", "ci", "si", "cy", "si", "c", "k", "x", "ks",
	"z", "s", "y", "i", "tion", "shn", "sion", "shn")

// soundOf folds spellings that sound alike and doubled letters.
func soundOf(letters string) string {
	folded := sounds.Replace(letters)
	var b strings.Builder
	var last rune
	for _, r := range folded {
		if r != last && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// soundDistance is the number of letters to change, add or take away (Levenshtein), where vowels count half.
func soundDistance(a, b string) float64 {
	row := make([]float64, len(b)+1)
	for j := 1; j <= len(b); j++ {
		row[j] = row[j-1] + letterCost(b[j-1])
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] += letterCost(a[i-1])
		for j := 1; j <= len(b); j++ {
			change := max(letterCost(a[i-1]), letterCost(b[j-1]))
			if a[i-1] == b[j-1] {
				change = 0
			}
			next := min(row[j]+letterCost(a[i-1]), row[j-1]+letterCost(b[j-1]), diagonal+change)
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}

// letterCosts are what letters weigh in a comparison by sound: vowels half.
var letterCosts = func() (costs [256]float64) {
	for c := range costs {
		costs[c] = 1
	}
	for _, c := range []byte("aeiou") {
		costs[c] = 0.5
	}
	return costs
}()

func letterCost(c byte) float64 { return letterCosts[c] }

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
