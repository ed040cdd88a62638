// Package corpus reads the dictations of testdata: what was said, how it sounds, and the note and facts expected of it.
// Benchmarks and tests take their speech from here. It is pure Go; only Snippets needs ffmpeg.
package corpus

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
)

// Section is a part of the note expected.
type Section struct {
	Key     string `json:"key"`
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// Note is what a perfect transcript of the dictation becomes.
type Note struct {
	WorkType string    `json:"work_type"`
	Sections []Section `json:"sections"`
}

// Text is the note's text: its sections, one under the other, without headings.
func (n Note) Text() string {
	texts := make([]string, len(n.Sections))
	for i, s := range n.Sections {
		texts[i] = s.Text
	}
	return strings.Join(texts, "\n\n")
}

// FactKind says what a fact is.
type FactKind string

// The kinds of fact that must survive from the recording to the note.
const (
	Dose     FactKind = "dose"
	Vital    FactKind = "vital"
	Date     FactKind = "date"
	Side     FactKind = "side"
	Drug     FactKind = "drug"
	Number   FactKind = "number"
	Negation FactKind = "negation"
)

// Fact is something in the dictation that must not be lost or changed.
type Fact struct {
	Kind   FactKind `yaml:"kind"`
	Text   string   `yaml:"text"`   // as the note writes it
	Accept []string `yaml:"accept"` // other right spellings
}

// In says whether text has the fact in one of its right spellings. Letter case and hyphens do not matter ("right-ear pain");
// a spelling counts only as whole words, so that "5 mg" is not found in "25 mg" nor "4.0" in "4.05".
func (f Fact) In(text string) bool {
	text = folded(text)
	for _, spelling := range append([]string{f.Text}, f.Accept...) {
		if contains(text, folded(spelling)) {
			return true
		}
	}
	return false
}

// Case is one dictation.
type Case struct {
	Name      string  `yaml:"-"` // its folder's name
	Title     string  `yaml:"title"`
	Specialty string  `yaml:"specialty"`
	WorkType  string  `yaml:"work_type"`
	Author    string  `yaml:"author"`
	Voice     string  `yaml:"voice"` // engine/voice: "piper/joe"
	AudioFile string  `yaml:"audio"` // inside the folder
	Seconds   float64 `yaml:"seconds"`
	// SpokenPunctuation says that marks and layout are dictated: "period", "new paragraph".
	SpokenPunctuation bool `yaml:"spoken_punctuation"`
	// Second is the same dictation in another voice; nil for none.
	Second *Recording `yaml:"second"`
	// Unseen says that nobody tunes on this case: its figures are told apart.
	Unseen bool   `yaml:"unseen"`
	Script string `yaml:"-"`
	Note   Note   `yaml:"-"`
	Facts  []Fact `yaml:"-"`
	Expect Expect `yaml:"-"`
	dir    string
}

// Dir is the case's folder.
func (c Case) Dir() string { return c.dir }

// Audio is the path of the recording.
func (c Case) Audio() string { return filepath.Join(c.dir, c.AudioFile) }

// Words are the words of the script, as they are spoken.
func (c Case) Words() []string { return strings.Fields(c.Script) }

// Load reads every case of a dictations folder, sorted by name. A folder without cases is an error.
func Load(dir string) ([]Case, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", "case.yaml"))
	if err != nil {
		return nil, fmt.Errorf("load corpus: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("load corpus: no dictations in %s", dir)
	}
	sort.Strings(found)
	cases := make([]Case, 0, len(found))
	for _, path := range found {
		c, err := read(filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("load corpus: %s: %w", filepath.Base(filepath.Dir(path)), err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// read reads one case.
func read(dir string) (Case, error) {
	c := Case{Name: filepath.Base(dir), dir: dir}
	script, scriptErr := os.ReadFile(filepath.Join(dir, "script.txt"))
	note, noteErr := os.ReadFile(filepath.Join(dir, "note.json"))
	if err := errors.Join(scriptErr, noteErr); err != nil {
		return Case{}, err
	}
	if err := json.Unmarshal(note, &c.Note); err != nil {
		return Case{}, fmt.Errorf("note.json: %w", err)
	}
	if err := readYAML(filepath.Join(dir, "case.yaml"), &c); err != nil {
		return Case{}, err
	}
	if err := readYAML(filepath.Join(dir, "facts.yaml"), &c.Facts, yaml.Strict()); err != nil {
		return Case{}, err
	}
	if err := readYAML(filepath.Join(dir, "expect.yaml"), &c.Expect, yaml.Strict()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Case{}, err
	}
	for _, r := range c.Recordings() {
		if _, err := os.Stat(r.Path()); err != nil {
			return Case{}, err
		}
	}
	c.Script = string(script)
	return c, nil
}

func readYAML(path string, into any, options ...yaml.DecodeOption) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(data, into, options...); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
