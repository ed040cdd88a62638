package keeping

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
)

// The bounds of a rule. FloorDays is no statement of law: HIPAA asks for six years of policies, logs and authorisations
// (45 CFR 164.316(b)(2), 164.530(j)) and leaves records themselves to the states, which ask for five to ten years and longer
// for minors. Where a practice or its state counts recordings as part of the record, the days must be those of the record.
// The floor only keeps a slip of the hand from emptying the store while a note may still be contested.
const (
	FloorDays = 30
	MostDays  = 36500
	// RuleRest is how long a new rule rests before anything goes under it: time to notice a mistake, or to set a hold.
	RuleRest = 7 * 24 * time.Hour
)

// Rule is how long a practice keeps recordings of a kind of document. Rows are history: the highest version stands. Days
// that are nil mean for ever.
type Rule struct {
	ID           uuid.UUID
	PracticeID   uuid.UUID
	WorkType     string // "": all kinds without a rule of their own
	Version      int
	OriginalDays *int // after the delivery of the signed note
	PlaybackDays *int
	RejectedDays *int // after the rejection, both renditions
	Reason       string
	SetBy        uuid.UUID
	SetByName    string
	SetAt        time.Time
}

// Check refuses a rule that nobody can have meant.
func (r Rule) Check() error {
	for _, days := range []*int{r.OriginalDays, r.PlaybackDays, r.RejectedDays} {
		if days != nil && (*days < FloorDays || *days > MostDays) {
			return fault.New(fault.Invalid, "retention_days", fmt.Sprintf("Keep recordings for at least %d days and at most %d, or for ever.", FloorDays, MostDays))
		}
	}
	return nil
}

// Purges says whether anything ever goes under this rule.
func (r Rule) Purges() bool {
	return r.OriginalDays != nil || r.PlaybackDays != nil || r.RejectedDays != nil
}

// For picks the rule of a kind of document among the standing ones: its own, or the one for all; nil when there is none.
func For(rules []Rule, workType string) *Rule {
	var all *Rule
	for i, r := range rules {
		switch r.WorkType {
		case workType:
			return &rules[i]
		case "":
			all = &rules[i]
		}
	}
	return all
}

// Verdict is what the rules say of a recording: it may go, or why it stays.
type Verdict struct {
	Go  bool
	Why string    // code: why it stays
	Due time.Time // when it may go, as far as that is known
}

// Judge is the whole of retention: a function of state, times, rule and holds. The database decides the same before it lets
// a purge begin (purge_refusal in the migrations; a test compares them). What is not signed and delivered never goes, but for
// what was rejected under a rule that says so.
func Judge(r Recording, rule *Rule, now time.Time) Verdict {
	var days *int
	switch {
	case r.State != "delivered" && r.State != "rejected":
		return Verdict{Why: "not_final"}
	case r.State == "delivered" && !r.Signed:
		return Verdict{Why: "not_signed"}
	case r.Held:
		return Verdict{Why: "held"}
	case rule == nil:
		return Verdict{Why: "kept_for_ever"}
	case r.State == "rejected":
		days = rule.RejectedDays
	case r.Rendition == original:
		days = rule.OriginalDays
	default:
		days = rule.PlaybackDays
	}
	if days == nil || r.FinalAt.IsZero() || *days < FloorDays {
		return Verdict{Why: "kept_for_ever"}
	}
	due := r.FinalAt.AddDate(0, 0, *days)
	if rested := rule.SetAt.Add(RuleRest); rested.After(now) {
		return Verdict{Why: "rule_young", Due: later(due, rested)}
	}
	if due.After(now) {
		return Verdict{Why: "not_due", Due: due}
	}
	return Verdict{Go: true, Due: due}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Hold keeps a dictation, everything of a patient or everything of an author, whatever the rules say. Rows are history:
// lifting one marks it.
type Hold struct {
	ID         uuid.UUID
	PracticeID uuid.UUID
	Scope      Scope
	Subject    uuid.UUID // of the scope
	Name       string    // of the patient or author, or the kind of document; read only
	Reason     string
	SetBy      uuid.UUID
	SetByName  string
	SetAt      time.Time
	LiftedBy   *uuid.UUID
	LiftedName string
	LiftedAt   *time.Time
	LiftReason string
}

// Scope is what a hold is about.
type Scope string

// The scopes of a hold.
const (
	OfDictation Scope = "dictation"
	OfPatient   Scope = "patient"
	OfAuthor    Scope = "author"
)

// Scopes lists them.
func Scopes() []Scope { return []Scope{OfDictation, OfPatient, OfAuthor} }
