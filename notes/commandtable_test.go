package notes_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"vesper/notes"
)

// commandFile is the part of the table of commands that the tests read by themselves.
type commandFile struct {
	Commands []struct {
		Name, Group, Does, Needs string
		Say, Page, Eg            []string
		Sure, Literal            []struct{ When, Eg string }
	}
}

func commandTable(t *testing.T) commandFile {
	t.Helper()
	var f commandFile
	if err := yaml.Unmarshal(read(t, "commands.yaml"), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEachCommandDoesWhatItsExamplesSay(t *testing.T) {
	t.Parallel()
	for _, c := range commandTable(t).Commands {
		for _, eg := range c.Eg {
			said, want, _ := strings.Cut(eg, " => ")
			if got := subjective(t, said); got != want {
				t.Errorf("%s: %q became\n%q, want\n%q", c.Name, said, got, want)
			}
		}
	}
}

// obeyed are the names of the commands that were carried out in a document.
func obeyed(doc notes.Document) map[string]int {
	out := map[string]int{}
	for _, r := range notes.Restorable(doc) {
		if r.Command != "" {
			out[r.Command]++
		}
	}
	return out
}

// marksAround are the marks dictated around the examples below.
var marksAround = map[string]int{"period": 3, "comma": 2}

func TestWordsStayWhereARuleSaysSo(t *testing.T) {
	t.Parallel()
	for _, c := range commandTable(t).Commands {
		for _, r := range c.Literal {
			// The speaker dictates marks, so that commands are expected.
			doc := draft(t, "progress", "she eats comma he sleeps comma and drinks period\nhe feels well period\n"+r.Eg+" again period")
			if got := obeyed(doc); got[c.Name] > marksAround[c.Name] {
				t.Errorf("%s: %q was taken for the command (rule %s): %q", c.Name, r.Eg, r.When, notes.Text(doc))
			}
			alone := draft(t, "progress", r.Eg+".")
			if n := obeyed(alone)[c.Name]; n > 0 {
				t.Errorf("%s: alone, %q was taken for the command: %q", c.Name, r.Eg, notes.Text(alone))
			}
		}
		for _, r := range c.Sure {
			doc := draft(t, "progress", "she eats comma he sleeps comma and drinks period\nhe feels well period\n"+r.Eg+" again")
			if obeyed(doc)[c.Name] < marksAround[c.Name] {
				t.Errorf("%s: %q was not taken for the command (rule %s): %q", c.Name, r.Eg, r.When, notes.Text(doc))
			}
		}
	}
}

func TestTheTableOfCommandsIsComplete(t *testing.T) {
	t.Parallel()
	wording := regexp.MustCompile(`^[a-z' -]+$`)
	seen := map[string]string{}
	for _, c := range commandTable(t).Commands {
		if c.Group == "" || c.Does == "" || len(c.Say) == 0 {
			t.Errorf("%s has no group, description or wording", c.Name)
		}
		for _, say := range c.Say {
			if !wording.MatchString(say) {
				t.Errorf("%s: %q can never be heard", c.Name, say)
			}
			if other := seen[say]; other != "" {
				t.Errorf("%q is said for %s and %s", say, other, c.Name)
			}
			seen[say] = c.Name
		}
		for _, page := range c.Page {
			plain := strings.ToLower(page)
			if !slices.Contains(c.Say, plain) && !slices.Contains(c.Say, strings.ReplaceAll(plain, "'", "")) {
				t.Errorf("%s: the page promises %q, which is not in the table", c.Name, page)
			}
		}
		for _, r := range append(c.Literal, c.Sure...) {
			if r.Eg == "" {
				t.Errorf("%s: rule %q has no example", c.Name, r.When)
			}
		}
	}
}
