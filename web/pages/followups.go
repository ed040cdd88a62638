package pages

import (
	"strings"
	"time"

	"vesper/notes"
)

// promise is a follow-up as people read it.
type promise struct {
	notes.FollowUp
	What string // "Blood test"
	When string
	Who  string
	Mark string // what to know of it: conditional, withdrawn
}

// promiseKinds names the kinds of follow-up.
var promiseKinds = map[string]string{
	"appointment": "Visit", "referral": "Referral", "lab": "Lab test", "imaging": "Imaging", "procedure": "Procedure",
	"prior_authorization": "Prior authorization", "letter": "Letter or form", "call": "Call", "medication_hold": "Held drug",
}

// promises are the follow-ups of a document, what was withdrawn last.
func promises(d notes.Document) []promise {
	var out, withdrawn []promise
	for _, f := range d.FollowUps {
		p := promise{FollowUp: f, What: promiseKinds[f.Kind], When: dueWords(f), Who: ownerWords(f), Mark: promiseMark(f)}
		if p.What == "" {
			p.What = kindWords(f.Kind)
		}
		if f.Pending {
			p.What += ", result awaited"
		}
		if f.Withdrawn() {
			withdrawn = append(withdrawn, p)
		} else {
			out = append(out, p)
		}
	}
	return append(out, withdrawn...)
}

func kindWords(kind string) string { return sentence(strings.ReplaceAll(kind, "_", " ")) }

// dueWords says when, with the words of the note beside a date that was computed from them.
func dueWords(f notes.FollowUp) string {
	day, err := time.Parse(time.DateOnly, f.Due)
	if err != nil {
		return f.Due
	}
	text := day.Format("Mon 2 Jan 2006")
	if f.Kind == "medication_hold" {
		text = "until " + text
	}
	if f.DueWords != "" {
		text += " (" + f.DueWords + ")"
	}
	return text
}

func ownerWords(f notes.FollowUp) string {
	who := map[string]string{"practice": "the practice", "physician": "the physician", "patient": "the patient"}[f.Owner]
	switch {
	case f.To != "" && f.To != "practice" && who != "":
		return f.To + ", by " + who
	case who != "":
		return "by " + who
	}
	return f.To
}

// promiseMark says what an edit or a condition does to a promise.
func promiseMark(f notes.FollowUp) string {
	switch {
	case f.Withdrawn():
		return "Taken out by an edit"
	case f.Conditional && f.Condition != "":
		return "Only: " + f.Condition
	case f.Conditional:
		return "Conditional"
	case f.Change != nil && f.Change.How == "added":
		return "Written by an editor"
	case f.Change != nil:
		return "Changed by an edit"
	}
	return ""
}
