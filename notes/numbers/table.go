package numbers

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed data/*.yaml data/rules/*.yaml
var embedded embed.FS

// Example is what a rule does, and a test of it. Style is the style it is written in, "" for the default.
type Example struct{ Said, Written, Style string }

// Rule is one way of writing numbers. The first rule of the table that applies at a word wins.
type Rule struct {
	Name string
	For  string // what it is for, in a sentence
	// Examples are spoken → written. Literal are lines that the rule must leave alone, because the words are meant as words.
	// Doubts are lines that stay as they are and that a person must look at.
	Examples []Example
	Literal  []string
	Doubts   []string

	forms  []form // of a rule that is data
	only   context
	read   reader // of a rule that needs code, nil otherwise
	number bool   // its code begins with a number
}

// match is what a rule found: it covers atoms up to, not including, to.
type match struct {
	to    int
	text  string
	doubt string
}

// reader is the code of a rule: it looks for a match that begins at atom i.
type reader func(s *scan, i int) (match, bool)

// entry is a rule as written in a file.
type entry struct {
	Name     string   `yaml:"name"`
	For      string   `yaml:"for"`
	Use      string   `yaml:"use"`
	Forms    []string `yaml:"forms"`
	Only     context  `yaml:"only"`
	Examples []string `yaml:"examples"`
	Literal  []string `yaml:"literal"`
	Doubts   []string `yaml:"doubts"`
	InStyle  []struct {
		Style    string   `yaml:"style"`
		Examples []string `yaml:"examples"`
	} `yaml:"in_style"`
}

// Rules returns the table, in the order in which rules are tried: file by file, from top to bottom.
func Rules() []Rule { return append([]Rule(nil), table()...) }

// table is read once. Its files are checked by tests, so that a fault in them is a fault in the build.
var table = sync.OnceValue(func() []Rule {
	rules, err := load(embedded)
	if err != nil {
		panic("number rules: " + err.Error())
	}
	return rules
})

func load(fsys fs.FS) ([]Rule, error) {
	names, err := fs.Glob(fsys, "data/rules/*.yaml") // in order of their names
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	var rules []Rule
	for _, name := range names {
		var entries []entry
		if err := decode(fsys, name, &entries); err != nil {
			return nil, err
		}
		for _, e := range entries {
			rule, err := e.rule()
			if err != nil {
				return nil, fmt.Errorf("%s: rule %q: %w", name, e.Name, err)
			}
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

// decode reads a data file into a value.
func decode(fsys fs.FS, name string, into any) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	return nil
}

// mustDecode is decode for files that tests have checked.
func mustDecode(name string, into any) {
	if err := decode(embedded, name, into); err != nil {
		panic(err)
	}
}

// rule checks an entry and makes a rule of it.
func (e entry) rule() (Rule, error) {
	r := Rule{Name: e.Name, For: e.For, Literal: e.Literal, Doubts: e.Doubts, only: e.Only}
	if e.Name == "" || e.For == "" || len(e.Examples)+len(e.Doubts)+len(e.InStyle) == 0 {
		return r, fmt.Errorf("it needs a name, what it is for, and examples")
	}
	if (e.Use == "") == (len(e.Forms) == 0) {
		return r, fmt.Errorf("it needs either forms or the code to use")
	}
	if err := r.only.check(); err != nil {
		return r, err
	}
	if e.Use != "" {
		if r.read = readers[e.Use]; r.read == nil {
			r.read, r.number = numberReaders[e.Use], true
		}
		if r.read == nil {
			return r, fmt.Errorf("there is no code named %q", e.Use)
		}
	}
	for _, line := range e.Forms {
		f, err := parseForm(line)
		if err != nil {
			return r, fmt.Errorf("form %q: %w", line, err)
		}
		r.forms = append(r.forms, f)
	}
	if err := r.examples("", e.Examples); err != nil {
		return r, err
	}
	for _, in := range e.InStyle {
		if err := r.examples(in.Style, in.Examples); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *Rule) examples(style string, lines []string) error {
	for _, line := range lines {
		said, written, ok := strings.Cut(line, " => ")
		if !ok {
			return fmt.Errorf("example %q needs => between what is said and what is written", line)
		}
		r.Examples = append(r.Examples, Example{said, written, style})
	}
	return nil
}

// apply looks for the rule's match at atom i.
func (r *Rule) apply(s *scan, i int) (match, bool) {
	if r.read != nil {
		if r.number && !s.atoms[i].starts {
			return match{}, false
		}
		if !r.only.here(s, i) {
			return match{}, false
		}
		m, ok := r.read(s, i)
		return m, ok && r.only.around(s, i, m.to)
	}
	checked := false
	for k := range r.forms {
		m, ok := r.forms[k].match(s, i)
		if !ok {
			continue
		}
		if !checked {
			if !r.only.here(s, i) {
				return match{}, false
			}
			checked = true
		}
		if r.only.around(s, i, m.to) {
			return m, true
		}
	}
	return match{}, false
}
