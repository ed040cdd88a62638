package web

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vesper/pipeline"
)

var problemReflect = reflect.TypeFor[Problem]()

func itoa(n int) string { return strconv.Itoa(n) }

// optional is a value that may be null in answers; the description says so.
type optional[T any] struct{ v *T }

func some[T any](v T) optional[T] { return optional[T]{&v} }

// MarshalJSON writes the value or null.
func (o optional[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.v) }

// Schema describes the value or null.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{r.Schema(reflect.TypeFor[T](), true, ""), {Type: "null"}}}
}

// personRef names a person.
type personRef struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// patientRef names a patient in lists.
type patientRef struct {
	Name string `json:"name"`
	MRN  string `json:"mrn"`
}

type assignee struct {
	ID    uuid.UUID `json:"id"`
	Name  string    `json:"name"`
	Until time.Time `json:"until" doc:"From then on any editor may take it"`
}

type progress struct {
	Done  int `json:"done" doc:"Chunks transcribed so far"`
	Total int `json:"total" doc:"Chunks in all; 0 while unknown"`
}

// CardBase is what lists and the full view share. It is exported because the library describes no embedded fields else.
type CardBase struct {
	ID         uuid.UUID           `json:"id"`
	State      pipeline.State      `json:"state" enum:"received,queued,transcribed,drafted,in_review,awaiting_signature,signed,delivered,rejected,failed"`
	Reason     string              `json:"reason" doc:"Why it is failed, rejected or returned"`
	Priority   pipeline.Priority   `json:"priority" enum:"stat,routine"`
	WorkType   string              `json:"work_type"`
	Author     personRef           `json:"author"`
	ReceivedAt time.Time           `json:"received_at"`
	DueAt      time.Time           `json:"due_at"`
	UpdatedAt  time.Time           `json:"updated_at"`
	Seconds    float64             `json:"seconds" doc:"Length of the recording; 0 until decoded"`
	Progress   progress            `json:"progress"`
	ClaimedBy  optional[personRef] `json:"claimed_by"`
	AssignedTo optional[assignee]  `json:"assigned_to" doc:"The editor it is offered to first; null where anybody may take it"`
	// Quarantined is its last work, set aside because it broke down each time.
	Quarantined bool            `json:"quarantined" doc:"Its last work broke down each time and was set aside until a person orders it again"`
	Clock       turnaroundClock `json:"clock"`
}

type card struct {
	CardBase
	Patient   optional[patientRef] `json:"patient" doc:"Null where none is bound or the reader may not see it"`
	Obstacles int                  `json:"obstacles" doc:"Open blanks and flags of the newest version"`
}

func viewCardBase(c pipeline.Card) CardBase {
	out := CardBase{
		ID: c.ID, State: c.State, Reason: c.Reason, Priority: c.Priority, WorkType: c.WorkType,
		Author:     personRef{c.AuthorID, c.AuthorName},
		ReceivedAt: stamp(c.ReceivedAt), DueAt: stamp(c.DueAt), UpdatedAt: stamp(c.UpdatedAt),
		Seconds: c.Seconds, Progress: progress{c.Done, c.Total}, Quarantined: c.Quarantined, Clock: viewClock(c.Clock),
	}
	if c.ClaimedBy != nil {
		out.ClaimedBy = some(personRef{*c.ClaimedBy, c.ClaimedName})
	}
	if c.AssignedTo != nil && c.KeptUntil != nil {
		out.AssignedTo = some(assignee{*c.AssignedTo, c.Assignee, stamp(*c.KeptUntil)})
	}
	return out
}

func viewCard(c pipeline.Card) card {
	out := card{CardBase: viewCardBase(c), Obstacles: c.Obstacles}
	if c.PatientName != "" || c.MRN != "" {
		out.Patient = some(patientRef{c.PatientName, c.MRN})
	}
	return out
}

// each maps a list; the result is never null in JSON.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
