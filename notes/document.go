// Package notes turns words into a note: spoken commands and numbers, sections of the physician's template, blanks and
// flags, append-only versions and the source of every word. It is pure Go, needs no service, and never adds a clinical
// statement: it moves and formats what was dictated.
//
//	Transcript ─▶ Draft ─▶ Document ─▶ Rebase (a person's edit) ─▶ … ─▶ ReadyToSign ─▶ Canonical (the signed bytes)
//
// Every word of a transcript is in exactly one place: in a run of a section, or in the list of what was removed, with the
// reason.
package notes

import (
	"strings"
	"time"
)

// SourceKind says where a run of text comes from.
type SourceKind string

// Every run of a note's text has one of these sources.
const (
	FromSpeech   SourceKind = "speech"   // a span of audio through a transcript
	FromPerson   SourceKind = "person"   // typed or approved by a person at a time
	FromTemplate SourceKind = "template" // layout only: line breaks and list marks, never a statement
	FromBlank    SourceKind = "blank"    // a timed gap that a person must listen to
)

// Source is the origin of a run. Speech and blank carry Start and End (seconds in the recording); person carries By
// (the person's id) and At.
type Source struct {
	Kind  SourceKind `json:"kind"`
	Start float64    `json:"start,omitempty"`
	End   float64    `json:"end,omitempty"`
	Said  string     `json:"said,omitempty"` // the words as heard, where the text differs from them
	By    string     `json:"by,omitempty"`
	At    *time.Time `json:"at,omitempty"`
	// Confidence is the lowest confidence among the run's words, 0…1; 0 where it does not apply.
	Confidence float64 `json:"confidence,omitempty"`
	// Words are the places of the run's words in the transcript, from 0.
	Words []int `json:"words,omitempty"`
	// Rule names the number rule that wrote the text, "" for none.
	Rule string `json:"rule,omitempty"`
	// Command names the spoken command that wrote the text, "" for none. Restore puts its words back.
	Command string `json:"command,omitempty"`
	// Block names the author's text block that the text is, with By and At of its approval, and Version its row.
	Block   string `json:"block,omitempty"`
	Version string `json:"version,omitempty"`
}

// Run is a stretch of text with one source. The runs of a section tile its text exactly.
type Run struct {
	Text   string `json:"text"`
	Source Source `json:"source"`
}

// Section is one part of a note, in the template's order.
type Section struct {
	Key      string `json:"key"`     // stable: "hpi"
	Heading  string `json:"heading"` // as printed: "History of Present Illness"
	Required bool   `json:"required,omitempty"`
	Runs     []Run  `json:"runs"`
}

// Text is the section's text: its runs joined without anything between.
func (s Section) Text() string {
	var b strings.Builder
	for _, r := range s.Runs {
		b.WriteString(r.Text)
	}
	return b.String()
}

// Blank is a timed gap that nobody could hear yet.
type Blank struct {
	Start   float64 `json:"start"`
	End     float64 `json:"end"`
	Section string  `json:"section"`
}

// FlagKind says what a flag doubts.
type FlagKind = string

// The kinds of flag.
const (
	FlagLowConfidence  FlagKind = "low_confidence"    // a word that matters, and that the engine was unsure of
	FlagReading        FlagKind = "two_readings"      // words that matter, and that could as well be others
	FlagNumber         FlagKind = "number"            // a number that can be read in two ways
	FlagStruck         FlagKind = "struck"            // text over non-speech or in a loop: taken out, can be put back
	FlagUnreliable     FlagKind = "unreliable"        // a stretch that the engine could not decode without trouble
	FlagScratched      FlagKind = "scratched"         // text that the speaker took back
	FlagDrug           FlagKind = "drug_name"         // a dose without a known drug before it
	FlagHeading        FlagKind = "heading"           // words dictated like a heading that the template does not have
	FlagMissingSection FlagKind = "missing_section"   // a required section without text
	FlagStatement      FlagKind = "missing_statement" // something that this kind of note must say
)

// Severity says what a flag asks for.
type Severity string

// The severities of flags.
const (
	Critical Severity = "critical" // blocks the signature until a person settles it
	Notice   Severity = "notice"   // worth a look, does not block
)

// Settlement records who settled a flag, when and how.
type Settlement struct {
	By  string    `json:"by"`
	At  time.Time `json:"at"`
	How string    `json:"how"` // "heard", "edited", "restored", …
}

// Flag is a doubt that a person must settle. It stays in the document after it is settled.
type Flag struct {
	ID       string      `json:"id"` // the same for the same doubt in every version
	Kind     FlagKind    `json:"kind"`
	Severity Severity    `json:"severity"`
	Section  string      `json:"section,omitempty"`
	Text     string      `json:"text"`
	Start    float64     `json:"start"`
	End      float64     `json:"end"`
	Detail   string      `json:"detail"` // why, in plain words
	Settled  *Settlement `json:"settled,omitempty"`
	Also     []Span      `json:"also,omitempty"` // where the recording says what this contradicts
	More     []Flag      `json:"more,omitempty"` // the flags that a flag of kind "more" holds
}

// RemovedReason says why words of the transcript are not in the note's text.
type RemovedReason string

// The reasons. Nothing else takes words out of a note.
const (
	RemovedCommand   RemovedReason = "command"    // a spoken command that was carried out
	RemovedHeading   RemovedReason = "heading"    // the spoken name of a section, printed as its heading
	RemovedTitle     RemovedReason = "title"      // the spoken name of the document
	RemovedScratched RemovedReason = "scratched"  // taken back by the speaker
	RemovedNonSpeech RemovedReason = "non_speech" // the engine's description of a noise
)

// Removed is a stretch of the transcript that is not in the text, kept with its reason. It can be restored.
type Removed struct {
	Reason  RemovedReason `json:"reason"`
	Command string        `json:"command,omitempty"` // the spoken command, where it was one
	Text    string        `json:"text"`              // as heard
	Start   float64       `json:"start"`
	End     float64       `json:"end"`
	Section string        `json:"section"` // where it was said
	Words   []int         `json:"words"`   // places in the transcript
}

// Document is the structured body of one version of a note.
type Document struct {
	WorkType string `json:"work_type"`
	// Dictated is the day of the dictation (2006-01-02), from which intervals count; "" where it is not known.
	Dictated  string     `json:"dictated,omitempty"`
	Sections  []Section  `json:"sections"`
	Blanks    []Blank    `json:"blanks"`
	Flags     []Flag     `json:"flags"`
	FollowUps []FollowUp `json:"follow_ups"`
	Removed   []Removed  `json:"removed,omitempty"`
	Copies    []Copy     `json:"copies,omitempty"`   // who gets a copy
	Requests  []Request  `json:"requests,omitempty"` // what the speaker asks of the office
}

// Section returns the section with this key.
func (d Document) Section(key string) (Section, bool) {
	for _, s := range d.Sections {
		if s.Key == key {
			return s, true
		}
	}
	return Section{}, false
}

// clone copies the document so that changes to the copy leave the original alone.
func (d Document) clone() Document {
	out := d
	out.Sections = make([]Section, len(d.Sections))
	for i, s := range d.Sections {
		s.Runs = append([]Run{}, s.Runs...)
		out.Sections[i] = s
	}
	out.Blanks = append([]Blank{}, d.Blanks...)
	out.Flags = append([]Flag{}, d.Flags...)
	out.FollowUps = append([]FollowUp{}, d.FollowUps...)
	out.Removed = append([]Removed(nil), d.Removed...)
	out.Copies = append([]Copy(nil), d.Copies...)
	out.Requests = append([]Request(nil), d.Requests...)
	return out
}
