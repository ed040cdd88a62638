package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

// keepFinding is something that a check of the object store found.
type keepFinding struct {
	ID          uuid.UUID           `json:"id"`
	Kind        string              `json:"kind"`
	Meaning     string              `json:"meaning" doc:"In plain words, with what to do"`
	Mendable    bool                `json:"mendable" doc:"vesper fsck --repair can mend it"`
	Key         string              `json:"key" doc:"Name in the object store"`
	VersionID   string              `json:"version_id"`
	DictationID optional[uuid.UUID] `json:"dictation_id"`
	FirstSeen   time.Time           `json:"first_seen"`
	LastSeen    time.Time           `json:"last_seen"`
	SettledBy   string              `json:"settled_by"`
	SettledAt   optional[time.Time] `json:"settled_at"`
	SettledNote string              `json:"settled_note"`
}

// keepRun is a check of the object store.
type keepRun struct {
	Mode       string              `json:"mode" enum:"quick,deep,rolling"`
	StartedAt  time.Time           `json:"started_at"`
	FinishedAt optional[time.Time] `json:"finished_at" doc:"null: still under way, or broken off"`
	Recordings int64               `json:"recordings"`
	Bytes      int64               `json:"bytes" doc:"Read and compared"`
	Found      int64               `json:"found"`
}

// waitingPurge is a recording on its way out.
type waitingPurge struct {
	DictationID uuid.UUID `json:"dictation_id"`
	Rendition   string    `json:"rendition" enum:"original,playback"`
	WaitsFor    string    `json:"waits_for" doc:"object_locked, or nothing"`
	TryAfter    time.Time `json:"try_after"`
}

type keptOutput struct {
	Body struct {
		Findings []keepFinding  `json:"findings" doc:"Those that nobody has settled first"`
		Checks   []keepRun      `json:"checks" doc:"The newest of each mode"`
		Waiting  []waitingPurge `json:"waiting"`
	}
}

// tombstone is what is left of a purged recording.
type tombstone struct {
	DictationID uuid.UUID `json:"dictation_id"`
	AudioID     uuid.UUID `json:"audio_id"`
	Rendition   string    `json:"rendition" enum:"original,playback"`
	SHA256      string    `json:"sha256"`
	Bytes       int64     `json:"bytes"`
	Seconds     float64   `json:"seconds"`
	WorkType    string    `json:"work_type" doc:"Of the rule; empty: the rule for all"`
	RuleVersion int       `json:"rule_version"`
	PurgedAt    time.Time `json:"purged_at"`
	Sentence    string    `json:"sentence" doc:"In plain words"`
	Signed      string    `json:"signed" doc:"The statement, signed with the key of the audit log"`
}

type tombstonesInput struct {
	Before time.Time `query:"before" doc:"Only what was purged before; for the next page, the time of the last item"`
}

type tombstonesOutput struct {
	Body struct {
		Items []tombstone `json:"items" doc:"Newest first"`
	}
}

// rule is how long recordings of a kind of document are kept.
type rule struct {
	WorkType     string        `json:"work_type" doc:"Empty: all kinds without a rule of their own"`
	Version      int           `json:"version"`
	OriginalDays optional[int] `json:"original_days" doc:"After the delivery of the signed note; null: for ever"`
	PlaybackDays optional[int] `json:"playback_days" doc:"After the delivery of the signed note; null: for ever"`
	RejectedDays optional[int] `json:"rejected_days" doc:"After the rejection; null: for ever"`
	Reason       string        `json:"reason"`
	SetBy        string        `json:"set_by"`
	SetAt        time.Time     `json:"set_at"`
	StartsAt     time.Time     `json:"starts_at" doc:"Nothing goes under it before"`
}

type retentionOutput struct {
	Body struct {
		FloorDays int    `json:"floor_days" doc:"The fewest days that can be asked for"`
		Standing  []rule `json:"standing"`
		History   []rule `json:"history" doc:"Newest first"`
	}
}

