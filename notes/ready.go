package notes

import (
	"fmt"
	"strings"
	"time"

	"vesper/internal/fault"
)

// Obstacle is something to look at before signing. A blocking obstacle must be settled first.
type Obstacle struct {
	Code     string  `json:"code"` // "empty", "blank", or the kind of a flag
	What     string  `json:"what"` // in plain words
	Blocking bool    `json:"blocking"`
	Section  string  `json:"section,omitempty"`
	FlagID   string  `json:"flag_id,omitempty"`
	Start    float64 `json:"start,omitempty"`
	End      float64 `json:"end,omitempty"`
}

// ReadyToSign lists what stands between a document and its signature: first what blocks, then what is only worth a look.
func ReadyToSign(d Document) []Obstacle {
	var blocking, warnings []Obstacle
	if strings.TrimSpace(Text(d)) == "" {
		blocking = append(blocking, Obstacle{Code: "empty", What: "The note has no text.", Blocking: true})
	}
	for _, b := range d.Blanks {
		blocking = append(blocking, Obstacle{
			Code: "blank", Blocking: true, Section: b.Section, Start: b.Start, End: b.End,
			What: fmt.Sprintf("Nobody has filled the blank at %s yet. Listen and write what is said, or remove it.", clockTime(b.Start)),
		})
	}
	for _, f := range d.Flags {
		if f.Settled != nil {
			continue
		}
		o := Obstacle{
			Code: f.Kind, What: f.Detail, Blocking: f.Severity == Critical,
			Section: f.Section, FlagID: f.ID, Start: f.Start, End: f.End,
		}
		if o.Blocking {
			blocking = append(blocking, o)
		} else {
			warnings = append(warnings, o)
		}
	}
	return append(blocking, warnings...)
}

// Settle records that a person settled a flag, and how ("heard", "dismissed", …). A flag can be settled once.
func Settle(d Document, flagID, how, by string, at time.Time) (Document, error) {
	how = strings.TrimSpace(how)
	if how == "" || len(how) > 200 || by == "" {
		return Document{}, fault.New(fault.Invalid, "settlement_invalid", "Say how the flag was settled, in a word or two.")
	}
	out := d.clone()
	for i := range out.Flags {
		if out.Flags[i].ID != flagID {
			continue
		}
		if out.Flags[i].Settled != nil {
			return Document{}, fault.New(fault.Conflict, "flag_settled", "Somebody has settled this flag already. Read the note again.")
		}
		out.Flags[i].Settled = &Settlement{By: by, At: at.UTC(), How: how}
		return out, nil
	}
	return Document{}, fault.New(fault.NotFound, "flag_unknown", "This version of the note has no such flag. Read the note again.")
}

// clockTime writes seconds as m:ss or h:mm:ss.
func clockTime(seconds float64) string {
	s := int(seconds)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
