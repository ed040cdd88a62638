package keeping

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/internal/fault"
)

// purgePage bounds what one round lets go of a practice; the next round goes on.
const purgePage = 500

// lockedPause is when a purge that the store refused is tried again, where it does not say until when.
const lockedPause = day

// Purger lets recordings go. Each step is one row's change, so that a crash anywhere leaves something to go on from and
// never a recording without a record of what became of it.
type Purger struct {
	Store   Store
	Objects Objects
	SignKey string // secret key of the audit log
	Log     *slog.Logger
	Now     func() time.Time
}

func (p *Purger) clock() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// Plan writes intents for everything that the rules let go now, and asks the store to lock what they keep.
func (p *Purger) Plan(ctx context.Context, lock Lock) (intended int, err error) {
	practices, err := p.Store.Practices(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range practices {
		n, err := p.plan(ctx, id, lock)
		intended += n
		if err != nil {
			return intended, fmt.Errorf("plan purges of practice %s: %w", id, err)
		}
	}
	return intended, nil
}

func (p *Purger) plan(ctx context.Context, practice uuid.UUID, lock Lock) (intended int, err error) {
	rules, err := p.Store.Rules(ctx, practice)
	if err != nil {
		return 0, err
	}
	locks := lock.Mode != "" && p.Objects.CanLock()
	if !locks && !anyPurges(rules) {
		return 0, nil
	}
	now, before := p.clock(), p.clock()
	if !locks {
		before = now.AddDate(0, 0, -FloorDays) // nothing younger can go
	}
	for after := uuid.Nil; ; {
		page, err := p.Store.Settled(ctx, practice, before, after, purgePage)
		if err != nil {
			return intended, err
		}
		for _, r := range page {
			rule := For(rules, r.WorkType)
			if locks {
				if err := p.lock(ctx, r, rule, lock, now); err != nil {
					return intended, err
				}
			}
			if !Judge(r, rule, now).Go || r.Purge == "intended" || r.Purge == "started" {
				continue
			}
			switch err := p.Store.IntendPurge(ctx, r, rule.ID); {
			case err == nil:
				intended++
			case fault.KindOf(err) != fault.Conflict:
				return intended, err
			} // else it was held, or moved on, since it was read
		}
		if len(page) < purgePage {
			return intended, nil
		}
		after = page[len(page)-1].ID
	}
}

func anyPurges(rules []Rule) bool {
	for _, r := range rules {
		if r.Purges() {
			return true
		}
	}
	return false
}

// Carry takes purges whose time has come to their end. One that fails does not hold up the others.
func (p *Purger) Carry(ctx context.Context) (done int, err error) {
	practices, err := p.Store.Practices(ctx)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, id := range practices {
		due, err := p.Store.DuePurges(ctx, id, purgePage)
		if err != nil {
			return done, err
		}
		for _, x := range due {
			gone, err := p.carry(ctx, x)
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("purge recording %s: %w", x.ID, err))
			}
			if gone {
				done++
			}
		}
	}
	return done, errors.Join(failed...)
}

// carry is the way of one recording: started, deleted, tombstone.
func (p *Purger) carry(ctx context.Context, x Purge) (gone bool, err error) {
	err = p.Store.StartPurge(ctx, x)
	if fault.KindOf(err) == fault.Conflict {
		return p.stopped(ctx, x)
	}
	if err != nil {
		return false, err
	}
	switch err := p.Objects.Purge(ctx, x.Recording); {
	case err == nil:
		return true, p.bury(ctx, x)
	case fault.As(err).Code == CodeLocked:
		until := x.LockUntil
		if !until.After(p.clock()) {
			until = p.clock().Add(lockedPause)
		}
		p.Log.WarnContext(ctx, "the object store keeps a recording that is due to go", "audio", x.ID, "again", until)
		return false, p.Store.PutOffPurge(ctx, x, "object_locked", until)
	default:
		return false, err // it stays started, and the next round goes on
	}
}

// CodeLocked is the code of the fault of an object that the store does not let go.
const CodeLocked = "object_locked"

// stopped deals with a purge that the database does not allow any more. If nothing was deleted yet the recording stays;
// if a crash came between deleting and writing it down, what is gone gets its tombstone.
func (p *Purger) stopped(ctx context.Context, x Purge) (gone bool, err error) {
	if x.State == "started" {
		err := p.Objects.Look(ctx, x.Recording)
		if fault.KindOf(err) == fault.NotFound {
			return true, p.bury(ctx, x)
		}
		if err != nil && fault.KindOf(err) == fault.Unavailable {
			return false, err
		}
	}
	return false, p.Store.DropPurge(ctx, x, "kept")
}

// bury signs the tombstone and writes it.
func (p *Purger) bury(ctx context.Context, x Purge) error {
	days := x.Rule.OriginalDays
	switch {
	case x.Recording.State == "rejected":
		days = x.Rule.RejectedDays
	case x.Rendition != original:
		days = x.Rule.PlaybackDays
	}
	t := audit.Tombstone{
		AudioID: x.ID, PracticeID: x.PracticeID, DictationID: x.DictationID, Rendition: x.Rendition, SHA256: x.SHA256, Size: x.Size,
		Seconds: x.Seconds, RuleID: x.Rule.ID, WorkType: x.Rule.WorkType, RuleVersion: x.Rule.Version, FinalAt: x.FinalAt,
		State: x.Recording.State, PurgedAt: p.clock().UTC().Truncate(time.Microsecond),
	}
	if days != nil {
		t.Days = *days
	}
	signed, err := t.Sign(p.SignKey)
	if err != nil {
		return err
	}
	return p.Store.FinishPurge(ctx, x, t, signed)
}
