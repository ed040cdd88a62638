package notes_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"vesper/notes"
)

// flagCase is one entry of testdata/flags.
type flagCase struct {
	Say     string             `yaml:"say"`
	Type    string             `yaml:"type"`
	Want    []string           `yaml:"want"`
	Unsure  map[string]float64 `yaml:"unsure"` // word as written → confidence
	Typed   string             `yaml:"typed"`  // what a person writes as the plan, after the draft
	Patient struct {
		Name      string   `yaml:"name"`
		BirthDate string   `yaml:"birth_date"`
		Sex       string   `yaml:"sex"`
		MRN       string   `yaml:"mrn"`
		Allergies []string `yaml:"allergies"`
		Drugs     []string `yaml:"drugs"`
	} `yaml:"patient"`
}

func flagCases(t *testing.T, name string) []flagCase {
	t.Helper()
	var out []flagCase
	if err := yaml.UnmarshalWithOptions(read(t, "testdata/flags/"+name), &out, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return out
}

// raised drafts a case and lists the kinds of its flags, each once. Missing sections and statements are left out: the
// transcripts are too short to have them.
func (c flagCase) raised(t *testing.T) []string {
	t.Helper()
	workType := c.Type
	if workType == "" {
		workType = "hp"
	}
	tr := heard(strings.ReplaceAll(c.Say, ". ", ".\n"))
	for word, sure := range c.Unsure {
		hit := false
		for i := range tr.Words {
			if tr.Words[i].Text == word || strings.Trim(tr.Words[i].Text, ".,") == word {
				tr.Words[i].Confidence, hit = sure, true
			}
		}
		if !hit {
			t.Fatalf("%q has no word %q", c.Say, word)
		}
	}
	p := c.Patient
	doc, err := notes.Draft(tr, template(t, workType), notes.Options{
		Dictated: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC),
		Patient:  notes.Patient{Name: p.Name, BirthDate: p.BirthDate, Sex: p.Sex, MRN: p.MRN, Allergies: p.Allergies, Drugs: p.Drugs},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Typed != "" {
		doc = notes.Rebase(doc, []notes.SectionText{{Key: "plan", Text: c.Typed}}, "vma", noon)
	}
	var out []string
	for _, f := range doc.Flags {
		if f.Settled == nil && f.Kind != notes.FlagMissingSection && f.Kind != notes.FlagStatement && !slices.Contains(out, f.Kind) {
			out = append(out, f.Kind)
		}
	}
	return out
}

// score counts what was flagged of one kind.
type score struct{ right, wrong, missed int }

func (s score) String() string {
	return fmt.Sprintf("%d of %d | %d of %d", s.right, s.right+s.wrong, s.right, s.right+s.missed)
}

func scores(t *testing.T, file string) map[string]score {
	t.Helper()
	out := map[string]score{}
	for _, c := range flagCases(t, file) {
		got := c.raised(t)
		for _, kind := range notes.FlagKinds() {
			s := out[kind]
			want, has := slices.Contains(c.Want, kind), slices.Contains(got, kind)
			switch {
			case want && has:
				s.right++
			case want:
				s.missed++
				t.Logf("%s: missed %s: %s", file, kind, c.Say)
			case has:
				s.wrong++
				t.Logf("%s: wrong %s: %s", file, kind, c.Say)
			}
			out[kind] = s
		}
	}
	return out
}

// TestFlagsAreRightAndFindWhatTheyShould holds the precision and recall of each kind of flag on transcripts that were not
// used to make the rules, and that the published figures are these.
func TestFlagsAreRightAndFindWhatTheyShould(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	fit, held := scores(t, "fit.yaml"), scores(t, "held.yaml")
	all := score{}
	for _, kind := range notes.FlagKinds() {
		s := held[kind]
		all.right, all.wrong, all.missed = all.right+s.right, all.wrong+s.wrong, all.missed+s.missed
		if fit[kind].right+fit[kind].missed+fit[kind].wrong+s.right+s.missed+s.wrong == 0 {
			continue
		}
		line := fmt.Sprintf("| `%s` | %s | %s |", kind, fit[kind], s)
		t.Log(line)
		if !strings.Contains(string(page), line) {
			t.Errorf("docs/flags.md does not have the line\n%s", line)
		}
	}
	t.Logf("all: %s", all)
	if all.right*100 < 90*(all.right+all.wrong) || all.right*100 < 85*(all.right+all.missed) {
		t.Errorf("precision and recall over all kinds: %s; wanted 90%% and 85%%", all)
	}
	if n := len(flagCases(t, "fit.yaml")) + len(flagCases(t, "held.yaml")); n < 120 {
		t.Errorf("only %d labelled transcripts", n)
	}
}

func TestEveryKindOfFlagIsExplainedAndHasATitle(t *testing.T) {
	t.Parallel()
	page, title := string(read(t, "../docs/flags.md")), string(read(t, "../web/ui/src/editor/doubts.ts"))
	for _, kind := range notes.FlagKinds() {
		if !strings.Contains(page, "### `"+kind+"`") {
			t.Errorf("docs/flags.md does not explain %s", kind)
		}
		if !strings.Contains(title, kind+": \"") {
			t.Errorf("web/ui/src/editor/doubts.ts has no title for %s", kind)
		}
	}
}
