package corpus

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vesper/transcribe"
)

// Expect is what a note of the case must have beside its text and facts (expect.yaml).
type Expect struct {
	// Commands are the spoken commands whose effect is more than a mark.
	Commands []Effect `yaml:"commands"`
	// FollowUps are what the physician promised.
	FollowUps []FollowUp `yaml:"follow_ups"`
	Flags     Flags      `yaml:"flags"`
	// Also names further sections in which a section's text may stand, where the dictation names none.
	Also map[string][]string `yaml:"also"`
	// Terms are the medical words of the note, for the share that survives.
	Terms []string `yaml:"terms"`
}

// Effect says how a note shows that a command was carried out: one of Gives stands in it, and none of Without.
type Effect struct {
	Say     string   `yaml:"say"`
	Gives   []string `yaml:"gives"`
	Without []string `yaml:"without"`
}

// Shown says whether a note's text has the effect. "[blank]" stands for a blank of any time.
func (e Effect) Shown(text string) bool {
	text = folded(Untimed(text))
	given := len(e.Gives) == 0
	for _, g := range e.Gives {
		given = given || strings.Contains(text, folded(g))
	}
	for _, w := range e.Without {
		if contains(text, folded(w)) {
			return false
		}
	}
	return given
}

// FollowUp is one promise: its kind, or another that does as well, words of which one must stand in it, and the forms of
// its due date; no form, no date.
type FollowUp struct {
	Kind string   `yaml:"kind"`
	Or   []string `yaml:"or"`
	Text []string `yaml:"text"`
	Due  []string `yaml:"due"`
}

// Is says whether a kind is the promise's.
func (f FollowUp) Is(kind string) bool { return kind == f.Kind || slices.Contains(f.Or, kind) }

// Said says whether a text has one of the promise's words.
func (f FollowUp) Said(text string) bool { return oneIn(text, f.Text) }

// DueOn says whether a due date is the promise's, or the promise has none.
func (f FollowUp) DueOn(due string) bool { return len(f.Due) == 0 || oneIn(due, f.Due) }

func oneIn(text string, forms []string) bool {
	for _, form := range forms {
		if strings.Contains(folded(text), folded(form)) {
			return true
		}
	}
	return false
}

// Flags are the doubts that must come from the dictation as it was spoken, those that must not, and those that may.
type Flags struct {
	Must    []About `yaml:"must"`
	MustNot []About `yaml:"must_not"`
	May     []About `yaml:"may"`
}

// About tells a flag by words of which one begins a word of its text or detail.
type About struct {
	About []string `yaml:"about"`
	Why   string   `yaml:"why"`
}

// Of says whether a text is about it.
func (a About) Of(text string) bool {
	text = " " + strings.Join(strings.FieldsFunc(folded(text), func(r rune) bool { return !isWord(r) && r != '\'' }), " ")
	for _, w := range a.About {
		if strings.Contains(text, " "+folded(w)) {
			return true
		}
	}
	return false
}

// Recording is one voice's recording of a case.
type Recording struct {
	Voice   string  `yaml:"voice"`
	Audio   string  `yaml:"audio"` // inside the folder
	Seconds float64 `yaml:"seconds"`
	dir     string
}

// Path is where the recording lies.
func (r Recording) Path() string { return filepath.Join(r.dir, r.Audio) }

// TranscriptPath is where the default model's transcript of the recording lies.
func (r Recording) TranscriptPath() string {
	return strings.TrimSuffix(r.Path(), filepath.Ext(r.Audio)) + ".json"
}

// Recordings are the case's recordings, the first voice's first.
func (c Case) Recordings() []Recording {
	out := []Recording{{Voice: c.Voice, Audio: c.AudioFile, Seconds: c.Seconds, dir: c.dir}}
	if c.Second != nil {
		second := *c.Second
		second.dir = c.dir
		out = append(out, second)
	}
	return out
}

// Heard reads the default model's transcript of the recording; ok is false where there is none yet.
func (r Recording) Heard() (t transcribe.Transcript, ok bool, err error) {
	data, err := os.ReadFile(r.TranscriptPath())
	if errors.Is(err, os.ErrNotExist) {
		return t, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return t, false, fmt.Errorf("read transcript of %s: %w", r.Audio, err)
	}
	return t, true, nil
}

// Spoken is the transcript of an engine that hears every word: the script without any mark but those it has, a pause after
// each line, a longer one between two parts.
func (c Case) Spoken() transcribe.Transcript {
	var t transcribe.Transcript
	at := 0.5
	for line := range strings.SplitSeq(c.Script, "\n") {
		for _, w := range strings.Fields(line) {
			t.Words = append(t.Words, transcribe.Word{Text: w, Start: at, End: at + 0.28, Confidence: 0.95})
			at += 0.3
		}
		at += 0.5
	}
	t.Text = strings.Join(strings.Fields(c.Script), " ")
	t.Audio.Seconds = at
	t.Spans = []transcribe.Span{{Start: 0, End: at, Kind: transcribe.SpanWords}}
	return t
}
