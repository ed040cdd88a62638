// Package escalation holds the rules by which waiting work is brought to people: data in YAML, a condition and what to do
// when it holds. Pure Go: it reads rules and says whether one holds for given facts; doing is for others.
package escalation

import (
	_ "embed"
	"slices"
	"time"
)

// Set is all rules of a practice, in the order in which they are looked at.
type Set struct {
	Rules []Rule `yaml:"rules"`
}

// Rule is one condition with its actions. It is done once for each dictation and each time the condition comes true, and with
// Again every so often while it holds.
type Rule struct {
	Name string   `yaml:"name"` // lower-case words and hyphens; what is done once is done once under this name
	Say  string   `yaml:"say"`  // what people are told, without anything of a patient
	When When     `yaml:"when"`
	Do   []Action `yaml:"do"`
	// Again is after which time it is carried out once more while its condition still holds; not given: never.
	Again Span `yaml:"again"`
}

// When is a condition: all that is given must hold.
type When struct {
	State    List   `yaml:"state"`
	WorkType List   `yaml:"work_type"`
	Priority string `yaml:"priority"`
	// Used is the share of the turn-around that is used, "80%". It counts until the note is signed.
	Used Percent `yaml:"used"`
	// OverdueBy is the time since the due time; "0s" is at once. While the physician has the note it counts only where
	// State names that state.
	OverdueBy Span `yaml:"overdue_by"`
	// InStateFor is the time since the dictation came into the states of State.
	InStateFor Span `yaml:"in_state_for"`
	// Count says what counts for in_state_for: "wall" (all hours, the default) or "working" (opening hours).
	Count string `yaml:"count"`
	// ClaimIdleFor is the time since the holder took the note or saved it last.
	ClaimIdleFor Span `yaml:"claim_idle_for"`
	// Job is "dead" for a step that was given up, or "quarantined" for one that broke the engine again and again.
	Job string `yaml:"job"`
	// Delivery is "failed" for a signed note that the EHR refused or that could not be delivered.
	Delivery string `yaml:"delivery"`
}

// Action is one thing to do; exactly one field is given, and To and Interrupt beside Reassign.
type Action struct {
	// Notify lists who is told: author, holder (of the claim), role:NAME, mail:ADDRESS, webhook (all of the practice).
	Notify List `yaml:"notify"`
	// Raise is "stat".
	Raise string `yaml:"raise"`
	// DueWithin brings the due time forward.
	DueWithin Span `yaml:"due_within"`
	// Reassign is Release: the claim ends and the note goes back to the queue; or ToEditor: it is given to To.
	Reassign string `yaml:"reassign"`
	// To is the login of an editor, or LeastLoaded.
	To string `yaml:"to"`
	// Interrupt takes the note also from somebody who is at work on it; else the rule waits until nobody is.
	Interrupt bool `yaml:"interrupt"`
}

// What Reassign and To may be.
const (
	Release     = "release"
	ToEditor    = "editor"
	LeastLoaded = "least-loaded" // who has the fewest notes in hand
)

// Waits reports whether the rule waits while somebody is at work on the note: it gives it to an editor and does not interrupt.
func (r Rule) Waits() bool {
	return slices.ContainsFunc(r.Do, func(a Action) bool { return a.Reassign == ToEditor && !a.Interrupt })
}

// NamesEditors reports whether a rule gives notes to an editor by name.
func (s Set) NamesEditors() bool {
	return slices.ContainsFunc(s.Rules, func(r Rule) bool { return slices.ContainsFunc(r.Do, Action.namesEditor) })
}

func (a Action) namesEditor() bool { return a.Reassign == ToEditor && a.To != LeastLoaded }

// Span is a duration that may be given in days: 90m, 4h, 3d. The zero value is one that was not given.
type Span struct {
	text string
	d    time.Duration // below zero: the text is no duration
}

// D is the duration.
func (s Span) D() time.Duration { return max(0, s.d) }

// Given reports whether it is there.
func (s Span) Given() bool { return s.text != "" }

// Percent is a share: 80% is 0.8. The zero value is one that was not given.
type Percent struct {
	text  string
	share float64 // below zero: the text is no share
}

// List is one text or several.
type List []string

//go:embed default.yaml
var defaults string

// Default is the source of the rules that hold where a practice has none of its own.
func Default() string { return defaults }
