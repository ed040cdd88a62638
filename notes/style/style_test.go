package style_test

import (
	"errors"
	"strings"
	"testing"

	"vesper/internal/fault"
	"vesper/notes/style"
)

func find(t *testing.T, name string) style.Style {
	t.Helper()
	st, err := style.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTheStylesThatComeWithVesperAreFoundByName(t *testing.T) {
	t.Parallel()
	if got := strings.Join(style.Names(), " "); got != "en-GB en-US" {
		t.Errorf("styles: %s", got)
	}
	if find(t, "").Name != style.DefaultName || find(t, "EN-gb").Name != "en-GB" {
		t.Error("the default or a name in another case is not found")
	}
	_, err := style.Find("en-XX")
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != "style_unknown" || !strings.Contains(f.Public, "en-GB, en-US") {
		t.Errorf("an unknown style gives %v", err)
	}
}

func TestTheZeroStyleStandsForTheDefault(t *testing.T) {
	t.Parallel()
	if got := (style.Style{}).OrDefault().Name; got != style.DefaultName {
		t.Errorf("the zero style became %q", got)
	}
	if got := find(t, "en-GB").OrDefault().Name; got != "en-GB" {
		t.Errorf("a named style became %q", got)
	}
}

func TestAPracticeChangesOnlyWhatItMust(t *testing.T) {
	t.Parallel()
	st, err := style.Parse("own.yaml", []byte(`
name: Riverside
base: en-GB
clock: 12h
numbers: {decimal: ",", thousands: " "}
abbreviations:
  - {said: [p r n, prn], write: PRN}
headings: upper
`))
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		st.Number("1200.5", true):                                "1 200,5",
		st.Number("1200", false):                                 "1200",
		st.Date(3, "October", "2026"):                            "3 October 2026",
		st.Unit("mcg/kg/min", "5"):                               "micrograms/kg/min",
		st.Time(style.Time{Hour: 14, Minute: 5, Military: true}): "2:05 PM",
		st.Heading("Past Medical History"):                       "PAST MEDICAL HISTORY",
		st.AbbreviationsFrom("prn")[0].Write:                     "PRN",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAStyleThatCannotBeUsedSaysWhy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"base: en-US":                                           "needs a name",
		"name: x\nbase: en-XX":                                  "no style \"en-XX\"",
		"name: x\nbase: en-US\nclock: late":                     "clock must be",
		"name: x\nbase: en-US\nnumbers: {decimal: ';'}":         "numbers.decimal",
		"name: x\nbase: en-US\nnumbers: {thousands: '.'}":       "numbers.thousands",
		"name: x\nbase: en-US\ndates: {full: '{month} {year}'}": "dates.full",
		"name: x\nbase: en-US\nunits: {mg: {one: milligram}}":   "unit \"mg\"",
		"name: x\nbase: en-US\nabbreviations: [{said: [qd]}]":   "an abbreviation needs",
		"name: x\nbase: en-US\nheadings: loud":                  "headings must be",
		"name: x\nbase: en-US\ncolour: blue":                    "colour",
		"name: x\nbase: en-US\nnumbers: {doses_from: 10}":       "grouped from 1000",
		"name: x\n\tbase: en-US":                                "own.yaml",
	} {
		_, err := style.Parse("own.yaml", []byte(text))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != "style_invalid" || !strings.Contains(f.Public, want) {
			t.Errorf("%q gives %v, want it to say %q", text, err, want)
		}
	}
}

func TestTimesKeepTheirMeaningOnEveryClock(t *testing.T) {
	t.Parallel()
	us, gb := find(t, "en-US"), find(t, "en-GB")
	for _, c := range []struct {
		time   style.Time
		us, gb string
	}{
		{style.Time{Hour: 6, Minute: 30, Exact: true, Half: "PM"}, "6:30 PM", "18:30"},
		{style.Time{Hour: 12, Half: "AM"}, "12 AM", "00:00"},
		{style.Time{Hour: 12, Half: "PM"}, "12 PM", "12:00"},
		{style.Time{Hour: 6, Minute: 30, Exact: true, Military: true}, "06:30", "06:30"},
		{style.Time{Hour: 6, Minute: 45, Exact: true}, "6:45", "6:45"}, // morning or evening was not said
	} {
		if got := us.Time(c.time); got != c.us {
			t.Errorf("en-US writes %+v as %q", c.time, got)
		}
		if got := gb.Time(c.time); got != c.gb {
			t.Errorf("en-GB writes %+v as %q", c.time, got)
		}
	}
}

func TestHeadingsKeepTheirAbbreviations(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Past Medical History": "Past medical history", "HPI": "HPI", "Vitamin D Level": "Vitamin D level", "": "",
	} {
		if got := find(t, "en-GB").Heading(said); got != want {
			t.Errorf("%q became %q", said, got)
		}
	}
}

func TestSpellingsLeadBackAndForth(t *testing.T) {
	t.Parallel()
	us, gb := find(t, "en-US"), find(t, "en-GB")
	for american, british := range gb.Spelling {
		if american == british {
			continue
		}
		if back, ok := us.Spelling[british]; ok && back != american {
			t.Errorf("%s is %s, which is %s again", american, british, back)
		}
		if again, ok := gb.Spelling[british]; ok && again != british {
			t.Errorf("%s is respelled twice", american)
		}
	}
}

func FuzzParseTakesAnyFile(f *testing.F) {
	f.Add("name: x\nbase: en-US\nclock: 24h")
	f.Add("abbreviations: [{said: [''], write: y}]")
	f.Fuzz(func(t *testing.T, text string) {
		st, err := style.Parse("own.yaml", []byte(text))
		if err == nil && st.Number("1234.5", true) == "" {
			t.Fatal("a number is lost")
		}
	})
}
