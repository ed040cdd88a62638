package templates

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// entry is a section as written: it may take another's fields with "use", and a set of labels by name.
type entry struct {
	Use         string   `yaml:"use"`
	Key         string   `yaml:"key"`
	Heading     string   `yaml:"heading"`
	Required    bool     `yaml:"required"`
	Layout      Layout   `yaml:"layout"`
	Synonyms    []string `yaml:"synonyms"`
	HeardAs     []string `yaml:"heard_as"`
	Labels      []Label  `yaml:"labels"`
	LabelSet    string   `yaml:"label_set"`
	Rows        []Label  `yaml:"rows"`
	RowSet      string   `yaml:"row_set"`
	SatisfiedBy []string `yaml:"satisfied_by"`
	Brief       *bool    `yaml:"brief"`
	HeadingOnly *bool    `yaml:"heading_only"`
	Cues        []string `yaml:"cues"`
	Content     []string `yaml:"content"`
}

// file is a work type as written.
type file struct {
	Key        string   `yaml:"key"`
	Name       string   `yaml:"name"`
	LOINC      LOINC    `yaml:"loinc"`
	Aliases    []string `yaml:"aliases"`
	TurnAround struct {
		Routine string `yaml:"routine"`
		Stat    string `yaml:"stat"`
	} `yaml:"turn_around"`
	DefaultSection string      `yaml:"default_section"`
	Sections       []entry     `yaml:"sections"`
	Statements     []Statement `yaml:"statements"`
	Normals        []normal    `yaml:"normals"`
}

// normal is a text block as written: it may take a shared one with "use" and override its fields.
type normal struct {
	Use    string `yaml:"use"`
	Normal `yaml:",inline"`
}

// library is what work types share.
type library struct {
	sections map[string]entry
	labels   map[string][]Label
	cues     map[string]map[string][]string // set → weight → phrases
	normals  map[string]Normal
}

// Load reads every *.yaml file in the root of fsys as a work type; they may use the shared sections and label sets that
// come with Vesper. All problems of all files are reported together, each as "file:line: what is wrong"; the set that is
// returned beside such an error (see AsInvalid) holds the files without a problem.
func Load(fsys fs.FS) (Set, error) {
	return loadSet(fsys, ".", embedded)
}

// Parse reads one work type. name is used in messages; problems carry line numbers.
func Parse(name string, data []byte) (Template, error) {
	lib, err := loadLibrary(embedded)
	if err != nil {
		return Template{}, err
	}
	t, problems := parse(name, data, lib)
	return t, join(problems)
}

func loadSet(fsys fs.FS, dir string, shared fs.FS) (Set, error) {
	names, err := yamlFiles(fsys, dir)
	if err != nil {
		return Set{}, fmt.Errorf("list work types: %w", err)
	}
	for i := range names {
		names[i] = path.Join(dir, names[i])
	}
	return loadFiles(fsys, names, shared)
}

// loadFiles reads work types. The set holds those without a problem, the error the problems of the others.
func loadFiles(fsys fs.FS, names []string, shared fs.FS) (Set, error) {
	lib, err := loadLibrary(shared)
	if err != nil {
		return Set{}, err
	}
	var set Set
	var problems []Problem
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return Set{}, fmt.Errorf("read work type: %w", err)
		}
		t, found := parse(name, data, lib)
		found = append(found, clashes(set, t, name, data)...)
		problems = append(problems, found...)
		if len(found) == 0 {
			set.templates = append(set.templates, t)
		}
	}
	return set, join(problems)
}

func loadLibrary(shared fs.FS) (library, error) {
	lib := library{}
	for name, into := range map[string]any{
		"shared/sections.yaml": &lib.sections, "shared/labels.yaml": &lib.labels, "shared/cues.yaml": &lib.cues,
		"shared/normals.yaml": &lib.normals,
	} {
		data, err := fs.ReadFile(shared, name)
		if err != nil {
			return library{}, fmt.Errorf("read shared sections: %w", err)
		}
		if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
			return library{}, fmt.Errorf("parse %s: %w", name, err)
		}
	}
	return lib, nil
}

