package pages

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"vesper/notes"
	"vesper/pipeline"
)

// step is one stop on the way of a dictation.
type step struct {
	Text string
	Mark string // done, now or todo
}

// way is the order of the states with their names on the track.
var way = []struct {
	state pipeline.State
	text  string
}{
	{pipeline.Received, "Received"},
	{pipeline.Queued, "Queued"},
	{pipeline.Transcribed, "Transcribed"},
	{pipeline.Drafted, "Drafted"},
	{pipeline.InReview, "In review"},
	{pipeline.AwaitingSignature, "Awaiting signature"},
	{pipeline.Signed, "Signed"},
	{pipeline.Delivered, "Delivered"},
}

// steps marks the track up to the present state. A failed or rejected dictation has no place on it.
func steps(st pipeline.State) []step {
	at := -1
	for i, w := range way {
		if w.state == st {
			at = i
		}
	}
	out := make([]step, len(way))
	for i, w := range way {
		mark := "todo"
		switch {
		case i < at || st == pipeline.Delivered:
			mark = "done"
		case i == at:
			mark = "now"
		}
		out[i] = step{w.text, mark}
	}
	return out
}

// nowWords says what happens at the moment.
func nowWords(c pipeline.Card) string {
	switch c.State {
	case pipeline.Received:
		return "The recording is safe on the server. It waits for its turn."
	case pipeline.Queued:
		if c.Total > 0 {
			return "The recording is being written down."
		}
		return "The recording is being prepared for the speech engine."
	case pipeline.Transcribed:
		return "The words are there. The note is being drafted."
	case pipeline.Drafted:
		return "The draft waits for an editor."
	case pipeline.InReview:
		if c.ClaimedName != "" {
			return c.ClaimedName + " is reviewing the draft."
		}
		return "An editor is reviewing the draft."
	case pipeline.AwaitingSignature:
		return "The note is ready. It waits for the physician’s signature."
	case pipeline.Signed:
		return "The note is signed and on its way to the EHR."
	case pipeline.Delivered:
		return "The signed note stands in the EHR. It was read back and is the same, byte for byte."
	case pipeline.Rejected:
		return "This recording could not be used. Dictate it again if it is still needed."
	case pipeline.Failed:
		return "A step could not be finished. Nothing is lost; a supervisor can order it again."
	default:
		return ""
	}
}

// reasons says the codes that the workers leave behind in plain words. Reasons that people wrote are shown as they are.
var reasons = map[string]string{
	"no_speech":            "Nobody is speaking in the recording.",
	"audio_unreadable":     "The recording cannot be read. It may be damaged.",
	"audio_empty":          "The recording is empty.",
	"recording_damaged":    "The stored recording is not what was received. Call the administrator.",
	"engine_crashed":       "The speech engine stopped several times on this recording.",
	"engine_failed":        "The speech engine could not finish this recording.",
	"engine_timeout":       "The speech engine took too long.",
	"engine_unavailable":   "The speech engine could not be started.",
	"model_missing":        "The speech model is not installed.",
	"attempts_used_up":     "It was tried several times without success.",
	"quarantined":          "It broke down each time and was set aside.",
	"cancelled":            "A person cancelled it.",
	"superseded":           "It was ordered anew.",
	"lease_expired":        "The worker that did it vanished; another one takes it up.",
	"stopped":              "The worker was stopped; another one goes on.",
	"stage_panicked":       "A step broke off. It can be ordered again.",
	"ehr_unreachable":      "The EHR does not answer.",
	"ehr_slow":             "The EHR did not answer in time.",
	"ehr_chart_refused":    "The EHR does not let Vesper read medications and problems.",
	"ehr_chart_unreadable": "The EHR's list of medications or problems cannot be read.",
	"ehr_patient_ref":      "The patient's reference in the EHR is not of the form Patient/ID.",
	"ehr_busy":             "The EHR is busy.",
	"ehr_refused":          "The EHR refused the note.",
	"ehr_login_refused":    "The EHR refused Vesper's access. Call the administrator.",
	"ehr_outcome_unknown":  "The EHR gave no clear answer; Vesper asks again before it sends.",
	"ehr_copy_missing":     "The EHR does not show the note that it took.",
	"target_changed":       "The address of the EHR was changed after the signature.",
	"patient_missing":      "No patient is bound to the dictation.",
	"patient_unknown":      "The EHR does not know the patient.",
	"password_wrong":       "The password was wrong.",
	"version_conflict":     "Another version was saved before.",
	"state_changed":        "The dictation had moved on.",
	"not_ready":            "Something in the note was not settled.",
	"content_changed":      "The note was not the one that had been read.",
	"forbidden":            "The role does not allow it.",
	"not_found":            "There is no such item in the practice.",
}

