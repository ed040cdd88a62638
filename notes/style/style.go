// Package style is how a practice wants its notes written: units in full or short, abbreviations written out or kept, the
// clock, dates, decimals and thousands, spelling, and the case of headings. A style is data: one YAML file each, embedded;
// a practice's own file builds on one of them and changes what it must. A style never changes what a number means.
package style

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync"

	"vesper/internal/fault"
)

//go:embed data/*.yaml
var embedded embed.FS

// DefaultName is the style that is used where none is named.
const DefaultName = "en-US"

// Style says how a practice writes. Take one from Default, Find or Parse; the zero value stands for the default wherever
// a style is asked for.
type Style struct {
	Name  string `yaml:"name"`  // "en-US"; a practice's own name for its own style
	Title string `yaml:"title"` // for people: "English (United States)"
	Base  string `yaml:"base"`  // style whose settings it takes where it has none, "" for none

	Numbers Numbers `yaml:"numbers"`
	Clock   Clock   `yaml:"clock"`
	Dates   Dates   `yaml:"dates"`
	// Units are written forms that differ from the usual short ones, by the short one: "mcg" → microgram, micrograms.
	Units map[string]Unit `yaml:"units"`
	// Abbreviations are written out or brought into one form. Those that are not listed are kept as dictated.
	Abbreviations []Abbreviation `yaml:"abbreviations"`
	// Digits are the groups in which numbers without a value are written, by label: "phone-number" → "###-####".
	Digits map[string][]string `yaml:"digits"`
	// Spelling turns words, in lower case, into the practice's spelling.
	Spelling map[string]string `yaml:"spelling"`
	// Headings is the case of section headings.
	Headings Headings `yaml:"headings"`

	index map[string][]Phrase // the abbreviations by their first word
}

// Phrase is one way of saying an abbreviation, word by word.
type Phrase struct {
	Words []string
	Write string
	Dose  bool
}

// AbbreviationsFrom returns the abbreviations that begin with a word in lower case. Of two with the same words the first
// holds.
func (s Style) AbbreviationsFrom(word string) []Phrase { return s.index[word] }

func (s Style) indexed() Style {
	s.index = map[string][]Phrase{}
	for _, a := range s.Abbreviations {
		for _, said := range a.Said {
			if words := strings.Fields(said); len(words) > 0 {
				s.index[words[0]] = append(s.index[words[0]], Phrase{words, a.Write, a.Dose})
			}
		}
	}
	return s
}

// Numbers says how figures are written.
type Numbers struct {
	Decimal       string `yaml:"decimal"`        // "." or ","
	Thousands     string `yaml:"thousands"`      // between groups of three: ",", " ", "" for nothing
	ThousandsFrom int    `yaml:"thousands_from"` // smallest number that is grouped
	DosesFrom     int    `yaml:"doses_from"`     // the same for doses, where a missed zero harms
}

// Clock is how times of day are written.
type Clock string

// The clocks.
const (
	ClockAsSaid Clock = "said" // "six thirty p m" → 6:30 PM, "oh six thirty" → 06:30
	Clock12     Clock = "12h"  // 6:30 PM
	Clock24     Clock = "24h"  // 18:30
)

// Dates are the forms of dates, with {day}, {month}, {mon} (three letters), {mm}, {dd} and {year}.
type Dates struct {
	Full      string `yaml:"full"`
	DayMonth  string `yaml:"day_month"`
	MonthYear string `yaml:"month_year"`
}

// Unit is a unit's written form after one and after any other number.
type Unit struct {
	One  string `yaml:"one"`
	Many string `yaml:"many"`
}

// Abbreviation is how one abbreviation is written.
type Abbreviation struct {
	Said  []string `yaml:"said"`  // in lower case, letters spelled apart or together
	Write string   `yaml:"write"` // what is written for them
	// Dose limits it to places after a dose: "bid" is a word, "10 mg bid" is not.
	Dose bool   `yaml:"dose"`
	Why  string `yaml:"why"` // the danger, or the custom
}

// Headings is the case in which headings are printed.
type Headings string

// The cases of headings.
const (
	HeadingsAsIs     Headings = "as_is"    // as the template has them
	HeadingsUpper    Headings = "upper"    // PAST MEDICAL HISTORY
	HeadingsSentence Headings = "sentence" // Past medical history
)

var styles = sync.OnceValues(func() (map[string]Style, error) { return load(embedded, "data") })

// load reads every style file of a folder.
func load(fsys fs.FS, dir string) (map[string]Style, error) {
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list styles: %w", err)
	}
	sort.Slice(names, func(i, j int) bool { return path.Base(names[i]) == DefaultName+".yaml" && names[j] != names[i] })
	out := map[string]Style{}
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read style: %w", err)
		}
		st, err := parse(name, data, out)
		if err != nil {
			return nil, err
		}
		out[st.Name] = st
	}
	return out, nil
}

// all returns the styles that come with Vesper. They are checked by tests, so that a fault in them is a fault in the build.
func all() map[string]Style {
	m, err := styles()
	if err != nil {
		panic("embedded styles: " + err.Error())
	}
	return m
}

// Default is US practice: short safe units, month before day, times as they were said.
func Default() Style { return all()[DefaultName] }

// OrDefault is the style itself, or the default for the zero value.
func (s Style) OrDefault() Style {
	if s.Name == "" {
		return Default()
	}
	return s
}

// Names lists the styles that come with Vesper, in order.
func Names() []string {
	var out []string
	for name := range all() {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// Find returns a style by its name, without regard to case; "" is the default. An unknown name is a fault that lists the
// names.
func Find(name string) (Style, error) {
	if name == "" {
		return Default(), nil
	}
	for key, st := range all() {
		if strings.EqualFold(key, name) {
			return st, nil
		}
	}
	return Style{}, fault.New(fault.Invalid, "style_unknown",
		"There is no writing style of this name. Choose one of: "+strings.Join(Names(), ", ")+".")
}
