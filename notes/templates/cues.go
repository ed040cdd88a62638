package templates

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

// Cue is a phrase that shows what a sentence is about. A sentence's score for a section is the sum of the weights of the
// section's cues that it has.
type Cue struct {
	Weight float64
	Start  bool // only at the beginning of the sentence
	// Words as said, in lower case, without hyphens and apostrophes. A word in angle brackets stands for a class (see
	// Classes).
	Words []string
}

// Classes are the words in angle brackets that a cue may have. The lists behind <body>, <operation> and so on are in
// shared/classes.yaml; <verbless> stands alone and means that the sentence has no verb.
func Classes() []string {
	return []string{"<number>", "<pressure>", "<drug>", "<age>", "<any>", "<body>", "<operation>", "<disease>", "<order>", "<ordered>", "<ordering>", "<verbless>"}
}

// class is a list of words and of their endings.
type class struct {
	words map[string]bool
	ends  []string
}

var wordClasses = sync.OnceValues(func() (map[string]class, error) {
	data, err := embedded.ReadFile("shared/classes.yaml")
	if err != nil {
		return nil, fmt.Errorf("read classes of words: %w", err)
	}
	var raw map[string][]string
	if err := yaml.UnmarshalWithOptions(data, &raw, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse classes of words: %w", err)
	}
	out := map[string]class{}
	for name, words := range raw {
		c := class{words: map[string]bool{}}
		for _, w := range words {
			if end, ok := strings.CutPrefix(w, "*"); ok {
				c.ends = append(c.ends, end)
			} else {
				c.words[w] = true
			}
		}
		out[name] = c
	}
	return out, nil
})

// InClass says that a word, in lower case, is of a class of shared/classes.yaml: "body", "operation", "disease", "verb".
func InClass(word, name string) bool {
	all, err := wordClasses()
	if err != nil {
		panic("templates: the embedded classes of words are broken: " + err.Error())
	}
	c := all[name]
	return c.words[word] || len(word) > 5 && slices.ContainsFunc(c.ends, func(end string) bool { return strings.HasSuffix(word, end) })
}

// contentWeight is the weight of a phrase that a template gives itself.
const contentWeight = 3

// cues completes the cues of a section: the sets that it names and its own phrases.
func (c *checker) cues(at string, e entry, lib library) []Cue {
	var out []Cue
	for i, name := range e.Cues {
		set, ok := lib.cues[name]
		if !ok {
			c.add(fmt.Sprintf("%s.cues[%d]", at, i), fmt.Sprintf("there is no set of cues %q; there are: %s", name, strings.Join(sortedKeys(lib.cues), ", ")))
		}
		for _, weight := range sortedKeys(set) {
			w, err := strconv.ParseFloat(weight, 64)
			if err != nil {
				c.add(fmt.Sprintf("%s.cues[%d]", at, i), fmt.Sprintf("the weight %q of %q is no number", weight, name))
			}
			for _, phrase := range set[weight] {
				out = append(out, newCue(phrase, w))
			}
		}
	}
	for i, phrase := range e.Content {
		cue := newCue(phrase, contentWeight)
		if problem := cue.problem(); problem != "" {
			c.add(fmt.Sprintf("%s.content[%d]", at, i), problem)
			continue
		}
		out = append(out, cue)
	}
	return out
}

func newCue(phrase string, weight float64) Cue {
	phrase, start := strings.CutPrefix(strings.ToLower(strings.TrimSpace(phrase)), "^")
	phrase = strings.NewReplacer("-", " ", "'", "", ".", "").Replace(phrase)
	return Cue{Weight: weight, Start: start, Words: strings.Fields(phrase)}
}

// problem says what is wrong with a cue, "" if nothing is.
func (c Cue) problem() string {
	if len(c.Words) == 0 {
		return "a phrase needs a word"
	}
	for _, w := range c.Words {
		if strings.HasPrefix(w, "<") && !slices.Contains(Classes(), w) {
			return fmt.Sprintf("%q is no class of words; use one of %s", w, strings.Join(Classes(), " "))
		}
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
