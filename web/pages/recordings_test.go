package pages_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

func (s *stage) Kept(context.Context, access.Actor) (pipeline.Kept, error) {
	if s.empty {
		return pipeline.Kept{}, s.fail
	}
	return pipeline.Kept{
		Findings: []keeping.Finding{
			{ID: dictated, Kind: keeping.Covered, Key: "practice/" + s.name, DictationID: dictated, FirstSeen: now, LastSeen: now},
			{ID: practice, Kind: keeping.Orphan, Key: "elsewhere", FirstSeen: now, LastSeen: now, SettledAt: &now, SettledName: s.name, SettledNote: s.name},
		},
		Runs:    []keeping.Run{{Mode: keeping.Quick, StartedAt: now, FinishedAt: now, Objects: 1234}, {Mode: keeping.Rolling, StartedAt: now}},
		Waiting: []pipeline.WaitingPurge{{DictationID: dictated, Code: "object_locked", TryAfter: now}, {DictationID: dictated}},
	}, s.fail
}

func (s *stage) Retention(context.Context, access.Actor) (pipeline.Retention, error) {
	if s.empty {
		return pipeline.Retention{}, s.fail
	}
	ninety := 90
	rules := []keeping.Rule{{Version: 2, OriginalDays: &ninety, Reason: s.name, SetByName: s.name, SetAt: now}, {WorkType: "consult", Version: 1, Reason: s.name, SetByName: s.name, SetAt: now}}
	return pipeline.Retention{Standing: rules, History: rules}, s.fail
}

func (s *stage) Tombstones(context.Context, access.Actor, time.Time) ([]pipeline.Tombstone, error) {
	if s.empty {
		return nil, s.fail
	}
	return []pipeline.Tombstone{stone()}, s.fail
}

func (s *stage) Holds(context.Context, access.Actor) ([]keeping.Hold, error) {
	if s.empty {
		return nil, s.fail
	}
	return []keeping.Hold{
		{ID: dictated, Scope: keeping.OfPatient, Subject: dictated, Name: s.name, Reason: s.name, SetByName: s.name, SetAt: now},
		{ID: practice, Scope: keeping.OfDictation, Subject: dictated, Name: "progress", Reason: s.name, SetByName: s.name, SetAt: now, LiftedAt: &now, LiftedName: s.name, LiftReason: s.name},
	}, s.fail
}

func stone() pipeline.Tombstone {
	return pipeline.Tombstone{Tombstone: audit.Tombstone{
		AudioID: dictated, DictationID: dictated, Rendition: "original", SHA256: strings.Repeat("ab", 32), RuleVersion: 2, PurgedAt: now,
	}}
}

func TestThePageOfRecordingsOffersEachRoleWhatItMayDo(t *testing.T) {
	t.Parallel()
	for role, want := range map[access.Role][]string{
		access.Admin: {"button class=\"btn small settle\"", "id=\"set-retention\""}, access.Supervisor: {"id=\"set-retention\""}, access.Compliance: nil,
	} {
		status, body, _ := get(t, newStage(pipeline.Delivered), role, "/recordings")
		if status != http.StatusOK {
			t.Fatalf("%s: status %d", role, status)
		}
		for _, offered := range []string{"button class=\"btn small settle\"", "id=\"set-retention\""} {
			has := strings.Contains(body, offered)
			should := strings.Contains(strings.Join(want, "|"), offered)
			if has != should {
				t.Errorf("%s is offered %s: %v", role, offered, has)
			}
		}
		for _, part := range []string{keeping.Covered.Words()[:40], "90 days", "for ever", "nothing goes under it before", strings.Repeat("ab", 32), "1234 recordings", "own lock until"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s does not read %q", role, part)
			}
		}
	}
}

func TestThePageOfRecordingsSaysWhenNothingIsWrongOrPurged(t *testing.T) {
	t.Parallel()
	s := newStage(pipeline.Delivered)
	s.empty = true
	_, body, _ := get(t, s, access.Compliance, "/recordings")
	for _, part := range []string{"Nothing is wrong", "kept for ever", "Nothing was ever purged", "No check has run yet"} {
		if !strings.Contains(body, part) {
			t.Errorf("does not say %q", part)
		}
	}
	if _, body, _ := get(t, s, access.Compliance, "/holds"); !strings.Contains(body, "never been a hold") {
		t.Error("an empty list of holds says nothing")
	}
}

// purgedStage is a dictation whose recording is gone.
type purgedStage struct{ *stage }

func (p purgedStage) History(ctx context.Context, a access.Actor, id uuid.UUID) (pipeline.History, error) {
	h, err := p.stage.History(ctx, a, id)
	h.HasAudio, h.Purged = false, []pipeline.Tombstone{stone()}
	h.Can[access.ManageHolds] = true
	return h, err
}

func TestTheHistoryOfAPurgedRecordingSaysSoInsteadOfAPlayer(t *testing.T) {
	t.Parallel()
	status, body, _ := getFrom(t, purgedStage{newStage(pipeline.Delivered)}, access.Compliance, "/history/"+dictated.String())
	if status != http.StatusOK || !strings.Contains(body, "The recording was purged on 23 November 2026") || !strings.Contains(body, strings.Repeat("ab", 32)) {
		t.Errorf("status %d; the truth is not told", status)
	}
	if strings.Contains(body, `id="player"`) {
		t.Error("a player for what is gone")
	}
	if strings.Count(body, "btn small hold") < 3 {
		t.Error("compliance cannot set a hold here")
	}
}
