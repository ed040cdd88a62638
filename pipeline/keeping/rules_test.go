package keeping_test

import (
	"testing"
	"time"

	"vesper/internal/fault"
	"vesper/pipeline/keeping"
)

var now = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return now.AddDate(0, 0, -days) }

func n(days int) *int { return &days }

// TestRetentionIsAFunctionOfState is the whole policy as a table.
func TestRetentionIsAFunctionOfState(t *testing.T) {
	t.Parallel()
	all := &keeping.Rule{OriginalDays: n(90), PlaybackDays: n(30), RejectedDays: n(365), SetAt: ago(400)}
	for name, c := range map[string]struct {
		state, rendition string
		final            time.Time
		unsigned, held   bool
		rule             *keeping.Rule
		why              string // "" for may go
		due              time.Time
	}{
		"received":     {state: "received", rule: all, why: "not_final"},
		"queued":       {state: "queued", rule: all, why: "not_final"},
		"transcribed":  {state: "transcribed", rule: all, why: "not_final"},
		"drafted":      {state: "drafted", rule: all, why: "not_final"},
		"in review":    {state: "in_review", rule: all, why: "not_final"},
		"awaiting":     {state: "awaiting_signature", rule: all, why: "not_final"},
		"signed":       {state: "signed", rule: all, why: "not_final"}, // not in the EHR yet
		"failed":       {state: "failed", rule: all, why: "not_final"}, // waits for a person, however long
		"no such":      {state: "", rule: all, why: "not_final"},
		"not signed":   {state: "delivered", unsigned: true, final: ago(999), rule: all, why: "not_signed"},
		"no rule":      {state: "delivered", final: ago(9999), why: "kept_for_ever"},
		"never":        {state: "delivered", final: ago(9999), rule: &keeping.Rule{PlaybackDays: n(30), SetAt: ago(99)}, why: "kept_for_ever"},
		"no time":      {state: "delivered", rule: all, why: "kept_for_ever"},
		"not yet":      {state: "delivered", final: ago(89), rule: all, why: "not_due", due: ago(-1)},
		"due":          {state: "delivered", final: ago(90), rule: all, due: now},
		"long due":     {state: "delivered", final: ago(9000), rule: all, due: ago(9000 - 90)},
		"held":         {state: "delivered", final: ago(9000), held: true, rule: all, why: "held"},
		"playback due": {state: "delivered", rendition: "playback", final: ago(30), rule: all, due: now},
		"playback not": {state: "delivered", rendition: "playback", final: ago(29), rule: all, why: "not_due", due: ago(-1)},
		"rejected":     {state: "rejected", unsigned: true, final: ago(365), rule: all, due: now},
		"rejected not": {state: "rejected", unsigned: true, final: ago(364), rule: all, why: "not_due", due: ago(-1)},
		"rejected playback": {
			state: "rejected", rendition: "playback", unsigned: true, final: ago(364), rule: all, why: "not_due", due: ago(-1),
		},
		"rejected unruled": {
			state: "rejected", unsigned: true, final: ago(9999), rule: &keeping.Rule{OriginalDays: n(30), SetAt: ago(99)}, why: "kept_for_ever",
		},
		"rejected held": {state: "rejected", unsigned: true, final: ago(9999), held: true, rule: all, why: "held"},
		"young rule": {
			state: "delivered", final: ago(999), rule: &keeping.Rule{OriginalDays: n(30), SetAt: ago(6)}, why: "rule_young", due: ago(-1),
		},
		"young rule, later due": {
			state: "delivered", final: ago(1), rule: &keeping.Rule{OriginalDays: n(30), SetAt: ago(6)}, why: "rule_young", due: ago(-29),
		},
		"rested rule":     {state: "delivered", final: ago(30), rule: &keeping.Rule{OriginalDays: n(30), SetAt: ago(7)}, due: now},
		"below the floor": {state: "delivered", final: ago(999), rule: &keeping.Rule{OriginalDays: n(29), SetAt: ago(99)}, why: "kept_for_ever"},
	} {
		if c.rendition == "" {
			c.rendition = "original"
		}
		r := keeping.Recording{State: c.state, Rendition: c.rendition, Signed: !c.unsigned, Held: c.held, FinalAt: c.final}
		v := keeping.Judge(r, c.rule, now)
		if v.Go != (c.why == "") || v.Why != c.why || !v.Due.Equal(c.due) {
			t.Errorf("%s: %+v; want %q, due %v", name, v, c.why, c.due)
		}
	}
}

func TestAKindOfDocumentFollowsItsOwnRuleOrTheOneForAll(t *testing.T) {
	t.Parallel()
	rules := []keeping.Rule{{WorkType: "", Version: 4}, {WorkType: "consult", Version: 2}}
	if r := keeping.For(rules, "consult"); r == nil || r.Version != 2 {
		t.Errorf("consult: %+v", r)
	}
	if r := keeping.For(rules, "progress"); r == nil || r.Version != 4 {
		t.Errorf("progress: %+v", r)
	}
	if r := keeping.For(rules[1:], "progress"); r != nil {
		t.Errorf("no rule for all: %+v", r)
	}
}

func TestARuleOfAFewDaysIsRefused(t *testing.T) {
	t.Parallel()
	for _, days := range []int{-1, 0, 1, 29, 36501} {
		for _, r := range []keeping.Rule{{OriginalDays: n(days)}, {PlaybackDays: n(days)}, {RejectedDays: n(days)}} {
			if f := fault.As(r.Check()); f == nil || f.Code != "retention_days" {
				t.Errorf("%d days: %v", days, f)
			}
		}
	}
	if err := (keeping.Rule{OriginalDays: n(30), RejectedDays: n(36500)}).Check(); err != nil {
		t.Error(err)
	}
}

func TestALockEndsWithTheRulesDaysAndNeverMovesBack(t *testing.T) {
	t.Parallel()
	lock := keeping.Lock{Mode: keeping.Governance, For: 60 * 24 * time.Hour}
	ruled := &keeping.Rule{OriginalDays: n(90), RejectedDays: n(365)}
	for name, c := range map[string]struct {
		r    keeping.Recording
		rule *keeping.Rule
		want time.Time
	}{
		"not final":            {keeping.Recording{}, ruled, ago(-60)},
		"not final, locked":    {keeping.Recording{LockUntil: ago(-31)}, ruled, ago(-31)},
		"not final, half over": {keeping.Recording{LockUntil: ago(-29)}, ruled, ago(-60)},
		"delivered":            {keeping.Recording{State: "delivered", FinalAt: ago(10)}, ruled, ago(-80)},
		"rule became shorter":  {keeping.Recording{State: "delivered", FinalAt: ago(10), LockUntil: ago(-200)}, ruled, ago(-200)},
		"rule became longer":   {keeping.Recording{State: "delivered", FinalAt: ago(10), LockUntil: ago(-50)}, ruled, ago(-80)},
		"rejected":             {keeping.Recording{State: "rejected", FinalAt: ago(10)}, ruled, ago(-355)},
		"kept for ever":        {keeping.Recording{State: "delivered", FinalAt: ago(10), LockUntil: ago(-50)}, nil, ago(-50)},
	} {
		c.r.Rendition = "original"
		if got := lock.Until(c.r, c.rule, now); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		c.r.Rendition = "playback"
		if got := lock.Until(c.r, c.rule, now); !got.IsZero() {
			t.Errorf("%s: a rendition is locked until %v", name, got)
		}
	}
	if got := (keeping.Lock{}).Until(keeping.Recording{Rendition: "original"}, ruled, now); !got.IsZero() {
		t.Errorf("locked without being asked: %v", got)
	}
}
