package notes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vesper/notes/followups"
)

// FollowUp is something the physician promised, found in the text of the note and linked to its sentence. It is a finding
// for people to act on: nothing is ordered or sent from it.
type FollowUp struct {
	ID   string         `json:"id"`   // the same for the same promise in every version
	Kind followups.Kind `json:"kind"` // "appointment", "lab", "referral", … (package followups)
	Text string         `json:"text"` // the words of the note
	// Due is a date (2006-01-02), the earliest of a range; "as needed"; the words where no date can be computed; or "".
	// For a held drug it is the end of the hold.
	Due      string `json:"due"`
	DueWords string `json:"due_words,omitempty"` // as written: "in 4 to 6 weeks"
	To       string `json:"to"`                  // whom it is addressed to, as written; "" when not said
	Owner    string `json:"owner"`               // who has to do it: "practice", "physician", "patient"
	// Conditional marks what depends on something, or was only considered; Condition has the words.
	Conditional bool   `json:"conditional,omitempty"`
	Condition   string `json:"condition,omitempty"`
	Pending     bool   `json:"pending,omitempty"` // a result that is awaited

	Section string  `json:"section"`
	From    int     `json:"from"` // byte offsets of the words in the section's text
	Until   int     `json:"until"`
	Start   float64 `json:"start"` // span of the recording in seconds, both 0 when nothing was spoken
	End     float64 `json:"end"`
	Words   []int   `json:"words,omitempty"` // places in the transcript
	// Change says what an edit did to a promise that was drafted: "edited", "added" or "withdrawn". A withdrawn one is
	// kept, so that nobody overlooks that it was dictated.
	Change *Settlement `json:"change,omitempty"`
}

// The changes of a promise.
const (
	promiseEdited    = "edited"
	promiseAdded     = "added"
	promiseWithdrawn = "withdrawn"
)

// Withdrawn says that the promise does not stand in the text any more.
func (f FollowUp) Withdrawn() bool { return f.Change != nil && f.Change.How == promiseWithdrawn }

// planned are parts of keys of sections in which orders stand.
var planned = []string{"plan", "recommend", "disposition", "follow", "instruction", "advice", "orders", "guidance", "addendum"}

// reports are sections that tell what was, so that even an order's verb is a report there.
var reports = wordSet("hpi interval_history pmh psh past_medical_history past_surgical_history family_history social_history ros " +
	"hospital_course comparison technique birth_history allergies medications vitals procedure_description description findings specimens anesthesia")

// withFollowUps fills in the promises of a document that was dictated on a day.
func withFollowUps(d Document, on time.Time) Document {
	if !on.IsZero() {
		d.Dictated = on.Format(time.DateOnly)
	}
	d.FollowUps = findFollowUps(d)
	return d
}

// findFollowUps reads the promises of all sections. Intervals count from the document's day.
func findFollowUps(d Document) []FollowUp {
	day, _ := time.Parse(time.DateOnly, d.Dictated) // without a day, intervals stay words
	out := []FollowUp{}
	for _, s := range d.Sections {
		c := followups.Context{Day: day, Drug: drugLike, FollowUp: strings.Contains(s.Key, "follow")}
		c.Plan = slices.ContainsFunc(planned, func(p string) bool { return strings.Contains(s.Key, p) }) && !reports[s.Key]
		c.Report = reports[s.Key]
		text := s.Text()
		for _, b := range sentenceBounds(text) {
			for _, f := range followups.Find(text[b[0]:b[1]], c) {
				out = append(out, linked(s, b[0], f))
			}
		}
	}
	return identified(out)
}

// linked ties a finding to its words and their audio.
func linked(s Section, at int, f followups.Finding) FollowUp {
	out := FollowUp{
		Kind: f.Kind, Due: f.Due.String(), DueWords: f.Due.Words, To: f.With, Owner: f.Owner, Conditional: f.Conditional, Condition: f.Condition,
		Pending: f.Pending, Section: s.Key, From: at + f.From, Until: at + f.To,
	}
	out.Text = s.Text()[out.From:out.Until]
	origin := Origin(s, out.From, out.Until)
	out.Start, out.End = origin.Start, origin.End
	from := 0
	for _, r := range s.Runs {
		to := from + len(r.Text)
		if from < out.Until && to > out.From && r.Source.Kind == FromSpeech && strings.TrimSpace(r.Text) != "" {
			out.Words = append(out.Words, r.Source.Words...)
		}
		from = to
	}
	return out
}

// identified gives each promise its identity: kind, section and words, counted where they are the same.
func identified(list []FollowUp) []FollowUp {
	seen := map[string]int{}
	for i, f := range list {
		key := fmt.Sprintf("%s\x00%s\x00%s", f.Kind, f.Section, f.Text)
		seen[key]++
		list[i].ID = sha256Hex(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))[:12]
	}
	return list
}

// relinkFollowUps reads the promises of an edited document and ties them to those of the version before: what stays keeps
// its identity; what an edit changed, added or took out is marked with who did it.
func relinkFollowUps(prev, next Document, by string, at time.Time) []FollowUp {
	change := func(how string) *Settlement { return &Settlement{By: by, At: at, How: how} }
	out := findFollowUps(next)
	used := make([]bool, len(prev.FollowUps))
	before := pairFollowUps(prev.FollowUps, out, used)
	for i := range out {
		switch k := before[i]; {
		case k >= 0:
			old := prev.FollowUps[k]
			out[i].ID = old.ID
			if strings.TrimSpace(old.Text) != strings.TrimSpace(out[i].Text) {
				out[i].Change = change(promiseEdited)
			} else if !old.Withdrawn() {
				out[i].Change = old.Change
			}
		case typed(next, out[i]):
			out[i].Change = change(promiseAdded)
		}
	}
	for k, f := range prev.FollowUps {
		if used[k] {
			continue
		}
		if !f.Withdrawn() {
			f.Change = change(promiseWithdrawn)
		}
		out = append(out, f)
	}
	return out
}

// pairFollowUps finds for each promise the one of the version before, or -1: first by its words, then by its audio.
func pairFollowUps(old, now []FollowUp, used []bool) []int {
	out := make([]int, len(now))
	for i := range out {
		out[i] = -1
	}
	for _, same := range []func(a, b FollowUp) bool{sameText, sameAudio} {
		for i := range now {
			for k := range old {
				if out[i] < 0 && !used[k] && old[k].Kind == now[i].Kind && same(old[k], now[i]) {
					out[i], used[k] = k, true
				}
			}
		}
	}
	return out
}

func sameText(a, b FollowUp) bool { return strings.TrimSpace(a.Text) == strings.TrimSpace(b.Text) }

func sameAudio(a, b FollowUp) bool {
	return slices.ContainsFunc(a.Words, func(w int) bool { return slices.Contains(b.Words, w) })
}

// typed says that a person wrote part of the promise.
func typed(d Document, f FollowUp) bool {
	s, ok := d.Section(f.Section)
	return ok && len(Origin(s, f.From, f.Until).People) > 0
}
