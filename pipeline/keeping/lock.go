package keeping

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// The modes of object lock. Governance can be lifted by an account with that right; compliance by nobody.
const (
	Governance = "governance"
	Compliance = "compliance"
)

// Lock is what the store is asked to do with originals, where it has object lock. The zero value asks nothing.
type Lock struct {
	Mode string        // "", Governance or Compliance
	For  time.Duration // at receipt, and again while the note is not final
}

// Until is when the lock of a recording should end: with its days once it is final, and well ahead while it is not. A zero
// time asks nothing: what is kept for ever needs no end, and what was purged or is a rendition no lock.
func (l Lock) Until(r Recording, rule *Rule, now time.Time) time.Time {
	if l.Mode == "" || r.Rendition != original {
		return time.Time{}
	}
	var days *int
	switch {
	case r.FinalAt.IsZero():
		if r.LockUntil.Before(now.Add(l.For / 2)) { // renewed when half of it is over, not each day
			return now.Add(l.For).Truncate(time.Second)
		}
		return r.LockUntil
	case rule == nil:
	case r.State == "rejected":
		days = rule.RejectedDays
	default:
		days = rule.OriginalDays
	}
	if days == nil {
		return r.LockUntil
	}
	return later(r.LockUntil, r.FinalAt.AddDate(0, 0, *days).Truncate(time.Second))
}

// lock asks the store for what the rules want, if it was not asked before.
func (p *Purger) lock(ctx context.Context, r Recording, rule *Rule, l Lock, now time.Time) error {
	until := l.Until(r, rule, now)
	if until.IsZero() || !until.After(now) || !until.After(r.LockUntil) {
		return nil
	}
	if err := p.Objects.LockUntil(ctx, r, l.Mode, until); err != nil {
		p.Log.WarnContext(ctx, "lock recording in the object store", "audio", r.ID, "err", err)
		return nil // a missing object is the check's to find; the lock of others must not wait for it
	}
	return p.Store.SaveLock(ctx, r, until, r.LockHeld)
}

// Holds sets and lifts the store's own legal hold, where it has one, as the practices' holds say.
func (p *Purger) Holds(ctx context.Context) error {
	if !p.Objects.CanLock() {
		return nil
	}
	practices, err := p.Store.Practices(ctx)
	if err != nil {
		return err
	}
	for _, id := range practices {
		if err := p.holds(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (p *Purger) holds(ctx context.Context, practice uuid.UUID) error {
	for {
		work, err := p.Store.LockWork(ctx, practice, purgePage)
		if err != nil {
			return err
		}
		changed := 0
		for _, r := range work {
			if err := p.Objects.Hold(ctx, r, r.Held); err != nil {
				p.Log.WarnContext(ctx, "legal hold in the object store", "audio", r.ID, "err", err)
				continue
			}
			if err := p.Store.SaveLock(ctx, r, r.LockUntil, r.Held); err != nil {
				return err
			}
			changed++
		}
		if len(work) < purgePage || changed == 0 {
			return nil
		}
	}
}
