package escalation

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"vesper/internal/plainyaml"
)

// Problem is one thing that is wrong in a set of rules.
type Problem struct {
	Line    int // 0: not known
	Message string
}

// String is the problem as people read it.
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Message) }

// Bounds of a set.
const (
	maxSource   = 64 << 10
	maxRules    = 100
	maxActions  = 20 // of a rule
	maxProblems = 50 // that are told at once
)

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,59}$`)
	states   = []string{"received", "queued", "transcribed", "drafted", "in_review", "awaiting_signature", "signed", "rejected", "failed"}
	roles    = []string{"editor", "supervisor", "compliance", "admin"}
)

// Parse reads a set of rules. It finds all problems, up to maxProblems; a set with one is not used. Whoever is signed in may
// ask for it, so it is quick whatever it is given.
func Parse(source string) (Set, []Problem) {
	var s Set
	if len(source) > maxSource {
		return s, []Problem{{Message: fmt.Sprintf("the rules are longer than %d KiB", maxSource>>10)}}
	}
	if line, wrong, ok := plainyaml.Check(source); !ok {
		return s, []Problem{{line, wrong}}
	}
	if err := yaml.UnmarshalWithOptions([]byte(source), &s, yaml.Strict()); err != nil {
		return Set{}, []Problem{syntax(err)}
	}
	c := checker{source: source}
	if len(s.Rules) > maxRules {
		c.add("$.rules", "there are more than %d rules", maxRules)
		return Set{}, c.problems
	}
	seen := map[string]bool{}
	for i, r := range s.Rules {
		at := fmt.Sprintf("$.rules[%d]", i)
		if seen[r.Name] {
			c.add(at+".name", "the name %q is used twice", r.Name)
		}
		seen[r.Name] = true
		c.rule(at, r)
	}
	if len(c.problems) > 0 {
		slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Line - b.Line })
		return Set{}, c.problems
	}
	return s, nil
}

func syntax(err error) Problem {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		return Problem{Line: located.GetToken().Position.Line, Message: located.GetMessage()}
	}
	return Problem{Message: err.Error()}
}

type checker struct {
	source   string
	file     *ast.File // of source, parsed when the first line is asked for
	problems []Problem
}

func (c *checker) add(at, format string, args ...any) {
	if len(c.problems) == maxProblems {
		return
	}
	c.problems = append(c.problems, Problem{Line: c.line(at), Message: fmt.Sprintf(format, args...)})
}

// line finds where a path stands; a missing field is reported at its nearest parent.
func (c *checker) line(at string) int {
	if c.file == nil {
		f, err := parser.ParseBytes([]byte(c.source), 0)
		if err != nil {
			return 0
		}
		c.file = f
	}
	for at != "$" {
		if p, err := yaml.PathString(at); err == nil {
			if node, err := p.FilterFile(c.file); err == nil && node != nil {
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

func (c *checker) rule(at string, r Rule) {
	if !nameForm.MatchString(r.Name) {
		c.add(at+".name", "a rule needs a name of lower-case letters, digits and hyphens, such as stat-waits")
	}
	if n := len(strings.TrimSpace(r.Say)); n == 0 || len(r.Say) > 200 || strings.ContainsAny(r.Say, "\r\n") {
		c.add(at+".say", "say in one line of at most 200 characters what people are told")
	}
	c.when(at+".when", r.When)
	if c.span(at+".again", r.Again); r.Again.Given() && r.Again.d >= 0 && r.Again.d < MinAgain {
		c.add(at+".again", "again is at least %dm", int(MinAgain.Minutes()))
	}
	if len(r.Do) == 0 {
		c.add(at+".do", "say what to do: notify, raise, due_within or reassign")
	}
	if len(r.Do) > maxActions {
		c.add(at+".do", "a rule does at most %d things", maxActions)
		return
	}
	for i, a := range r.Do {
		c.action(fmt.Sprintf("%s.do[%d]", at, i), a, r.When)
	}
}

func (c *checker) when(at string, w When) {
	for _, s := range w.State {
		if !slices.Contains(states, s) {
			c.add(at+".state", "there is no state %q; there are %s", s, strings.Join(states, ", "))
		}
	}
	if w.Used.share < 0 {
		c.add(at+".used", "%q is no share; write 80%%", w.Used.text)
	}
	for name, s := range map[string]Span{"overdue_by": w.OverdueBy, "in_state_for": w.InStateFor, "claim_idle_for": w.ClaimIdleFor} {
		c.span(at+"."+name, s)
	}
	switch {
	case w.Priority != "" && w.Priority != "stat" && w.Priority != "routine":
		c.add(at+".priority", "a priority is stat or routine")
	case w.Count != "" && w.Count != "wall" && w.Count != "working":
		c.add(at+".count", "count is wall or working")
	case w.Count != "" && !w.InStateFor.Given():
		c.add(at+".count", "count says how in_state_for is counted, which is not given")
	case w.Job != "" && w.Job != "dead" && w.Job != "quarantined":
		c.add(at+".job", "job is dead or quarantined")
	case w.Delivery != "" && w.Delivery != "failed":
		c.add(at+".delivery", "delivery can only be failed")
	case w.InStateFor.Given() && len(w.State) == 0:
		c.add(at+".in_state_for", "in_state_for needs the state or states")
	case w.empty():
		c.add(at, "a rule needs a condition")
	}
}

func (c *checker) span(at string, s Span) {
	if s.d < 0 {
		c.add(at, "%q is no time; write 30m, 4h or 3d", s.text)
	}
}

func (w When) empty() bool {
	return len(w.State) == 0 && len(w.WorkType) == 0 && w.Priority == "" && w.Used.text == "" && !w.OverdueBy.Given() && !w.InStateFor.Given() &&
		!w.ClaimIdleFor.Given() && w.Job == "" && w.Delivery == ""
}

func (c *checker) action(at string, a Action, w When) {
	given := 0
	for _, is := range []bool{len(a.Notify) > 0, a.Raise != "", a.DueWithin.Given(), a.Reassign != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.add(at, "an action is one of notify, raise, due_within and reassign")
	}
	if a.Raise != "" && a.Raise != "stat" {
		c.add(at+".raise", "a priority can only be raised to stat")
	}
	c.reassign(at, a, w)
	if (a.Raise != "" || a.DueWithin.Given()) && slices.ContainsFunc(w.State, over) {
		c.add(at, "what is signed or rejected has no due time any more")
	}
	c.span(at+".due_within", a.DueWithin)
	for i, who := range a.Notify {
		if problem := recipient(who); problem != "" {
			c.add(fmt.Sprintf("%s.notify[%d]", at, i), "%s", problem)
		}
	}
}

func (c *checker) reassign(at string, a Action, w When) {
	editors := List{"drafted", "in_review"}
	apart := func(s string) bool { return !slices.Contains(editors, s) }
	switch {
	case a.Reassign == "" && (a.To != "" || a.Interrupt):
		c.add(at, "to and interrupt belong to reassign: editor")
	case a.Reassign == "":
	case a.Reassign != Release && a.Reassign != ToEditor:
		c.add(at+".reassign", "reassign is release (the note goes back to the queue) or editor (it is given to one, with to)")
	case a.Reassign == Release && (a.To != "" || a.Interrupt):
		c.add(at+".reassign", "reassign: release gives the note to nobody; write reassign: editor with to and interrupt")
	case a.Reassign == Release && !slices.Equal(w.State, List{"in_review"}):
		c.add(at+".reassign", "only a note that is in review can be given back: add the condition state: in_review")
	case a.Reassign == ToEditor && (len(w.State) == 0 || slices.ContainsFunc(w.State, apart)):
		c.add(at+".reassign", "only a note that waits for an editor can be given to one: add the condition state: [drafted, in_review], or one of them")
	case a.Reassign == ToEditor && strings.TrimSpace(a.To) == "":
		c.add(at+".reassign", "say who gets the note: to: LOGIN of an editor, or to: %s", LeastLoaded)
	}
}

// CheckEditors finds the actions that give notes to somebody who is no editor. source is what the set was read from.
func CheckEditors(source string, s Set, isEditor func(login string) bool) []Problem {
	c := checker{source: source}
	for i, r := range s.Rules {
		for j, a := range r.Do {
			if a.namesEditor() && !isEditor(a.To) {
				c.add(fmt.Sprintf("$.rules[%d].do[%d].to", i, j), "there is no editor with the login %q whose account is open; write another one, or to: %s", a.To, LeastLoaded)
			}
		}
	}
	return c.problems
}

func over(state string) bool { return state == "signed" || state == "rejected" }

// recipient says what is wrong with somebody to notify, "" for nothing.
func recipient(who string) string {
	role, isRole := strings.CutPrefix(who, "role:")
	address, isMail := strings.CutPrefix(who, "mail:")
	switch {
	case who == "author", who == "holder", who == "webhook":
		return ""
	case isRole && slices.Contains(roles, role):
		return ""
	case isRole:
		return fmt.Sprintf("there is no role %q; there are %s", role, strings.Join(roles, ", "))
	case isMail && ValidAddress(address):
		return ""
	case isMail:
		return fmt.Sprintf("%q is no e-mail address", address)
	default:
		return fmt.Sprintf("nobody is called %q; write author, holder, role:NAME, mail:ADDRESS or webhook", who)
	}
}

// ValidAddress reports whether a text is a plain e-mail address, without a name.
func ValidAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= 200 && !strings.ContainsAny(text, "\r\n")
}

// UnmarshalYAML reads 90m, 4h or 3d. What is none is kept, so that the check can say on which line it stands.
func (s *Span) UnmarshalYAML(data []byte) error {
	if err := yaml.Unmarshal(data, &s.text); err != nil {
		return err
	}
	if days, ok := strings.CutSuffix(s.text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if s.d = time.Duration(n * 24 * float64(time.Hour)); err != nil || !(n > 0 && n <= 365) {
			s.d = -1
		}
		return nil
	}
	d, err := time.ParseDuration(s.text)
	if s.d = d; err != nil || d < 0 || d > 365*24*time.Hour {
		s.d = -1
	}
	return nil
}

// UnmarshalYAML reads 80%.
func (p *Percent) UnmarshalYAML(data []byte) error {
	if err := yaml.Unmarshal(data, &p.text); err != nil {
		return err
	}
	digits, ok := strings.CutSuffix(p.text, "%")
	n, err := strconv.ParseFloat(digits, 64)
	if p.share = n / 100; !ok || err != nil || !(n > 0 && n <= 1000) {
		p.share = -1
	}
	return nil
}

// UnmarshalYAML reads one text or a list.
func (l *List) UnmarshalYAML(data []byte) error {
	var many []string
	if err := yaml.Unmarshal(data, &many); err == nil {
		*l = many
		return nil
	}
	var one string
	if err := yaml.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = List{one}
	return nil
}
