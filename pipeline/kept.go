package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/internal/fault"
	"vesper/pipeline/keeping"
)

// KeepingTx is how recordings are kept: findings, rules, holds, tombstones.
type KeepingTx interface {
	// OpenFindings lists findings that are not mended, those that nobody has settled first, then the oldest first.
	OpenFindings(ctx context.Context, limit int) ([]keeping.Finding, error)
	// Shared says whether other practices use this installation too.
	Shared(ctx context.Context) (bool, error)
	// OpenFinding returns a finding that is neither mended nor settled, or NotFound.
	OpenFinding(ctx context.Context, id uuid.UUID) (keeping.Finding, error)
	// SettleFinding marks one as settled; NotFound when it is not there, is mended or settled already.
	SettleFinding(ctx context.Context, id, by uuid.UUID, note string) (keeping.Finding, error)
	// LastRuns returns the newest check of each mode.
	LastRuns(ctx context.Context) ([]keeping.Run, error)

	// InsertRule adds the next version of a rule; Conflict when somebody was faster. ID and Version are set by the store.
	InsertRule(ctx context.Context, r keeping.Rule) (keeping.Rule, error)
	// StandingRules lists the rules that stand, RuleHistory all that ever did, newest first.
	StandingRules(ctx context.Context) ([]keeping.Rule, error)
	RuleHistory(ctx context.Context, limit int) ([]keeping.Rule, error)

	// InsertHold sets a hold; Conflict ("held_already") when one stands on the same subject.
	InsertHold(ctx context.Context, h keeping.Hold) (keeping.Hold, error)
	// LiftHold ends a hold; NotFound when it is not there or lifted already.
	LiftHold(ctx context.Context, id, by uuid.UUID, reason string) (keeping.Hold, error)
	// Holds lists holds, those that stand first, then the newest first.
	Holds(ctx context.Context, limit int) ([]keeping.Hold, error)
	// GoingOf counts recordings under a hold whose deletion had begun when it was set.
	GoingOf(ctx context.Context, hold uuid.UUID) (int, error)

	// TombstonesOf returns what is left of a dictation's purged recordings; Tombstones the newest of the practice.
	TombstonesOf(ctx context.Context, dictation uuid.UUID) ([]Tombstone, error)
	Tombstones(ctx context.Context, before time.Time, limit int) ([]Tombstone, error)
	// WaitingPurges lists recordings that are on their way out, with what they wait for.
	WaitingPurges(ctx context.Context, limit int) ([]WaitingPurge, error)

	// ReplacePlayback gives a rendition for playback another object. Never an original.
	ReplacePlayback(ctx context.Context, audio uuid.UUID, o Stored) error
}

// Tombstone is what is left of a purged recording.
type Tombstone struct {
	audit.Tombstone
	Signed []byte // the statement, signed with the key of the audit log
}

// Sentence says in plain words what became of the recording.
func (t Tombstone) Sentence() string {
	rule := "the practice’s rule for all documents"
	if t.WorkType != "" {
		rule = "the practice’s rule for " + t.WorkType
	}
	return fmt.Sprintf("The recording was purged on %s under %s, version %d (SHA-256 %s). The transcript and the note stay.",
		t.PurgedAt.Local().Format("2 January 2006"), rule, t.RuleVersion, t.SHA256)
}

// purged is the fault of whoever asks for a recording that is gone.
func purged(t Tombstone) error {
	return fault.New(fault.NotFound, "recording_purged", t.Sentence())
}

// WaitingPurge is a recording on its way out.
type WaitingPurge struct {
	AudioID     uuid.UUID
	DictationID uuid.UUID
	Rendition   string
	State       string // "intended" or "started"
	Code        string // what it waits for, "" for its turn
	TryAfter    time.Time
}

// Kept is the state of the practice's recordings in the object store.
type Kept struct {
	Findings []keeping.Finding
	Runs     []keeping.Run
	Waiting  []WaitingPurge
	Shared   bool // other practices use this installation too: what concerns all of it is settled by whoever runs it
}

// The bounds of what is shown at once.
const (
	mostFindings   = 200
	mostWaiting    = 200
	mostTombstones = 100
	mostHolds      = 500
	mostRules      = 100
)

