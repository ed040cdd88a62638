package backup

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/internal/fault"
)

// Check is one comparison of what stands in the restored folder with what was saved.
type Check struct {
	Name     string
	Detail   string
	Findings []string // differences; none means equal
	Known    []string // what was damaged before the backup, or purged while it was made
}

// maxFindings is how many differences of one check are named.
const maxFindings = 20

func (c *Check) find(format string, args ...any) {
	if len(c.Findings) < maxFindings {
		c.Findings = append(c.Findings, fmt.Sprintf(format, args...))
	}
}

// CheckTables compares the rows of each table.
func CheckTables(h Header, have map[string]int64) Check {
	c := Check{Name: "database"}
	var rows int64
	for _, table := range sortedKeys(h.Tables) {
		rows += h.Tables[table]
		if n, ok := have[table]; !ok {
			c.find("the table %s is missing", table)
		} else if n != h.Tables[table] {
			c.find("the table %s has %d rows, %d were saved", table, n, h.Tables[table])
		}
	}
	for _, table := range sortedKeys(have) {
		if _, ok := h.Tables[table]; !ok {
			c.find("there is a table %s that was not saved", table)
		}
	}
	c.Detail = fmt.Sprintf("%d tables, %d rows", len(h.Tables), rows)
	return c
}

// CheckLog recomputes the audit log, compares it with every signed checkpoint given, and with the last one that the
// archive's header holds.
func CheckLog(ctx context.Context, h Header, publicKey string, checkpoints [][]byte, entries func(context.Context, func(audit.Entry) error) error) (Check, error) {
	c := Check{Name: "audit log"}
	if h.Checkpoint != nil {
		last, err := audit.OpenCheckpoint([]byte(h.Checkpoint.Signed), publicKey)
		if err != nil {
			c.find("the signature of the backup's last checkpoint does not verify with the restored key")
		} else if last.Size != h.Checkpoint.Size || base64.StdEncoding.EncodeToString(last.Root[:]) != h.Checkpoint.Root {
			c.find("the backup's last checkpoint is not the one that was signed")
		}
		checkpoints = append(checkpoints, []byte(h.Checkpoint.Signed))
	}
	v := audit.NewVerifier(checkpoints, publicKey)
	if err := entries(ctx, v.Add); err != nil {
		return c, err
	}
	report, err := v.Finish(ctx)
	if err != nil {
		return c, err
	}
	for _, f := range report.Findings {
		c.find("%s", f.What)
	}
	c.Detail = fmt.Sprintf("%d events under %d signed checkpoints", report.Events, report.Checkpoints)
	if h.Checkpoint != nil {
		c.Detail += fmt.Sprintf("; at %d the root is %s", h.Checkpoint.Size, h.Checkpoint.Root)
	}
	return c, nil
}

// CheckRecordings reads every recording through: it must open with its key and have the SHA-256 of its row. each calls
// fn for every row with the outcome.
func CheckRecordings(ctx context.Context, m Manifest, each func(ctx context.Context, fn func(id uuid.UUID, verified error) error) error) (Check, error) {
	c := Check{Name: "recordings"}
	known := map[uuid.UUID]string{}
	for _, d := range m.Damaged {
		known[d.ID] = d.What
	}
	purged := map[uuid.UUID]bool{}
	for _, id := range m.Purged {
		purged[id] = true
	}
	whole, all := 0, 0
	err := each(ctx, func(id uuid.UUID, verified error) error {
		all++
		what, before := known[id]
		switch kind := fault.KindOf(verified); {
		case verified == nil:
			whole++
		case before:
			c.Known = append(c.Known, fmt.Sprintf("recording %s was %s before the backup", id, what))
		case kind == fault.NotFound && purged[id]:
			c.Known = append(c.Known, fmt.Sprintf("recording %s was purged while the backup was made", id))
		case kind == fault.NotFound, kind == fault.Internal:
			c.find("recording %s: %s", id, fault.As(verified).Code)
		default:
			return verified // the store is away: this says nothing about the recording
		}
		return nil
	})
	c.Detail = fmt.Sprintf("%d of %d opened and equal to their SHA-256", whole, all)
	return c, err
}
