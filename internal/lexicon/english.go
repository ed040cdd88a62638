package lexicon

import (
	"strings"
	"sync"
)

// tier is one list of plain English words.
type tier struct {
	file    string
	common  float64 // English's answer
	source  string
	licence string
}

const (
	scowl        = "SCOWL 2020.12.07 (Spell Checker Oriented Word Lists, Kevin Atkinson), words of size "
	scowlLicence = "SCOWL's permissive licence (data/english/LICENCE.txt)"
	ourSource    = "written for Vesper from general knowledge"
	ourLicence   = "the licence of Vesper"
)

// tiers are the lists, the most common words first. SCOWL's sizes grow with rarity; the figures only rank them.
var tiers = []tier{
	{"core.txt", 1, ourSource, ourLicence},
	{"spoken.txt", 0.9, ourSource, ourLicence},
	{"scowl10.txt", 0.8, scowl + "10", scowlLicence},
	{"scowl20.txt", 0.6, scowl + "20", scowlLicence},
	{"scowl35.txt", 0.4, scowl + "35", scowlLicence},
	{"scowl40.txt", 0.2, scowl + "40", scowlLicence},
}

// English says how common a word is in plain, not medical, English: 1 for "the", 0 for what is no plain English word.
// Inflected forms count, and so do the names of numbers, of days and months, and the commands of dictation ("period",
// "new paragraph" word by word).
func English(word string) float64 {
	word = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), "’", "'")
	lists := english()
	if c, ok := lists[word]; ok {
		return c
	}
	for _, tail := range []string{"'s", "'", "n't", "'ll", "'re", "'ve", "'d", "'m"} {
		if stem, ok := strings.CutSuffix(word, tail); ok {
			return lists[stem]
		}
	}
	return 0
}

var english = sync.OnceValue(func() map[string]float64 {
	m := make(map[string]float64, 50_000)
	for _, t := range tiers {
		text, err := files.ReadFile("data/english/" + t.file)
		if err != nil {
			panic(err) // part of the program
		}
		for word := range strings.FieldsSeq(string(text)) {
			if _, known := m[word]; !known {
				m[word] = t.common
			}
		}
	}
	return m
})

func englishSources() []Source {
	var out []Source
	for _, t := range tiers {
		text, err := files.ReadFile("data/english/" + t.file)
		if err != nil {
			panic(err) // part of the program
		}
		out = append(out, Source{File: "english/" + t.file, Source: t.source, Licence: t.licence, Count: len(strings.Fields(string(text)))})
	}
	return out
}
