// Package templates holds the work types as data: one YAML file per kind of document, with its sections, their spoken
// names, its LOINC code and its turn-around. A new work type is a new file under worktypes and nothing else; a practice
// overrides or adds work types with files of its own (see Load). Sections and sets of sub-headings that several work types
// share are under shared.
package templates

import (
	"cmp"
	"embed"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vesper/internal/fault"
)

// Layout says how a section is set on the page.
type Layout string

// The layouts of a section.
const (
	Prose    Layout = "prose"    // sentences and paragraphs
	List     Layout = "list"     // one thing after the other: medications, allergies
	Numbered Layout = "numbered" // numbered problems with their plan
	Table    Layout = "table"    // labelled values: vital signs
)

// Label is a sub-heading inside a section, printed as "Heading: text" on a line of its own.
type Label struct {
	Heading  string   `yaml:"heading"`
	Synonyms []string `yaml:"synonyms"`
	// HeardAs are mishearings of the label by engines, accepted only where the dictation says "colon" after them.
	HeardAs []string `yaml:"heard_as"`
}

// Section is one part of a document.
type Section struct {
	Key      string   `yaml:"key"`
	Heading  string   `yaml:"heading"`
	Required bool     `yaml:"required"`
	Layout   Layout   `yaml:"layout"`
	Synonyms []string `yaml:"synonyms"` // how the heading is said
	// HeardAs are mishearings of the heading by engines, accepted only where the dictation marks a heading ("colon").
	HeardAs []string `yaml:"heard_as"`
	Labels  []Label  `yaml:"labels"`
	// Rows are the names of readings in a table, which stand before a number: "blood pressure 120/80".
	Rows []Label `yaml:"rows"`
	// SatisfiedBy names sections whose text makes this required section complete: "assessment_plan" for "plan".
	SatisfiedBy []string `yaml:"satisfied_by"`
	// Brief says that the section holds a phrase or two: what is dictated after them without a heading of its own goes where
	// its content belongs.
	Brief bool `yaml:"brief"`
	// HeadingOnly keeps text without a heading out of the section.
	HeadingOnly bool `yaml:"heading_only"`
	// Cues are what shows that a sentence without a heading belongs here.
	Cues []Cue `yaml:"-"`
}

// LOINC is the document's code in the LOINC system.
type LOINC struct {
	Code    string `yaml:"code"`
	Display string `yaml:"display"`
}

// TurnAround is the time from receipt to signature that the practice promises, before a practice sets its own.
type TurnAround struct {
	Routine time.Duration `yaml:"routine"`
	Stat    time.Duration `yaml:"stat"`
}

// Template is one work type.
type Template struct {
	Key        string     `yaml:"key"`
	Name       string     `yaml:"name"`
	LOINC      LOINC      `yaml:"loinc"`
	Aliases    []string   `yaml:"aliases"`
	TurnAround TurnAround `yaml:"turn_around"`
	// DefaultSection receives what is dictated before the first heading.
	DefaultSection string      `yaml:"default_section"`
	Sections       []Section   `yaml:"sections"`
	Statements     []Statement `yaml:"statements"`
	// Normals are text blocks of the work type, inserted only where the physician asks for one by name.
	Normals []Normal `yaml:"normals"`
}

// Statement is something that a document of this kind must say: the blood loss of an operation, the comparison of a study.
type Statement struct {
	Key  string `yaml:"key"`
	Name string `yaml:"name"` // as shown to people
	// Sections say it when they have text, Says when one of these phrases stands anywhere in the note.
	Sections []string `yaml:"sections"`
	Says     []string `yaml:"says"`
}

// Normal is a block of text for findings as they usually are.
type Normal struct {
	Name     string   `yaml:"name"`     // "exam": asked for as "insert my normal exam"
	Synonyms []string `yaml:"synonyms"` // other names
	Section  string   `yaml:"section"`  // where it belongs
	Text     string   `yaml:"text"`
}

