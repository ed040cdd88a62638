package pages

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/notes/templates"
	"vesper/pipeline"
)

// parse reads every template once with the layout and the shared parts; a mistake stops the start.
func (s *site) parse() error {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		base := strings.TrimSuffix(path.Base(name), ".html")
		if base == "layout" || base == "parts" {
			continue
		}
		t, err := template.New(base).Funcs(s.funcs()).ParseFS(files, "templates/layout.html", "templates/parts.html", name)
		if err != nil {
			return fmt.Errorf("parse page %s: %w", base, err)
		}
		s.views[base] = t
	}
	return nil
}

func (s *site) funcs() template.FuncMap {
	names := map[string]string{}
	for _, t := range s.Service.WorkTypes() {
		names[t.Key] = t.Name
	}
	return template.FuncMap{
		"asset":    s.Assets.URL,
		"clock":    clock,
		"ago":      func(t time.Time) string { return ago(s.Now().Sub(t)) },
		"due":      func(t time.Time) string { return due(t.Sub(s.Now())) },
		"urgency":  func(t time.Time) string { return urgency(t.Sub(s.Now())) },
		"words":    func(st pipeline.State) string { return sentence(st.Words()) },
		"happened": happened,
		"stamp":    func(t time.Time) string { return t.Local().Format("2 Jan 2006, 15:04") },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short":    func(h string) string { return h[:min(len(h), 12)] },
		"worktype": func(key string) string { return names[key] },
		"json":     scriptJSON,
		"is":       func(a *uuid.UUID, b uuid.UUID) bool { return a != nil && *a == b },
		"add":      func(a, b int) int { return a + b },
		"reason":   reasonWords,
		"span":     func(start, end float64) string { return clock(start) + "–" + clock(end) },
		"delivery": deliveryWords,
		"initials": initials,
		"sentence": sentence,
		"detail":   eventDetail,
		"kind":     kindName,
		"tail":     func(id string) string { return "…" + id[max(0, len(id)-8):] }, // the front of a time-ordered id says little
		"states":   allStates,
		"count":    count,
		"open":     func(st pipeline.State) bool { return !st.Terminal() && st != pipeline.Signed },
		"may":      func(can map[access.Action]bool, a string) bool { return can[access.Action(a)] },
		"moving":   moving,
		"days":     dayWords,
		"took":     took,
		"used":     clockWords,
		"percent":  percent,
		"when":     whenWords,
		"unsent":   unsentWords,
		"tries":    tryWords,
		"do":       doWords,
		"worktypes": func(all []templates.Template) []workType {
			out := make([]workType, len(all))
			for i, t := range all {
				out[i] = workType{Key: t.Key, Name: t.Name}
				for _, sec := range t.Sections {
					out[i].Sections = append(out[i].Sections, workSection{sec.Key, sec.Heading})
				}
			}
			return out
		},
	}
}

// workType is what the editor needs to know of a template.
type workType struct {
	Key      string        `json:"key"`
	Name     string        `json:"name"`
	Sections []workSection `json:"sections"`
}

type workSection struct {
	Key     string `json:"key"`
	Heading string `json:"heading"`
}

// allStates in the order of the way, what went wrong last.
func allStates() []pipeline.State {
	var out []pipeline.State
	for _, w := range way {
		out = append(out, w.state)
	}
	return append(out, pipeline.Failed, pipeline.Rejected)
}

// moving counts what is between the microphone and the physician's desk.
func moving(counts map[pipeline.State]int) int {
	n := 0
	for _, st := range []pipeline.State{pipeline.Received, pipeline.Queued, pipeline.Transcribed, pipeline.Drafted, pipeline.InReview} {
		n += counts[st]
	}
	return n
}

// deliveryWords says the state of a delivery in plain words.
func deliveryWords(d pipeline.Delivery) string {
	switch d.State {
	case pipeline.DeliveryDelivered:
		return "Delivered and read back"
	case pipeline.DeliveryRejected:
		return "Refused by the EHR"
	case pipeline.DeliveryUnknown:
		return "No clear answer yet; Vesper asks the EHR before it sends again"
	case pipeline.DeliverySending:
		return "Being sent"
	default:
		return "Waiting to be sent"
	}
}

// initials of a name, for the round badge beside it.
func initials(name string) string {
	out := ""
	for _, w := range strings.Fields(name) {
		r := []rune(w)
		out += strings.ToUpper(string(r[0]))
	}
	r := []rune(out)
	return string(r[:min(2, len(r))])
}

// scriptJSON is data for an island, read from a <script type="application/json"> element.
func scriptJSON(v any) (template.JS, error) {
	raw, err := json.Marshal(v) // escapes <, > and &, so it cannot leave the element
	return template.JS(raw), err
}

