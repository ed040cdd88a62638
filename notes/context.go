package notes

import (
	"fmt"
	"strings"
)

// context is a pattern of words around a command: "<preposition> <article> _". The words on each side are kept nearest
// first.
type context struct {
	left, right []element
	eg          string // a sentence in which it holds
}

// element is one place of a pattern.
type element struct {
	words    map[string]bool // nil: any word
	not      bool            // any word but these
	number   bool            // a number too
	many     bool            // a number but one too
	optional bool
	edge     bool // nothing more on this side, or a break
	pause    bool
}

// parseContext reads a pattern: see the head of commands.yaml.
func parseContext(pattern string, lists map[string]map[string]bool) (context, error) {
	left, right, ok := strings.Cut(" "+pattern+" ", " _ ")
	if !ok {
		return context{}, fmt.Errorf("there is no _ in the pattern")
	}
	var c context
	for _, field := range strings.Fields(left) {
		e, err := parseElement(field, lists)
		if err != nil {
			return context{}, err
		}
		c.left = append([]element{e}, c.left...)
	}
	for _, field := range strings.Fields(right) {
		e, err := parseElement(field, lists)
		if err != nil {
			return context{}, err
		}
		c.right = append(c.right, e)
	}
	return c, nil
}

func parseElement(field string, lists map[string]map[string]bool) (element, error) {
	var e element
	field, e.optional = strings.CutSuffix(field, "?")
	field, e.not = strings.CutPrefix(field, "!")
	switch field {
	case "*":
		return e, nil
	case "^", "$":
		e.edge = true
		return e, nil
	case "~":
		e.pause = true
		return e, nil
	}
	e.words = map[string]bool{}
	for _, w := range strings.Split(field, "|") {
		name, isList := strings.CutPrefix(w, "<")
		name, suffix, _ := strings.Cut(name, ">")
		switch {
		case !isList:
			e.words[w] = true
		case name == "number" && suffix != "":
			e.words[suffix] = true
		case name == "number":
			e.number = true
		case name == "many":
			e.many = true
		case lists[name] == nil:
			return e, fmt.Errorf("there is no list %q", name)
		}
		if isList {
			for word := range lists[name] {
				e.words[word] = true
			}
		}
	}
	return e, nil
}

// fits says that a word stands for the element.
func (e element) fits(key string) bool {
	if key == "" {
		return false
	}
	if e.words == nil {
		return !e.not
	}
	hit := e.words[key] || e.number && numberLike(key) || e.many && numberLike(key) && key != "one" && key != "1"
	if dash := strings.IndexByte(key, '-'); !hit && dash > 0 && numberLike(key[:dash]) {
		hit = e.words[key[dash:]]
	}
	return hit != e.not
}

// holds says that a pattern fits around the command of tokens i up to j.
func (s *scanner) holds(c context, i, j int) bool {
	return s.leftFits(c.left, i, i) && s.rightFits(c.right, j)
}

// leftFits matches elements against the words before token i; command is where the command begins.
func (s *scanner) leftFits(left []element, i, command int) bool {
	if len(left) == 0 {
		return true
	}
	e := left[0]
	open := i > 0 && s.tokens[i-1].mark() == "" && !(i == command && s.afterMark(i)) && s.commandOf[i-1] == "" // a word stands right before
	switch {
	case e.edge:
		return !open || s.boundary(i)
	case e.pause:
		return (!open || s.tokens[i].pause >= setOff) && s.leftFits(left[1:], i, command)
	case open && e.fits(s.tokens[i-1].key) && s.leftFits(left[1:], i-1, command):
		return true
	}
	return e.optional && s.leftFits(left[1:], i, command)
}

// rightFits matches elements against the words from token j on.
func (s *scanner) rightFits(right []element, j int) bool {
	if len(right) == 0 {
		return true
	}
	e := right[0]
	open := j > 0 && j < len(s.tokens) && s.tokens[j-1].mark() == ""
	switch {
	case e.edge:
		return !open
	case e.pause:
		return (!open || s.tokens[j].pause >= setOff) && s.rightFits(right[1:], j)
	case open && e.fits(s.tokens[j].key) && s.rightFits(right[1:], j+1):
		return true
	}
	return e.optional && s.rightFits(right[1:], j)
}
