package followups

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed rules.yaml terms.yaml
var data embed.FS

// rule is one way to say a promise.
type rule struct {
	Name     string
	Kind     Kind
	Thing    bool // the name of a thing, which is a promise only beside an order or a date
	Pending  bool
	Patterns []*pattern
	Examples []Example
}

// Example is a sentence with what is to be found in it, for a plan dictated on 24 November 2026.
type Example struct {
	Say   string   `yaml:"say"`
	Is    []Expect `yaml:"is"`
	Weak  bool     `yaml:"weak"` // the sentence stands in a section that is no plan
	Under string   `yaml:"under"`
}

// Expect is a finding in short. Fields left out are not compared, but for the kind, conditional and pending; a due of "none"
// says that there is none.
type Expect struct {
	Kind        Kind   `yaml:"kind"`
	Due         string `yaml:"due"`
	To          string `yaml:"to"`
	Owner       string `yaml:"owner"`
	Conditional bool   `yaml:"conditional"`
	Pending     bool   `yaml:"pending"`
}

type ruleFile struct {
	Shorthand yaml.MapSlice `yaml:"shorthand"`
	Rules     []struct {
		Name     string    `yaml:"name"`
		Kind     Kind      `yaml:"kind"`
		Says     string    `yaml:"says"`
		Pending  bool      `yaml:"pending"`
		Patterns []string  `yaml:"patterns"`
		Examples []Example `yaml:"examples"`
	} `yaml:"rules"`
}

// table is the rules, compiled once. The files are embedded and their tests compile them, so a mistake is a broken build.
var table = sync.OnceValue(func() []rule {
	rules, err := load()
	if err != nil {
		panic("followups: " + err.Error())
	}
	return rules
})

func load() ([]rule, error) {
	names, err := shorthands()
	if err != nil {
		return nil, err
	}
	var file ruleFile
	if err := read("rules.yaml", &file); err != nil {
		return nil, err
	}
	for _, item := range file.Shorthand {
		names[fmt.Sprint(item.Key)] = expand(fmt.Sprint(item.Value), names)
	}
	var out []rule
	for _, r := range file.Rules {
		if !slices.Contains(Kinds(), r.Kind) || (r.Says != "order" && r.Says != "thing") {
			return nil, fmt.Errorf("rule %q: kind %q or says %q is unknown", r.Name, r.Kind, r.Says)
		}
		made := rule{Name: r.Name, Kind: r.Kind, Thing: r.Says == "thing", Pending: r.Pending, Examples: r.Examples}
		for _, p := range r.Patterns {
			compiled, err := newPattern(expand(p, names))
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", r.Name, err)
			}
			made.Patterns = append(made.Patterns, compiled)
		}
		out = append(out, made)
	}
	return out, nil
}

// shorthands are the lists of terms as one expression each.
func shorthands() (map[string]string, error) {
	var lists map[string][]string
	if err := read("terms.yaml", &lists); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, terms := range lists {
		out[name] = "(?:" + strings.Join(terms, "|") + ")"
	}
	return out, nil
}

func read(name string, into any) error {
	raw, err := data.ReadFile(name)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

var shorthand = regexp.MustCompile(`\{([a-z]+)\}`)

// expand puts the lists in the place of their names.
func expand(pattern string, names map[string]string) string {
	return shorthand.ReplaceAllStringFunc(pattern, func(m string) string {
		if full, ok := names[m[1:len(m)-1]]; ok {
			return full
		}
		return m
	})
}

// Examples are those of all rules, by the rule's name.
func Examples() map[string][]Example {
	out := map[string][]Example{}
	for _, r := range table() {
		out[r.Name] = r.Examples
	}
	return out
}
