// Package notes turns words into a note: spoken commands and numbers, sections of the physician's template, blanks and
// flags, append-only versions and the source of every word. It is pure Go, needs no service, and never adds a clinical
// statement: it moves and formats what was dictated.
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

// Flag is a doubt that a person must settle.
type Flag struct {
	Kind   string  `json:"kind"` // "low_confidence", "number", "struck", "missing_section", …
	Text   string  `json:"text"`
	Start  float64 `json:"start"`
	End    float64 `json:"end"`
	Detail string  `json:"detail"`
}

// FollowUp is something the physician promised, found in the dictation.
type FollowUp struct {
	Kind string `json:"kind"` // "appointment", "lab", "referral", …
	Text string `json:"text"`
	Due  string `json:"due"` // as a date (2006-01-02) or an interval in words; "" when not said
	To   string `json:"to"`
}

// Document is the structured body of one version of a note.
type Document struct {
	WorkType  string     `json:"work_type"`
	Sections  []Section  `json:"sections"`
	Blanks    []Blank    `json:"blanks"`
	Flags     []Flag     `json:"flags"`
	FollowUps []FollowUp `json:"follow_ups"`
}