func reasonWords(reason string) string {
	if text, ok := reasons[reason]; ok {
		return text
	}
	if reason != "" && !strings.Contains(reason, " ") && strings.Contains(reason, "_") {
		return sentence(strings.ReplaceAll(reason, "_", " ")) + "."
	}
	return reason
}

// origin says where a sentence comes from.
func origin(s notes.Sentence, names map[string]string) string {
	var who []string
	for _, id := range s.People {
		if n := names[id]; n != "" {
			who = append(who, n)
		} else {
			who = append(who, "an editor")
		}
	}
	typed := strings.Join(who, " and ")
	switch {
	case len(s.Spans) > 0 && typed != "":
		return fmt.Sprintf("Dictated at %s, with words of %s", clock(s.Start), typed)
	case len(s.Spans) > 0:
		return "Dictated at " + clock(s.Start) + ", unchanged"
	case typed != "":
		return "Written by " + typed
	default:
		return "Layout only"
	}
}

// moment is one line of the timeline: an event or a saved version.
type moment struct {
	At     time.Time
	Who    string
	What   string
	Detail string
	Tone   string // good, bad or plain
	saves  string // number of the version that was saved, "" for other events
}

func saves(e pipeline.Event) string {
	if e.Action == "note.edit" && e.Outcome == "done" {
		return e.Detail["version"]
	}
	return ""
}

// timeline tells what happened, oldest first. Reading is part of the record, but repeats of one person within ten
// minutes are told once.
func timeline(h pipeline.History) []moment {
	var out []moment
	seen := map[string]time.Time{}
	for _, e := range h.Events {
		if e.Action == "dictation.view" || e.Action == "dictation.listen" || e.Action == "note.history" {
			key := e.Action + e.ActorID.String() + e.Outcome
			if e.At.Sub(seen[key]) < 10*time.Minute {
				continue
			}
			seen[key] = e.At
		}
		if n := len(out); n > 0 && e.Action == "note.edit" && e.Outcome == "done" && out[n-1].saves != "" && out[n-1].Who == e.ActorName && e.Detail["version"] != "" {
			last := &out[n-1]
			last.At, last.What, last.Detail = e.At, "saved versions "+last.saves+" to "+e.Detail["version"], ""
			continue
		}
		out = append(out, moment{saves: saves(e), At: e.At, Who: e.ActorName, What: happened(e), Detail: eventDetail(e), Tone: tone(e)})
	}
	last := ""
	for _, m := range h.Moves {
		if m.Reason != "" && m.Reason != last { // a claim carries the reason along
			out = append(out, moment{At: m.At, Who: "Reason:", What: reasonWords(m.Reason)})
		}
		last = m.Reason
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].At.Before(out[j].At) })
	return out
}

func eventDetail(e pipeline.Event) string {
	var parts []string
	if v := e.Detail["version"]; v != "" {
		parts = append(parts, "version "+v)
	}
	if v := e.Detail["content_sha256"]; v != "" {
		parts = append(parts, "content "+v[:min(12, len(v))])
	}
	if v := e.Detail["stage"]; v != "" {
		parts = append(parts, stageWords(v))
	}
	if v := e.Detail["code"]; v != "" && v != e.Detail["result"] {
		parts = append(parts, reasonWords(v))
	}
	return strings.Join(parts, " · ")
}

// stageWords names a stage.
func stageWords(stage string) string {
	switch pipeline.JobKind(stage) {
	case pipeline.TranscribeJob:
		return "transcription"
	case pipeline.DraftJob:
		return "draft"
	case pipeline.DeliverJob:
		return "delivery"
	default:
		return stage
	}
}

func tone(e pipeline.Event) string {
	switch {
	case e.Outcome == "refused", e.Detail["result"] == "dead", e.Detail["result"] == "quarantined", e.Detail["result"] == "rejected":
		return "bad"
	case e.Action == "note.sign", e.Detail["result"] == "delivered":
		return "good"
	default:
		return ""
	}
}
