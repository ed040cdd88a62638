package numbers

import (
	"fmt"
	"strings"
	"unicode"
)

// context is where a rule applies. All that is said must hold; words are those of a list, by its name.
type context struct {
	// Before wants a word of a list among the ten words before, within the same text, whatever marks are between.
	Before string `yaml:"before"`
	// After wants one among the five words after.
	After string `yaml:"after"`
	// Near wants one on either side.
	Near string `yaml:"near"`
	// Label wants a label of a list before the number, with nothing between but words like "is" and "of".
	Label string `yaml:"label"`
	// Series is Label for lists: other numbers, commas and "and" may be between ("nerves III, IV and VI").
	Series string `yaml:"series"`
	// Dose wants a dose or a form of drug among the six words before.
	Dose bool `yaml:"dose"`
	// Capital wants the first word written with a capital.
	Capital bool `yaml:"capital"`
	// NextNot and LastNot refuse when the very next word, or the very last one, is of a list.
	NextNot string `yaml:"next_not"`
	LastNot string `yaml:"last_not"`
	// Next wants the very next word to be of a list.
	Next string `yaml:"next"`
	// Last wants the very last word to be of a list.
	Last string `yaml:"last"`
	// Alone refuses when another number follows directly.
	Alone bool `yaml:"alone"`
}

const (
	reachBefore = 10 // words
	reachAfter  = 5
)

func (c context) check() error {
	for _, name := range []string{c.Before, c.After, c.Near, c.Label, c.Series, c.NextNot, c.LastNot, c.Next, c.Last} {
		if name != "" && lists()[name] == nil {
			return fmt.Errorf("there is no list %q", name)
		}
	}
	return nil
}

// here checks what can be seen before the match is known.
func (c context) here(s *scan, i int) bool {
	switch {
	case c.Capital && !unicode.IsUpper(firstRune(s.atoms[i].raw)):
		return false
	case c.Before != "" && !s.nearby(i, reachBefore, lists()[c.Before]):
		return false
	case c.Label != "" && s.label(i, lists()[c.Label]) == "":
		return false
	case c.Series != "" && !s.series(i, lists()[c.Series]):
		return false
	case c.Last != "" && !(s.open(i-1) && lists()[c.Last][s.at(i-1)]):
		return false
	case c.LastNot != "" && lists()[c.LastNot][s.at(i-1)]:
		return false
	}
	return !c.Dose || s.afterDose(i)
}

// around checks what stands around a match from atom i to, not including, to.
func (c context) around(s *scan, i, to int) bool {
	joined := s.open(to - 1)
	switch {
	case c.After != "" && !s.ahead(to, reachAfter, lists()[c.After]):
		return false
	case c.Near != "" && !s.nearby(i, reachBefore, lists()[c.Near]) && !s.ahead(to, reachAfter, lists()[c.Near]):
		return false
	case c.Next != "" && !(joined && lists()[c.Next][s.at(to)]):
		return false
	case c.NextNot != "" && joined && lists()[c.NextNot][s.at(to)]:
		return false
	}
	return !c.Alone || !(joined && s.numeric(to))
}

// series finds a label before a list of numbers.
func (s *scan) series(i int, labels map[string]bool) bool {
	for j := i; j > 0 && j > i-14; j-- {
		if j < i && strings.ContainsAny(s.atoms[j].mark, ".?!;:") {
			return false
		}
		before, earlier := s.at(j-1), s.at(j-2)
		if links := lists()["links"]; links[before] && !s.numeric(j-2) && !romanWords[earlier] && !links[earlier] {
			return false // "this leads to two problems"
		}
		if s.label(j, labels) != "" {
			return true
		}
		if !s.numeric(j-1) && !lists()["links"][before] && !romanWords[before] {
			return false
		}
	}
	return false
}

func firstRune(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}