type setRetentionInput struct {
	Body struct {
		WorkType     string `json:"work_type,omitempty" maxLength:"60" doc:"Empty: all kinds without a rule of their own"`
		OriginalDays *int   `json:"original_days,omitempty" minimum:"30" maximum:"36500" doc:"Absent: for ever"`
		PlaybackDays *int   `json:"playback_days,omitempty" minimum:"30" maximum:"36500" doc:"Absent: for ever"`
		RejectedDays *int   `json:"rejected_days,omitempty" minimum:"30" maximum:"36500" doc:"Absent: for ever"`
		Reason       string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

type ruleOutput struct{ Body rule }

// hold keeps recordings whatever the rules say.
type hold struct {
	ID         uuid.UUID           `json:"id"`
	Scope      string              `json:"scope" enum:"dictation,patient,author"`
	Subject    uuid.UUID           `json:"subject"`
	Reason     string              `json:"reason"`
	SetBy      string              `json:"set_by"`
	SetAt      time.Time           `json:"set_at"`
	LiftedBy   string              `json:"lifted_by"`
	LiftedAt   optional[time.Time] `json:"lifted_at" doc:"null: it stands"`
	LiftReason string              `json:"lift_reason"`
	Going      int                 `json:"going" doc:"Recordings whose deletion had begun when it was set; they cannot be called back"`
}

type holdsOutput struct {
	Body struct {
		Items []hold `json:"items" doc:"Those that stand first"`
	}
}

type setHoldInput struct {
	Body struct {
		Scope   string    `json:"scope" enum:"dictation,patient,author"`
		Subject uuid.UUID `json:"subject"`
		Reason  string    `json:"reason" minLength:"1" maxLength:"500"`
	}
}

type holdOutput struct{ Body hold }

type liftHoldInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

type settleFindingInput struct {
	ID   uuid.UUID `path:"id"`
	Body struct {
		Note string `json:"note" minLength:"1" maxLength:"500"`
	}
}

func (s *Server) mountKeeping() {
	const tag = "keeping"
	add(s, operation(http.MethodGet, "/v1/keeping", tag, "get-keeping", "What checks of the object store found, and what is on its way out"), s.getKept)
	settle := operation(http.MethodPost, "/v1/findings/{id}/settle", tag, "settle-finding", "Say how a finding was dealt with")
	settle.DefaultStatus = http.StatusNoContent
	add(s, settle, func(ctx context.Context, a access.Actor, in *settleFindingInput) (*nothing, error) {
		return nil, s.svc.SettleFinding(ctx, a, in.ID, in.Body.Note)
	})
	add(s, operation(http.MethodGet, "/v1/tombstones", tag, "list-tombstones", "What is left of purged recordings"), s.getTombstones)
	add(s, operation(http.MethodGet, "/v1/retention", tag, "get-retention", "How long recordings are kept, and what was decided before"), s.getRetention)
	set := operation(http.MethodPost, "/v1/retention", tag, "set-retention", "Decide how long recordings are kept; nothing goes under a new rule for seven days")
	set.DefaultStatus = http.StatusCreated
	add(s, set, s.setRetention)
	add(s, operation(http.MethodGet, "/v1/holds", tag, "list-holds", "Legal holds, those that stand first"), s.getHolds)
	keep := operation(http.MethodPost, "/v1/holds", tag, "set-hold", "Keep a dictation, everything of a patient or everything of an author")
	keep.DefaultStatus = http.StatusCreated
	add(s, keep, s.setHold)
	add(s, operation(http.MethodPost, "/v1/holds/{id}/lift", tag, "lift-hold", "End a legal hold"), s.liftHold)
}

func (s *Server) getKept(ctx context.Context, a access.Actor, _ *struct{}) (*keptOutput, error) {
	k, err := s.svc.Kept(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &keptOutput{}
	out.Body.Findings = each(k.Findings, viewFinding)
	out.Body.Checks = each(k.Runs, viewRun)
	out.Body.Waiting = each(k.Waiting, func(p pipeline.WaitingPurge) waitingPurge {
		return waitingPurge{DictationID: p.DictationID, Rendition: p.Rendition, WaitsFor: p.Code, TryAfter: p.TryAfter}
	})
	return out, nil
}

func (s *Server) getTombstones(ctx context.Context, a access.Actor, in *tombstonesInput) (*tombstonesOutput, error) {
	stones, err := s.svc.Tombstones(ctx, a, in.Before)
	if err != nil {
		return nil, err
	}
	out := &tombstonesOutput{}
	out.Body.Items = each(stones, viewTombstone)
	return out, nil
}

func (s *Server) getRetention(ctx context.Context, a access.Actor, _ *struct{}) (*retentionOutput, error) {
	r, err := s.svc.Retention(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &retentionOutput{}
	out.Body.FloorDays, out.Body.Standing, out.Body.History = keeping.FloorDays, each(r.Standing, viewRule), each(r.History, viewRule)
	return out, nil
}

func (s *Server) setRetention(ctx context.Context, a access.Actor, in *setRetentionInput) (*ruleOutput, error) {
	b := in.Body
	r, err := s.svc.SetRetention(ctx, a, keeping.Rule{
		WorkType: b.WorkType, OriginalDays: b.OriginalDays, PlaybackDays: b.PlaybackDays, RejectedDays: b.RejectedDays, Reason: b.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &ruleOutput{viewRule(r)}, nil
}

func (s *Server) getHolds(ctx context.Context, a access.Actor, _ *struct{}) (*holdsOutput, error) {
	holds, err := s.svc.Holds(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &holdsOutput{}
	out.Body.Items = each(holds, viewHold)
	return out, nil
}

func (s *Server) setHold(ctx context.Context, a access.Actor, in *setHoldInput) (*holdOutput, error) {
	h, going, err := s.svc.SetHold(ctx, a, keeping.Scope(in.Body.Scope), in.Body.Subject, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &holdOutput{viewHold(h)}
	out.Body.Going = going
	return out, nil
}

func (s *Server) liftHold(ctx context.Context, a access.Actor, in *liftHoldInput) (*holdOutput, error) {
	h, err := s.svc.LiftHold(ctx, a, in.ID, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &holdOutput{viewHold(h)}, nil
}
