package lexicon

import (
	_ "embed" // small lists
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Strength is how single doses of a drug are usually written: the unit and the amounts in it.
type Strength struct {
	Unit    string
	Amounts []float64
}

//go:embed data/safety/confused.txt
var confusedText string

//go:embed data/safety/strengths.txt
var strengthsText string

// Confused lists the drugs that are known to be taken for the named one because they look or sound alike.
func Confused(drug string) []string { return confused()[keyOf(drug)] }

var confused = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	add := func(a, b string) {
		if key := keyOf(a); !slices.Contains(m[key], b) {
			m[key] = append(m[key], b)
		}
	}
	for line := range strings.Lines(confusedText) {
		if a, b, ok := strings.Cut(strings.TrimSpace(line), " / "); ok && a[0] != '#' {
			add(a, b)
			add(b, a)
		}
	}
	return m
})

// UsualStrengths lists how single doses of a drug are usually written. Nothing is known of most drugs, and a dose that is
// not listed is not wrong.
func UsualStrengths(drug string) []Strength { return strengths()[keyOf(drug)] }

var strengths = sync.OnceValue(func() map[string][]Strength {
	m := map[string][]Strength{}
	for line := range strings.Lines(strengthsText) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] == "#" {
			continue
		}
		var amounts []float64
		for len(words) > 2 {
			amount, err := strconv.ParseFloat(words[len(words)-1], 64)
			if err != nil {
				break
			}
			amounts, words = append(amounts, amount), words[:len(words)-1]
		}
		slices.Sort(amounts)
		unit := words[len(words)-1]
		key := keyOf(strings.Join(words[:len(words)-1], " "))
		m[key] = append(m[key], Strength{Unit: unit, Amounts: amounts})
	}
	return m
})

func safetySources() []Source {
	pairs := 0
	for _, others := range confused() {
		pairs += len(others)
	}
	return []Source{
		{File: "safety/confused.txt", Source: ourSource + ", of pairs that safety bodies (ISMP, FDA) warn of", Licence: ourLicence, Count: pairs / 2},
		{File: "safety/strengths.txt", Source: ourSource, Licence: ourLicence, Count: len(strengths())},
	}
}
