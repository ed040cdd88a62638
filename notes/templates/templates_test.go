package templates_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vesper/internal/fault"
	"vesper/notes/templates"
)

func TestEveryBuiltInWorkTypeIsValidAndHasItsLOINCCode(t *testing.T) {
	t.Parallel()
	codes := map[string]string{
		"progress": "11506-3", "hp": "34117-2", "procedure": "28570-0",
		"consult": "11488-4", "discharge": "18842-5", "referral": "57133-1", "operative": "11504-8", "ed": "34111-5",
		"imaging": "18748-4", "telephone": "34748-4", "well_child": "34131-3", "psychiatry": "28627-8",
	}
	all := templates.All()
	if len(all) != len(codes) {
		t.Errorf("%d work types, want %d", len(all), len(codes))
	}
	for _, tpl := range all {
		if tpl.LOINC.Code != codes[tpl.Key] {
			t.Errorf("%s has code %s, want %s", tpl.Key, tpl.LOINC.Code, codes[tpl.Key])
		}
		if tpl.TurnAround.Stat > 2*time.Hour || tpl.TurnAround.Stat >= tpl.TurnAround.Routine {
			t.Errorf("%s: STAT in %v, routine in %v", tpl.Key, tpl.TurnAround.Stat, tpl.TurnAround.Routine)
		}
	}
}

func TestWorkTypesAreFoundByKeyNameAndAlias(t *testing.T) {
	t.Parallel()
	for said, key := range map[string]string{
		"progress": "progress", "SOAP": "progress", "soap note": "progress", "Progress Note": "progress",
		"H&P": "hp", "h and p": "hp", "history-and-physical": "hp", "consult": "consult", "Operative note": "operative",
		"discharge": "discharge", "letter": "referral", "procedure": "procedure",
	} {
		found, err := templates.Find(said)
		if err != nil || found.Key != key {
			t.Errorf("Find(%q) = %q, %v; want %q", said, found.Key, err, key)
		}
	}
	if _, err := templates.Find("sonnet"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an unknown work type gave %v", err)
	}
}

const good = `key: tele
name: Telephone Note
loinc: {code: 34748-4, display: Telephone encounter Note}
aliases: [phone]
turn_around: {routine: 24h, stat: 2h}
sections:
  - key: call
    heading: Call
    layout: prose
    synonyms: [call]
  - use: plan
    required: true
`

func TestANewTemplateIsANewFileOnly(t *testing.T) {
	t.Parallel()
	set, err := templates.Load(fstest.MapFS{"tele.yaml": {Data: []byte(good)}})
	if err != nil {
		t.Fatal(err)
	}
	tpl, err := set.Find("phone")
	if err != nil {
		t.Fatal(err)
	}
	plan, ok := tpl.Section("plan")
	if !ok || !plan.Required || plan.Heading != "Plan" || len(plan.Synonyms) == 0 {
		t.Errorf("the shared section was not taken over: %+v", plan)
	}
	if tpl.Default() != "call" {
		t.Errorf("text without heading goes to %q", tpl.Default())
	}
}

func TestAPracticeOverridesAndAddsWorkTypes(t *testing.T) {
	t.Parallel()
	base, err := templates.Load(fstest.MapFS{"tele.yaml": {Data: []byte(good)}})
	if err != nil {
		t.Fatal(err)
	}
	own, err := templates.Load(fstest.MapFS{
		"a.yaml": {Data: []byte(strings.Replace(good, "Telephone Note", "Call Note", 1))},
		"b.yaml": {Data: []byte(strings.NewReplacer("key: tele", "key: other", "[phone]", "[o]", "Telephone Note", "Other").Replace(good))},
	})
	if err != nil {
		t.Fatal(err)
	}
	merged := base.With(own)
	if len(merged.All()) != 2 || merged.All()[0].Name != "Call Note" {
		t.Errorf("merged set: %+v", merged.All())
	}
}

func TestProblemsCarryTheirLine(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, from, to string
		line           int
		says           string
	}{
		{"unknown field", "aliases: [phone]", "alliases: [phone]", 4, "alliases"},
		{"broken code", "34748-4", "34748-5", 3, "check digit"},
		{"bad span", "24h", "soon", 5, "no time span"},
		{"bad layout", "layout: prose", "layout: poem", 9, "layout"},
		{"unknown shared section", "use: plan", "use: plane", 11, "no shared section"},
		{"synonym twice", "synonyms: [call]", "synonyms: [call, plan]", 11, "already names"},
		{"wrong type", "required: true", "required: [1]", 12, ""},
		{"missing heading", "    heading: Call\n", "", 7, "heading is missing"},
		{"unknown default", "aliases: [phone]", "default_section: x", 4, "no section"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := templates.Parse("tele.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
			problems, ok := templates.AsInvalid(err)
			if !ok {
				t.Fatalf("no problems found, err %v", err)
			}
			for _, p := range problems {
				if p.Line == c.line && strings.Contains(p.Message, c.says) {
					return
				}
			}
			t.Errorf("got %v, want line %d with %q", problems, c.line, c.says)
		})
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("sections: [{use: plan}, {key: 1}]"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = templates.Parse("x.yaml", data)
	})
}
