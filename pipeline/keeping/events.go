package keeping

import (
	"strconv"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/audit"
)

// event is something that Vesper did for a practice by itself.
func event(practice uuid.UUID, subject string, id uuid.UUID, detail map[string]string) audit.Event {
	a := access.SystemActor(practice)
	return audit.Event{
		PracticeID: practice, ActorID: a.ID, ActorRole: string(a.Role), Action: string(access.Process), Subject: subject, SubjectID: id,
		Outcome: "done", Detail: detail,
	}
}

// FindingEvent records that a finding was made ("found") or that a check saw it mended ("mended"). It stands with the
// dictation that it is about, if there is one.
func FindingEvent(f Finding, practice uuid.UUID, result string) audit.Event {
	detail := map[string]string{"result": result, "finding": f.ID.String(), "kind": string(f.Kind)}
	if f.AudioID != uuid.Nil {
		detail["audio"] = f.AudioID.String()
	}
	if f.DictationID != uuid.Nil {
		return event(practice, "dictation", f.DictationID, detail)
	}
	return event(practice, "finding", f.ID, detail)
}

// PurgeEvent records that a recording is gone.
func PurgeEvent(t audit.Tombstone) audit.Event {
	return event(t.PracticeID, "dictation", t.DictationID, map[string]string{
		"result": "purged", "audio": t.AudioID.String(), "rendition": t.Rendition, "sha256": t.SHA256, "rule": t.RuleID.String(),
		"rule_version": strconv.Itoa(t.RuleVersion),
	})
}
