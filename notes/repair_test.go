package notes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"vesper/notes"
)

// repairCase is what an engine wrote and the term that was said; "" where nothing may be touched.
type repairCase struct {
	Say  string `yaml:"say"`
	Said string `yaml:"said"`
}

// repaired is how the repairs of a list came out.
type repaired struct{ right, wrong, proposedRight, proposedWrong, left int }

func (r repaired) String() string {
	return fmt.Sprintf("%d of %d | %d of %d | %d", r.right, r.right+r.wrong, r.proposedRight, r.proposedRight+r.proposedWrong, r.left)
}

func repairsOf(t *testing.T, file string) repaired {
	t.Helper()
	var cases []repairCase
	if err := yaml.UnmarshalWithOptions(read(t, "testdata/repairs/"+file), &cases, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	var out repaired
	for _, c := range cases {
		doc := draft(t, "hp", strings.ReplaceAll(c.Say, ". ", ".\n"))
		found := 0
		for _, f := range doc.Flags {
			if f.Kind != notes.FlagRepair {
				continue
			}
			found++
			applied, right := f.Severity == notes.Notice, c.Said != "" && strings.Contains(f.Detail, "“"+c.Said+"”")
			switch {
			case applied && right:
				out.right++
			case applied:
				out.wrong++
			case right:
				out.proposedRight++
			default:
				out.proposedWrong++
			}
			if !right {
				t.Logf("%s: wrong (applied %v): %s: %s", file, applied, c.Say, f.Detail)
			}
		}
		if found == 0 && c.Said != "" {
			out.left++
			t.Logf("%s: left: %s", file, c.Say)
		}
	}
	return out
}

// TestRepairsAreRightOnWordsTheyWereNotFittedOn holds that no drug is swapped for a wrong one, and the published figures.
func TestRepairsAreRightOnWordsTheyWereNotFittedOn(t *testing.T) {
	t.Parallel()
	page := string(read(t, "../docs/flags.md"))
	for _, file := range []string{"fit.yaml", "held.yaml"} {
		got := repairsOf(t, file)
		line := fmt.Sprintf("| `%s` | %s |", file, got)
		t.Log(line)
		if !strings.Contains(page, line) {
			t.Errorf("docs/flags.md does not have the line\n%s", line)
		}
		if got.wrong > 0 {
			t.Errorf("%s: %d wrong repairs were written", file, got.wrong)
		}
		if got.right == 0 || got.proposedRight == 0 {
			t.Errorf("%s: nothing was repaired", file)
		}
	}
}

func TestARepairKeepsWhatWasHeard(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Plan: Continue metform in 500 mg twice daily.")
	plan, _ := doc.Section("plan")
	if plan.Text() != "Continue metformin 500 mg twice daily." {
		t.Fatalf("the plan is %q", plan.Text())
	}
	for _, r := range plan.Runs {
		if strings.Contains(r.Text, "metformin") {
			if r.Source.Said != "metform in" || len(r.Source.Words) != 2 || r.Source.Rule != "repair" {
				t.Errorf("the source of the repair is %+v", r.Source)
			}
		}
	}
	if f := flagOf(doc, notes.FlagRepair, "plan"); f == nil || !strings.Contains(f.Detail, "metform in") || !strings.Contains(f.Detail, "metformin”") || f.End <= f.Start {
		t.Errorf("the flag is %+v", f)
	}
}

func TestAProposalChangesNothing(t *testing.T) {
	t.Parallel()
	doc := draft(t, "progress", "Plan: Start listen up or 20 mg daily.")
	if plan, _ := doc.Section("plan"); plan.Text() != "Start listen up or 20 mg daily." {
		t.Errorf("the plan is %q", plan.Text())
	}
	if f := flagOf(doc, notes.FlagRepair, "plan"); f == nil || f.Severity != notes.Critical || !strings.Contains(f.Detail, "lisinopril") {
		t.Errorf("the flags are %+v", doc.Flags)
	}
}
