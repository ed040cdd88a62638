package templates

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// Problem is one thing wrong in a template file.
type Problem struct {
	File    string
	Line    int // 1-based; 0 when it is not known
	Message string
}

// String is the problem as compilers write it.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message) }

// checker collects the problems of one file and finds the line of each.
type checker struct {
	name     string
	data     []byte
	problems []Problem
}

func (c *checker) add(at, message string) {
	c.problems = append(c.problems, Problem{File: c.name, Line: c.line(at), Message: message})
}

// line finds where a path stands; a missing field is reported at its nearest parent.
func (c *checker) line(at string) int {
	f, err := parser.ParseBytes(c.data, 0)
	if err != nil {
		return 0
	}
	for at != "$" {
		if p, err := yaml.PathString(at); err == nil {
			if node, err := p.FilterFile(f); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut <= 0 {
			break
		}
		at = at[:cut]
	}
	return 1
}

func syntaxProblem(name string, err error) Problem {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		message := located.GetMessage()
		if strings.Contains(message, "unknown field") {
			message += ": check its spelling; docs/templates.md lists the fields"
		}
		return Problem{File: name, Line: located.GetToken().Position.Line, Message: message}
	}
	return Problem{File: name, Message: err.Error()}
}

var (
	keyForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	loincForm = regexp.MustCompile(`^\d{1,5}-\d$`)
)

// check holds the rules that a template must keep.
func (c *checker) check(t Template) {
	if !keyForm.MatchString(t.Key) {
		c.add("$.key", "a key is lower-case letters, digits and underscores")
	}
	if t.Name == "" {
		c.add("$.name", "the name is missing: write what people call this kind of document")
	}
	if !loincForm.MatchString(t.LOINC.Code) {
		c.add("$.loinc.code", "a LOINC code looks like 11506-3: look the document's code up at loinc.org")
	} else if !loincDigitRight(t.LOINC.Code) {
		c.add("$.loinc.code", "the check digit of this LOINC code is wrong: a digit was mistyped")
	}
	if len(t.Sections) == 0 {
		c.add("$.sections", "a template has at least one section")
	}
	if _, ok := t.Section(t.Default()); !ok {
		c.add("$.default_section", fmt.Sprintf("there is no section %q in this template", t.DefaultSection))
	}
	c.checkSections(t)
	c.checkStatements(t)
	c.checkNormals(t)
}

func (c *checker) checkSections(t Template) {
	keys, spoken := map[string]bool{}, map[string]string{}
	for i, s := range t.Sections {
		at := fmt.Sprintf("$.sections[%d]", i)
		if !keyForm.MatchString(s.Key) {
			c.add(at+".key", "a key is lower-case letters, digits and underscores")
		}
		if keys[s.Key] {
			c.add(at+".key", fmt.Sprintf("the section %q is there twice", s.Key))
		}
		keys[s.Key] = true
		if s.Heading == "" {
			c.add(at+".heading", "the heading is missing: write it as it is printed")
		}
		switch s.Layout {
		case Prose, List, Numbered, Table:
		default:
			c.add(at+".layout", "the layout is prose, list, numbered or table")
		}
		for j, said := range s.Synonyms {
			if other, taken := spoken[fold(said)]; taken && other != s.Key {
				c.add(fmt.Sprintf("%s.synonyms[%d]", at, j), fmt.Sprintf("%q already names the section %q", said, other))
			}
			spoken[fold(said)] = s.Key
		}
		for j, other := range s.SatisfiedBy {
			if _, ok := t.Section(other); !ok {
				c.add(fmt.Sprintf("%s.satisfied_by[%d]", at, j), fmt.Sprintf("there is no section %q in this template", other))
			}
		}
	}
}

// clashes finds names that two work types of a set share.
func clashes(set Set, t Template, name string, data []byte) []Problem {
	c := checker{name: name, data: data}
	if other, err := set.Find(t.Key); err == nil && t.Key != "" {
		c.add("$.key", fmt.Sprintf("the work type %q already has this name", other.Key))
	}
	for i, alias := range t.Aliases {
		if other, err := set.Find(alias); err == nil {
			c.add(fmt.Sprintf("$.aliases[%d]", i), fmt.Sprintf("the work type %q already has this name", other.Key))
		}
	}
	return c.problems
}

// loincDigitRight checks the code's last digit (modulus 10, as LOINC's guide describes).
func loincDigitRight(code string) bool {
	body, check, _ := strings.Cut(code, "-")
	sum, double := 0, true
	for i := len(body) - 1; i >= 0; i-- {
		d := int(body[i] - '0')
		if double {
			d *= 2
		}
		sum += d/10 + d%10
		double = !double
	}
	return (10-sum%10)%10 == int(check[0]-'0')
}