// Normal returns the text block with this name or synonym, without regard to case, spaces and hyphens.
func (t Template) Normal(name string) (Normal, bool) {
	for _, n := range t.Normals {
		for _, known := range append([]string{n.Name}, n.Synonyms...) {
			if fold(known) == fold(name) {
				return n, true
			}
		}
	}
	return Normal{}, false
}

// Section returns the section with this key.
func (t Template) Section(key string) (Section, bool) {
	for _, s := range t.Sections {
		if s.Key == key {
			return s, true
		}
	}
	return Section{}, false
}

// Default returns the key of the section for text without a heading.
func (t Template) Default() string {
	if t.DefaultSection != "" {
		return t.DefaultSection
	}
	if len(t.Sections) > 0 {
		return t.Sections[0].Key
	}
	return ""
}

//go:embed worktypes/*.yaml shared/*.yaml
var embedded embed.FS

var builtIn = sync.OnceValues(func() (Set, error) { return loadSet(embedded, "worktypes", embedded) })

// BuiltIn returns the work types that come with Vesper. The embedded files are checked by a test; a defect in them is a
// defect of the build.
func BuiltIn() Set {
	set, err := builtIn()
	if err != nil {
		panic("templates: the embedded work types are broken: " + err.Error())
	}
	return set
}

// installed are a practice's work types over the built-in ones, set once at the start of the process.
var installed atomic.Pointer[Set]

// Install makes a set the one that All and Find answer from. Call it at the start of the process, before anything is
// drafted; what was found before stays as it was.
func Install(set Set) { installed.Store(&set) }

func current() Set {
	if set := installed.Load(); set != nil {
		return *set
	}
	return BuiltIn()
}

// All returns the work types of this installation, by key.
func All() []Template { return current().All() }

// Find returns this installation's work type with this key, name or alias ("progress", "SOAP", "H&P"). An unknown name is
// a fault that lists the known ones.
func Find(name string) (Template, error) { return current().Find(name) }

// Set is an immutable collection of work types, in the order of their files.
type Set struct {
	templates []Template
}

// All returns the set's work types.
func (s Set) All() []Template { return append([]Template(nil), s.templates...) }

// Default is the work type of a dictation that names none.
const Default = "progress"

// Find returns the work type with this key, name or alias, without regard to case, spaces and hyphens; "" is Default. A
// key goes before a name; of two with one name the later is taken, so that what a practice adds goes before what it finds.
func (s Set) Find(name string) (Template, error) {
	want := fold(cmp.Or(name, Default))
	for _, t := range s.templates {
		if fold(t.Key) == want {
			return t, nil
		}
	}
	for i := len(s.templates) - 1; i >= 0; i-- {
		if s.templates[i].called(want) {
			return s.templates[i], nil
		}
	}
	keys := make([]string, len(s.templates))
	for i, t := range s.templates {
		keys[i] = t.Key
	}
	return Template{}, fault.New(fault.NotFound, "work_type_unknown",
		"There is no such work type. Use one of: "+strings.Join(keys, ", ")+".")
}

// called says that the template has this folded name or alias.
func (t Template) called(folded string) bool {
	if fold(t.Name) == folded {
		return true
	}
	for _, alias := range t.Aliases {
		if fold(alias) == folded {
			return true
		}
	}
	return false
}

// With returns a set in which the templates of other replace those with the same key and add the rest.
func (s Set) With(other Set) Set {
	merged := s.All()
	for _, t := range other.templates {
		replaced := false
		for i := range merged {
			if merged[i].Key == t.Key {
				merged[i], replaced = t, true
			}
		}
		if !replaced {
			merged = append(merged, t)
		}
	}
	return Set{templates: merged}
}

// folding is made once: a replacer builds its tables at its first use, which costs more than many names.
var folding = strings.NewReplacer(" ", "", "-", "", "_", "", "&", "and", "/", "")

func fold(name string) string { return folding.Replace(strings.ToLower(strings.TrimSpace(name))) }
