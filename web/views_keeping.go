package web

import (
	"slices"

	"github.com/google/uuid"

	"vesper/pipeline"
	"vesper/pipeline/keeping"
)

func viewFinding(f keeping.Finding) keepFinding {
	out := keepFinding{
		ID: f.ID, Kind: string(f.Kind), Meaning: f.Kind.Words(), Mendable: slices.Contains(keeping.Mendable(), f.Kind), Key: f.Key, VersionID: f.VersionID,
		FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, SettledBy: f.SettledName, SettledNote: f.SettledNote,
	}
	out.SettledAt.v = f.SettledAt
	if f.DictationID != uuid.Nil {
		out.DictationID.v = &f.DictationID
	}
	return out
}

func viewRun(r keeping.Run) keepRun {
	out := keepRun{Mode: string(r.Mode), StartedAt: r.StartedAt, Recordings: r.Objects, Bytes: r.Bytes, Found: r.Found}
	if !r.FinishedAt.IsZero() {
		out.FinishedAt.v = &r.FinishedAt
	}
	return out
}

func viewTombstone(t pipeline.Tombstone) tombstone {
	return tombstone{
		DictationID: t.DictationID, AudioID: t.AudioID, Rendition: t.Rendition, SHA256: t.SHA256, Bytes: t.Size, Seconds: t.Seconds,
		WorkType: t.WorkType, RuleVersion: t.RuleVersion, PurgedAt: t.PurgedAt, Sentence: t.Sentence(), Signed: string(t.Signed),
	}
}

func viewRule(r keeping.Rule) rule {
	out := rule{WorkType: r.WorkType, Version: r.Version, Reason: r.Reason, SetBy: r.SetByName, SetAt: r.SetAt, StartsAt: r.SetAt.Add(keeping.RuleRest)}
	out.OriginalDays.v, out.PlaybackDays.v, out.RejectedDays.v = r.OriginalDays, r.PlaybackDays, r.RejectedDays
	return out
}

func viewHold(h keeping.Hold) hold {
	out := hold{
		ID: h.ID, Scope: string(h.Scope), Subject: h.Subject, Reason: h.Reason, SetBy: h.SetByName, SetAt: h.SetAt, LiftedBy: h.LiftedName, LiftReason: h.LiftReason,
	}
	out.LiftedAt.v = h.LiftedAt
	return out
}
