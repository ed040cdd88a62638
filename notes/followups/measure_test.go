package followups_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"vesper/notes/followups"
)

// tally counts what was found against what a person finds.
type tally struct{ right, missed, wrong, fields, fieldsRight int }

func (c tally) precision() float64 { return ratio(c.right, c.right+c.wrong) }
func (c tally) recall() float64    { return ratio(c.right, c.right+c.missed) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// TestPromisesAreFoundInSentencesThatWereNotLookedAt prints precision and recall (-v) and holds both lists to a floor.
func TestPromisesAreFoundInSentencesThatWereNotLookedAt(t *testing.T) {
	t.Parallel()
	for name, floor := range map[string][3]float64{
		"tuned": {1, 1, 1}, "held_out": {0.97, 0.97, 0.97}, "fresh": {0.97, 0.97, 0.97}, "later": {0.97, 0.97, 0.97},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := sentences(t, name)
			if len(list) < 50 {
				t.Fatalf("only %d sentences", len(list))
			}
			var c tally
			for _, e := range list {
				measure(t, &c, e)
			}
			t.Logf("%d sentences, %d promises: precision %.3f, recall %.3f, due, to, owner and condition right %.3f",
				len(list), c.right+c.missed, c.precision(), c.recall(), ratio(c.fieldsRight, c.fields))
			if c.precision() < floor[0] || c.recall() < floor[1] || ratio(c.fieldsRight, c.fields) < floor[2] {
				t.Errorf("below the floor of %v", floor)
			}
		})
	}
}

func sentences(t *testing.T, name string) []followups.Example {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []followups.Example
	if err := yaml.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// measure pairs findings and expectations by kind, in order.
func measure(t *testing.T, c *tally, e followups.Example) {
	t.Helper()
	weak := e.Under != "" && e.Under != "plan"
	left := followups.Find(e.Say, context(weak, e.Under))
	for _, want := range e.Is {
		at := -1
		for i, f := range left {
			if f.Kind == want.Kind {
				at = i
				break
			}
		}
		if at < 0 {
			c.missed++
			t.Logf("missed %s in %q", want.Kind, e.Say)
			continue
		}
		f := left[at]
		left = append(left[:at:at], left[at+1:]...)
		c.right++
		for _, pair := range [][3]string{
			{"due", want.Due, f.Due.String()},
			{"to", want.To, f.With},
			{"owner", want.Owner, f.Owner},
			{"conditional", yes(want.Conditional), yes(f.Conditional)},
			{"pending", yes(want.Pending), yes(f.Pending)},
		} {
			if pair[1] == "" {
				continue
			}
			c.fields++
			if strings.EqualFold(pair[1], pair[2]) {
				c.fieldsRight++
			} else {
				t.Logf("%s is %q, not %q, in %q", pair[0], pair[2], pair[1], e.Say)
			}
		}
	}
	c.wrong += len(left)
	for _, f := range left {
		t.Logf("invented %s (%s) in %q", f.Kind, f.Rule, e.Say)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// BenchmarkSentences reads 83 sentences, about twice those of a note of 400 words.
func BenchmarkSentences(b *testing.B) {
	raw, err := os.ReadFile("testdata/held_out.yaml")
	if err != nil {
		b.Fatal(err)
	}
	var list []followups.Example
	if err := yaml.Unmarshal(raw, &list); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, e := range list {
			followups.Find(e.Say, context(e.Under != "", e.Under))
		}
	}
}
