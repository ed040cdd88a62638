package numbers_test

import (
	"strings"
	"testing"

	"vesper/notes/numbers"
	"vesper/notes/style"
)

// read splits a line into words and the marks after them.
func read(line string) []numbers.Word {
	var words []numbers.Word
	for _, f := range strings.Fields(line) {
		text := strings.TrimRight(f, ",;:?!")
		if strings.HasSuffix(text, ".") && strings.Count(text, ".") == 1 {
			text = strings.TrimSuffix(text, ".")
		}
		words = append(words, numbers.Word{Text: text, Mark: strings.TrimPrefix(f, text)})
	}
	return words
}

// rewriteIn applies the edits to a line in a style.
func rewriteIn(st style.Style, line string) (string, []numbers.Edit) {
	words := read(line)
	edits := numbers.Rewrite(words, st)
	var out []string
	at := 0
	for _, e := range edits {
		for ; at < e.From; at++ {
			out = append(out, words[at].Text+words[at].Mark)
		}
		if e.Doubt != "" {
			continue
		}
		out = append(out, e.Text+words[e.To-1].Mark)
		at = e.To
	}
	for ; at < len(words); at++ {
		out = append(out, words[at].Text+words[at].Mark)
	}
	return strings.Join(out, " "), edits
}

func rewrite(line string) (string, []numbers.Edit) { return rewriteIn(style.Style{}, line) }

func named(t *testing.T, name string) style.Style {
	t.Helper()
	st, err := style.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func byRule(edits []numbers.Edit, rule string) (changes, doubts int) {
	for _, e := range edits {
		switch {
		case e.Rule == rule && e.Doubt != "":
			doubts++
		case e.Rule == rule:
			changes++
		}
	}
	return changes, doubts
}

func TestEveryRuleDoesWhatItsExamplesSay(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			got, edits := rewriteIn(named(t, e.Style), e.Said)
			if got != e.Written {
				t.Errorf("%s %s: %q became %q, want %q (%+v)", rule.Name, e.Style, e.Said, got, e.Written, edits)
			}
		}
	}
}

// A rule whose examples another rule writes is never reached, or its examples show something else.
func TestEveryRuleHasAnExampleThatItWritesItself(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		used := 0
		for _, e := range rule.Examples {
			_, edits := rewriteIn(named(t, e.Style), e.Said)
			changes, _ := byRule(edits, rule.Name)
			used += changes
		}
		if used == 0 && len(rule.Examples) > 0 {
			t.Errorf("%s: no example is written by the rule", rule.Name)
		}
	}
}

func TestEveryRuleLeavesTheLiteralSenseAlone(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, line := range rule.Literal {
			got, edits := rewrite(line)
			changes, doubts := byRule(edits, rule.Name)
			if changes+doubts > 0 {
				t.Errorf("%s: %q became %q (%+v)", rule.Name, line, got, edits)
			}
		}
	}
}

func TestEveryRuleDoubtsWhatCanBeReadInTwoWays(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, line := range rule.Doubts {
			got, edits := rewrite(line)
			if _, doubts := byRule(edits, rule.Name); got != line || doubts != 1 {
				t.Errorf("%s: %q became %q with %d doubts: %+v", rule.Name, line, got, doubts, edits)
			}
		}
	}
}

func TestWhatIsWrittenWellPassesThroughUnchanged(t *testing.T) {
	t.Parallel()
	for _, rule := range numbers.Rules() {
		for _, e := range rule.Examples {
			if got, edits := rewriteIn(named(t, e.Style), e.Written); got != e.Written {
				t.Errorf("%s %s: %q became %q %+v", rule.Name, e.Style, e.Written, got, edits)
			}
		}
	}
}

func TestRulesHaveNamesOfTheirOwnAndSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rule := range numbers.Rules() {
		if seen[rule.Name] {
			t.Errorf("two rules are named %s", rule.Name)
		}
		seen[rule.Name] = true
		if len(rule.For) < 8 || !strings.HasSuffix(rule.For, ".") {
			t.Errorf("%s: what it is for should be a sentence, not %q", rule.Name, rule.For)
		}
	}
	if len(seen) < 50 {
		t.Fatalf("only %d rules were read", len(seen))
	}
}
