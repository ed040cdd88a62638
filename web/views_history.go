package web

import (
	"time"

	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/notes"
	"vesper/pipeline"
)

type event struct {
	ID        uuid.UUID         `json:"id"`
	At        time.Time         `json:"at"`
	Actor     personRef         `json:"actor"`
	Role      string            `json:"role"`
	Action    string            `json:"action"`
	Subject   string            `json:"subject"`
	SubjectID uuid.UUID         `json:"subject_id"`
	Outcome   string            `json:"outcome" enum:"done,refused"`
	RequestID string            `json:"request_id"`
	Detail    map[string]string `json:"detail"`
}

func viewEvent(e pipeline.Event) event {
	out := event{
		ID: e.ID, At: stamp(e.At), Actor: personRef{e.ActorID, e.ActorName}, Role: e.ActorRole, Action: e.Action,
		Subject: e.Subject, SubjectID: e.SubjectID, Outcome: e.Outcome, RequestID: e.RequestID, Detail: e.Detail,
	}
	if out.Detail == nil {
		out.Detail = map[string]string{}
	}
	return out
}

type job struct {
	ID          uuid.UUID         `json:"id"`
	Kind        pipeline.JobKind  `json:"kind" enum:"transcribe,draft,deliver"`
	State       pipeline.JobState `json:"state" enum:"queued,running,done,dead"`
	Attempt     int               `json:"attempt"`
	MaxAttempts int               `json:"max_attempts"`
	ErrorCode   string            `json:"error_code"`
	CreatedAt   time.Time         `json:"created_at"`
}

func viewJob(j pipeline.Job) job {
	return job{
		ID: j.ID, Kind: j.Kind, State: j.State, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, ErrorCode: j.ErrorCode,
		CreatedAt: stamp(j.CreatedAt),
	}
}

type history struct {
	Detail
	Versions []version `json:"versions" doc:"All versions, oldest first"`
	Events   []event   `json:"events" doc:"All events of the record, oldest first"`
	Jobs     []job     `json:"jobs"`
	Moves    []move    `json:"moves" doc:"All changes of state, oldest first"`
	Layers   []layer   `json:"layers" doc:"Who put what right: from the engine's draft to the editor's last version, from that to the author's"`
}

// layer is the difference between two layers of a note.
type layer struct {
	From     int            `json:"from" doc:"Number of the earlier version"`
	To       int            `json:"to"`
	By       string         `json:"by" doc:"Who saved the later one"`
	Critical int            `json:"critical" doc:"Errors that touch a dose, number, unit, drug, side, negation or allergy"`
	Other    int            `json:"other"`
	Cosmetic int            `json:"cosmetic"`
	Changes  []notes.Change `json:"changes"`
}

func viewLayer(l pipeline.LayerChange) layer {
	return layer{l.From, l.To, l.ByName, l.Errors.Critical, l.Errors.Other, l.Errors.Cosmetic, orEmpty(l.Changes)}
}

// move is one change of state.
type move struct {
	At     time.Time      `json:"at"`
	From   pipeline.State `json:"from"`
	To     pipeline.State `json:"to" doc:"The same as from where only the reason changed"`
	Reason string         `json:"reason" doc:"Empty where none was given"`
}

func viewMove(m pipeline.StateChange) move { return move{stamp(m.At), m.From, m.To, m.Reason} }

func viewHistory(h pipeline.History) history {
	return history{
		Detail: viewDetail(h.Detail), Versions: each(h.Versions, viewVersion), Events: each(h.Events, viewEvent),
		Jobs: each(h.Jobs, viewJob), Moves: each(h.Moves, viewMove), Layers: each(h.Layers, viewLayer),
	}
}

type preview struct {
	Detail
	Changes     []notes.Change `json:"changes" doc:"What people changed in the engine's draft"`
	Preview     string         `json:"preview" doc:"The text as it will stand in the EHR"`
	ContentHash string         `json:"content_hash" doc:"Send it back with the signature: it says what was seen"`
}

func viewPreview(p pipeline.SignaturePreview) preview {
	return preview{Detail: viewDetail(p.Detail), Changes: orEmpty(p.Changes), Preview: p.Preview, ContentHash: p.ContentHash}
}

type finding struct {
	Seq  int64  `json:"seq" doc:"Place in the log, or -1"`
	What string `json:"what"`
}

type auditReport struct {
	OK          bool      `json:"ok"`
	Events      int64     `json:"events"`
	Checkpoints int       `json:"checkpoints"`
	Root        string    `json:"root"`
	Findings    []finding `json:"findings"`
}

func viewReport(r audit.Report) auditReport {
	return auditReport{
		OK: r.OK(), Events: r.Events, Checkpoints: r.Checkpoints, Root: r.Root.String(),
		Findings: each(r.Findings, func(f audit.Finding) finding { return finding{f.Seq, f.What} }),
	}
}