// clock writes seconds as m:ss.
func clock(seconds float64) string {
	n := int(math.Round(seconds))
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

func ago(d time.Duration) string {
	if d < time.Minute {
		return "just now"
	}
	return span(d) + " ago"
}

func due(d time.Duration) string {
	if d < 0 {
		return "overdue by " + span(-d)
	}
	return "due in " + span(d)
}

// urgency picks the colour of a due time: overdue, within the hour, or calm.
func urgency(d time.Duration) string {
	switch {
	case d < 0:
		return "bad"
	case d < time.Hour:
		return "warn"
	default:
		return ""
	}
}

func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", max(1, int(d.Minutes())))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// plain is what each action of the record means in plain words.
var plain = map[string]string{
	"dictation.submit": "sent the recording in", "dictation.list": "looked at the list", "dictation.view": "opened the note",
	"dictation.listen": "listened to the recording", "note.claim": "took it for review", "note.edit": "saved a version",
	"note.release": "gave it back to the queue", "note.send": "sent it to the physician", "note.return": "returned it to the editors",
	"note.sign": "signed the note", "note.addendum": "wrote an addendum", "note.history": "opened the history", "note.download": "downloaded a version", "quality.read": "read the error rates", "job.retry": "ordered the work again",
	"job.cancel": "cancelled the automatic work", "job.rerun": "ordered a stage anew",
	"dictation.reject": "rejected the recording", "audit.read": "read the audit log", "people.manage": "changed an account",
	"session.open": "logged in", "terms.read": "looked at the words", "terms.manage": "changed the words", "corrections.manage": "looked at or decided corrections", "session.close": "logged out", "patient.search": "searched patients", "encounter.list": "listed visits",
	"keeping.read": "looked at how recordings are kept", "finding.settle": "settled a finding", "retention.manage": "decided how long recordings are kept", "holds.manage": "looked at, set or lifted a legal hold",
	"turnaround.read": "looked at turn-around", "turnaround.manage": "changed turn-around or rules", "escalation.apply": "carried out a rule",
	"notification.read": "read notifications", "notification.settings": "changed notifications",
}

// tries is what each refused action was.
var tries = map[string]string{
	"dictation.submit": "tried to send a recording in", "dictation.view": "tried to open the note", "dictation.listen": "tried to listen to the recording",
	"note.claim": "tried to take it for review", "note.edit": "tried to save a version", "note.release": "tried to give it back",
	"note.send": "tried to send it to the physician", "note.return": "tried to return it to the editors", "note.sign": "tried to sign",
	"note.addendum": "tried to write an addendum", "note.history": "tried to open the history", "note.download": "tried to download a version", "quality.read": "tried to read the error rates", "job.retry": "tried to order the work again",
	"job.cancel": "tried to cancel the automatic work", "job.rerun": "tried to order a stage anew",
	"dictation.reject": "tried to reject the recording", "audit.read": "tried to read the audit log", "people.manage": "tried to change an account",
	"session.open": "tried to log in", "terms.read": "tried to look at words", "terms.manage": "tried to change words", "corrections.manage": "tried to decide corrections", "patient.search": "tried to search patients", "encounter.list": "tried to list visits",
	"keeping.read": "tried to look at how recordings are kept", "finding.settle": "tried to settle a finding", "retention.manage": "tried to decide how long recordings are kept", "holds.manage": "tried to see or change legal holds",
	"turnaround.read": "tried to look at turn-around", "turnaround.manage": "tried to change turn-around or rules",
}

// happened says an event in plain words.
func happened(e pipeline.Event) string {
	text := plain[e.Action]
	if e.Action == "dictation.process" {
		text = map[string]string{
			"transcribed": "transcribed the recording", "drafted": "drafted the note", "sending": "began the delivery to the EHR",
			"delivered": "delivered the signed note to the EHR and read it back", "dead": "gave up a step", "quarantined": "set a step aside that broke down each time", "unknown": "got no clear answer from the EHR",
			"chart_read": "read medications and problems from the EHR", "chart_unread": "went on without the EHR’s medications and problems",
			"rejected": "was refused by the EHR", "reconciled": "took the work up again", "heard_early": "took over what was heard while the recording arrived",
			"listening": "began to listen to a recording that still arrives", "dropped": "stopped listening to an upload",
			"found": "found something wrong with the stored recording", "mended": "found the stored recording in order again",
			"purged": "purged the recording under the practice’s rule", "remade": "made the rendition for listening again",
			"rendered": "made the rendition for listening",
		}[e.Detail["result"]]
	}
	if e.Action == "dictation.submit" {
		switch e.Detail["result"] { // of an upload that is not a dictation yet
		case "arriving":
			text = "let a recording be heard while it arrives"
		case "dropped":
			text = "ended an upload of which no dictation came"
		}
	}
	if text == "" {
		text = e.Action
	}
	if e.Outcome == "refused" && e.Action != "dictation.process" {
		if tried := tries[e.Action]; tried != "" {
			return tried
		}
		return "was refused: " + text
	}
	return text
}

// count writes the number of dictations in a state; further than a bound nobody counted.
func count(n int) string {
	if n >= pipeline.CountedTo {
		return fmt.Sprintf("%d+", pipeline.CountedTo)
	}
	return strconv.Itoa(n)
}
