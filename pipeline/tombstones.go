package pipeline

import (
	"context"

	"vesper/internal/audit"
)

// TombstoneLog is what the verifier reads of purged recordings.
type TombstoneLog interface {
	// AllTombstones calls fn for each tombstone of all practices with what its row says and the signed statement.
	AllTombstones(ctx context.Context, fn func(row audit.Tombstone, signed []byte) error) error
}

// VerifyTombstones checks the signature of every tombstone and that its row says what was signed. It returns how many there
// are and what is wrong.
func VerifyTombstones(ctx context.Context, log TombstoneLog, publicKey string) (n int, findings []audit.Finding, err error) {
	err = log.AllTombstones(ctx, func(row audit.Tombstone, signed []byte) error {
		n++
		t, err := audit.OpenTombstone(signed, publicKey)
		var what string
		switch {
		case err != nil:
			what = "its signature does not verify"
		case t.AudioID != row.AudioID || t.PracticeID != row.PracticeID || t.DictationID != row.DictationID || t.Rendition != row.Rendition ||
			t.SHA256 != row.SHA256 || t.Size != row.Size || t.RuleID != row.RuleID || t.WorkType != row.WorkType ||
			t.RuleVersion != row.RuleVersion || !t.PurgedAt.Equal(row.PurgedAt):
			what = "its row was changed after it was signed"
		default:
			return nil
		}
		findings = append(findings, audit.Finding{Seq: -1, What: "tombstone of recording " + row.AudioID.String() + ": " + what})
		return nil
	})
	return n, findings, err
}
