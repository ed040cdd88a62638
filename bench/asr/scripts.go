// Package asr is the speech bench: scripts of dictations, the clips made from them, and the systems that are measured on
// them. Its work is done by programs beside it (see README.md); this package reads the scripts, so that a test can keep the
// set that thresholds are fitted on apart from the set that reports, and both apart from the lexicon.
package asr

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed scripts/tune.txt scripts/report.txt
var scripts embed.FS

// Entity is a marked stretch of a script.
type Entity struct {
	Kind string // drug, dose, num, neg, side, term
	Text string // in lower case
}

// Script is one dictation.
type Script struct {
	Name      string
	Sentences []string // in lower case, without marks
	Entities  []Entity
}

var (
	marked = regexp.MustCompile(`\{(\w+):([^{}]+)\}`)
	pause  = regexp.MustCompile(`\[\d+\]`)
	stop   = regexp.MustCompile(`[.:¶]`)
)

// Scripts reads a set: "tune" or "report".
func Scripts(set string) ([]Script, error) {
	text, err := scripts.ReadFile("scripts/" + set + ".txt")
	if err != nil {
		return nil, fmt.Errorf("read scripts: %w", err)
	}
	var out []Script
	for _, block := range strings.Split(string(text), "\n## ")[1:] {
		head, body, _ := strings.Cut(block, "\n")
		name, _, _ := strings.Cut(head, " |")
		out = append(out, parse(name, body))
	}
	return out, nil
}

func parse(name, body string) Script {
	s := Script{Name: name}
	for _, m := range marked.FindAllStringSubmatch(body, -1) {
		s.Entities = append(s.Entities, Entity{Kind: m[1], Text: strings.ToLower(m[2])})
	}
	plain := pause.ReplaceAllString(marked.ReplaceAllString(body, "$2"), "")
	for _, sentence := range stop.Split(plain, -1) {
		words := strings.Fields(strings.ToLower(strings.ReplaceAll(sentence, ",", " ")))
		if len(words) > 0 {
			s.Sentences = append(s.Sentences, strings.Join(words, " "))
		}
	}
	return s
}