// mayPractice decides an action on the practice as a whole.
func mayPractice(actor access.Actor, action access.Action) error {
	return access.Decide(actor, action, access.Resource{PracticeID: actor.PracticeID})
}

// practiceLook runs a look at something of the practice as a whole, and records it.
func (s *Service) practiceLook(ctx context.Context, actor access.Actor, action access.Action, what string, fn func(context.Context, Tx) error) error {
	return s.inTx(ctx, actor, action, uuid.Nil, func(ctx context.Context, tx Tx) error {
		if err := mayPractice(actor, action); err != nil {
			return err
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		return tx.Audit(ctx, event(actor, action, "practice", actor.PracticeID, "done", map[string]string{"look": what}))
	})
}

// Kept lists what checks of the object store found and what is on its way out.
func (s *Service) Kept(ctx context.Context, actor access.Actor) (out Kept, err error) {
	err = s.practiceLook(ctx, actor, access.ReadKeeping, "findings", func(ctx context.Context, tx Tx) (err error) {
		if out.Findings, err = tx.OpenFindings(ctx, mostFindings); err != nil {
			return err
		}
		if out.Shared, err = tx.Shared(ctx); err != nil {
			return err
		}
		if out.Runs, err = tx.LastRuns(ctx); err != nil {
			return err
		}
		out.Waiting, err = tx.WaitingPurges(ctx, mostWaiting)
		return err
	})
	return out, err
}

// SettleFinding marks a finding as dealt with by a person, who says how. It stays in the list of what a check sees until it
// is mended. What concerns the whole installation is not one practice's to settle where several share it.
func (s *Service) SettleFinding(ctx context.Context, actor access.Actor, id uuid.UUID, note string) error {
	return s.inTx(ctx, actor, access.SettleFinding, id, func(ctx context.Context, tx Tx) error {
		if err := mayPractice(actor, access.SettleFinding); err != nil {
			return err
		}
		f, err := tx.OpenFinding(ctx, id)
		if err != nil {
			return err
		}
		shared, err := tx.Shared(ctx)
		if err != nil {
			return err
		}
		if shared && f.PracticeID == uuid.Nil {
			return fault.New(fault.Forbidden, "finding_of_all",
				"This finding concerns the whole installation, which other practices use too. Whoever runs it settles it with vesper fsck --settle.")
		}
		return settleFinding(ctx, tx, actor, id, note, map[string]string{})
	})
}

// SettleAsOperator settles a finding for whoever runs the installation, in the name of an administrator: one of that
// practice, or one that concerns the whole installation, whoever else uses it.
func SettleAsOperator(ctx context.Context, store Store, login string, id uuid.UUID, note string) error {
	p, _, err := store.FindLogin(ctx, login)
	if isNotFound(err) || err == nil && (p.Role != string(access.Admin) || p.Disabled) {
		return fault.New(fault.Invalid, "admin_unknown", "No administrator has this login. Name one with --by.")
	}
	if err != nil {
		return err
	}
	return store.InTx(ctx, p.PracticeID, func(ctx context.Context, tx Tx) error {
		return settleFinding(ctx, tx, p.Actor(), id, note, map[string]string{"through": "operator"})
	})
}

func settleFinding(ctx context.Context, tx Tx, actor access.Actor, id uuid.UUID, note string, detail map[string]string) error {
	note, err := needReason(note)
	if err != nil {
		return err
	}
	f, err := tx.SettleFinding(ctx, id, actor.ID, note)
	if err != nil {
		return err
	}
	detail["kind"] = string(f.Kind)
	return tx.Audit(ctx, event(actor, access.SettleFinding, "finding", id, "done", detail))
}

// Tombstones lists what was purged, newest first.
func (s *Service) Tombstones(ctx context.Context, actor access.Actor, before time.Time) (out []Tombstone, err error) {
	err = s.practiceLook(ctx, actor, access.ReadKeeping, "tombstones", func(ctx context.Context, tx Tx) (err error) {
		out, err = tx.Tombstones(ctx, before, mostTombstones)
		return err
	})
	return out, err
}
