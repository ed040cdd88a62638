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

// editDistance is the number of letters to change, add or take away (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next := min(row[j]+1, row[j-1]+1, diagonal+cost)
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