func parse(name string, data []byte, lib library) (Template, []Problem) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decoder.Decode(&f); err != nil {
		return Template{}, []Problem{syntaxProblem(name, err)}
	}
	c := checker{name: name, data: data}
	t := Template{Key: f.Key, Name: f.Name, LOINC: f.LOINC, Aliases: f.Aliases, DefaultSection: f.DefaultSection, Statements: f.Statements}
	t.TurnAround.Routine = c.duration("$.turn_around.routine", f.TurnAround.Routine)
	t.TurnAround.Stat = c.duration("$.turn_around.stat", f.TurnAround.Stat)
	for i, e := range f.Sections {
		t.Sections = append(t.Sections, c.section(i, e, lib))
	}
	for i, n := range f.Normals {
		t.Normals = append(t.Normals, c.normal(i, n, lib))
	}
	c.check(t)
	return t, c.problems
}

// section completes an entry from the library.
func (c *checker) section(i int, e entry, lib library) Section {
	at := fmt.Sprintf("$.sections[%d]", i)
	if e.Use != "" {
		base, ok := lib.sections[e.Use]
		if !ok {
			c.add(at+".use", fmt.Sprintf("there is no shared section %q; there are: %s", e.Use, strings.Join(sortedKeys(lib.sections), ", ")))
		}
		e = overlay(e, base)
	}
	s := Section{
		Key: e.Key, Heading: e.Heading, Required: e.Required, Layout: e.Layout,
		Synonyms: e.Synonyms, HeardAs: e.HeardAs, Labels: e.Labels, Rows: e.Rows, SatisfiedBy: e.SatisfiedBy,
	}
	s.Brief = e.Brief != nil && *e.Brief
	s.HeadingOnly = e.HeadingOnly != nil && *e.HeadingOnly
	s.Cues = c.cues(at, e, lib)
	s.Labels = append(s.Labels, c.labelSet(at+".label_set", e.LabelSet, lib)...)
	s.Rows = append(s.Rows, c.labelSet(at+".row_set", e.RowSet, lib)...)
	return s
}

// labelSet is a set of labels by its name, none for "".
func (c *checker) labelSet(at, name string, lib library) []Label {
	set, ok := lib.labels[name]
	if !ok && name != "" {
		c.add(at, fmt.Sprintf("there is no label set %q; there are: %s", name, strings.Join(sortedKeys(lib.labels), ", ")))
	}
	return set
}

func overlay(e, base entry) entry {
	if e.Key == "" {
		e.Key = e.Use
	}
	if e.Heading == "" {
		e.Heading = base.Heading
	}
	if e.Layout == "" {
		e.Layout = base.Layout
	}
	if e.Synonyms == nil {
		e.Synonyms = base.Synonyms
	}
	if e.LabelSet == "" {
		e.LabelSet = base.LabelSet
	}
	if e.RowSet == "" {
		e.RowSet = base.RowSet
	}
	if e.HeardAs == nil {
		e.HeardAs = base.HeardAs
	}
	if e.Brief == nil {
		e.Brief = base.Brief
	}
	if e.HeadingOnly == nil {
		e.HeadingOnly = base.HeadingOnly
	}
	if e.Cues == nil {
		e.Cues = base.Cues
	}
	return e
}

// normal completes a text block from the library.
func (c *checker) normal(i int, n normal, lib library) Normal {
	if n.Use == "" {
		return n.Normal
	}
	base, ok := lib.normals[n.Use]
	if !ok {
		c.add(fmt.Sprintf("$.normals[%d].use", i), fmt.Sprintf("there is no shared text block %q; there are: %s", n.Use, strings.Join(sortedKeys(lib.normals), ", ")))
	}
	out := n.Normal
	out.Name = cmp.Or(out.Name, n.Use)
	out.Section = cmp.Or(out.Section, base.Section)
	out.Text = cmp.Or(out.Text, base.Text)
	if out.Synonyms == nil {
		out.Synonyms = base.Synonyms
	}
	return out
}

func (c *checker) duration(at, text string) time.Duration {
	if text == "" {
		c.add(at, "a turn-around is missing: write it as 24h or 90m")
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		c.add(at, fmt.Sprintf("%q is no time span: write 24h or 90m", text))
	}
	return d
}

// join makes one error of the problems, or nil.
func join(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return &Invalid{Problems: problems}
}

// Invalid is the error for templates that break the rules.
type Invalid struct {
	Problems []Problem
}

// Error lists the problems, one per line.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// AsInvalid returns the problems inside err, if that is what it is.
func AsInvalid(err error) ([]Problem, bool) {
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return invalid.Problems, true
	}
	return nil, false
}
