// Package followups finds what a physician promised in the sentences of a note: visits, referrals, tests, procedures,
// letters, calls and drugs that are held, each with when and by whom. Rules and word lists are data (rules.yaml,
// terms.yaml); each rule carries its examples, and they are tests. It only reads: nothing is ordered, sent or changed.
//
//	sentence ─▶ clauses ─▶ what is asked for (rules) ─▶ is it a promise? (negated, past, conditional) ─▶ when, to whom
package followups

import "time"

// Kind is what was promised.
type Kind = string

// The kinds of promise.
const (
	Appointment        Kind = "appointment"
	Referral           Kind = "referral"
	Lab                Kind = "lab"
	Imaging            Kind = "imaging"
	Procedure          Kind = "procedure"
	PriorAuthorization Kind = "prior_authorization"
	Letter             Kind = "letter"
	Call               Kind = "call"
	MedicationHold     Kind = "medication_hold"
)

// Kinds lists every kind, in the order in which lists show them.
func Kinds() []Kind {
	return []Kind{Appointment, Referral, Lab, Imaging, Procedure, PriorAuthorization, Letter, Call, MedicationHold}
}

// AsNeeded is the due time of "PRN" and its like: there is no date.
const AsNeeded = "as needed"

// Who does what was promised, where no other name is said.
const (
	ByPhysician = "physician"
	ByPractice  = "practice"
	ByPatient   = "patient"
)

// Finding is one promise. From and To are bytes of the sentence: the words that make it.
type Finding struct {
	Kind  Kind
	Rule  string // name of the rule that found it
	From  int
	To    int
	Due   Due
	With  string // to whom, to which place or specialty, as written; "" where it is not said
	Owner string // who has to do it
	// Conditional says that it is a promise only under a condition, or one that was only considered.
	Conditional bool
	Condition   string // in the note's words: "if symptoms persist", "consider"
	Pending     bool   // a result that is awaited, nothing new to order
}

// Due says when. Of a range it is the earliest day.
type Due struct {
	// Date is the day as 2006-01-02; "" where none can be computed.
	Date string
	// Words are those of the note: "in 4 to 6 weeks"; "" where nothing is said.
	Words    string
	AsNeeded bool
}

// String is the date where there is one, AsNeeded, or the words.
func (d Due) String() string {
	switch {
	case d.AsNeeded:
		return AsNeeded
	case d.Date != "":
		return d.Date
	}
	return d.Words
}

// Context is what a sentence does not say itself.
type Context struct {
	// Day is the day of the dictation, from which intervals count. Without it they stay words.
	Day time.Time
	// Plan says that the sentence stands where orders stand: plan, recommendations, instructions. Elsewhere a promise must
	// be put into words ("will", "please", an order's verb), and a bare "MRI" is none.
	Plan bool
	// FollowUp says that the sentence stands under the heading "Follow-up", where "two weeks" alone is a visit.
	FollowUp bool
	// Report says that the sentence stands where things are told that were: history, comparison, description. There only what
	// is said to be coming counts.
	Report bool
	// Drug tells the names of drugs, in lower case; without it no hold is found.
	Drug func(word string) bool
}

// Find lists the promises of a sentence in the order in which they are made.
func Find(sentence string, c Context) []Finding {
	r := reader{text: sentence, low: lowered(sentence), Context: c}
	if !c.FollowUp && len(r.hits(0, len(r.low))) == 0 {
		return nil
	}
	var out []Finding
	condition := ""
	for _, cl := range r.clauses() {
		found, lead := r.clause(cl, condition)
		out = append(out, found...)
		if lead != "" {
			condition = lead
		}
	}
	return out
}

// reader reads one sentence.
type reader struct {
	Context
	text string
	low  string // the same bytes, ASCII letters in lower case

	labelDue Due
}

// lowered keeps every byte in its place.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
		if c == '\n' || c == '\t' {
			b[i] = ' '
		}
	}
	return string(b)
}
