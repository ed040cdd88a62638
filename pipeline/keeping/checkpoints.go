package keeping

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
)

// checkpointGrace is how long a signed state of the audit log may take on its way out of the database.
const checkpointGrace = time.Hour

// checkpoints merges the signed states of the audit log in the database with those outside, by size.
func (s *sweep) checkpoints(ctx context.Context) error {
	prefix := s.Objects.CheckpointPrefix()
	next, stop := iter.Pull2(named(s.Objects.List(ctx, prefix, "")))
	defer stop()
	group, err, more := pull(next)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		rows, err := s.Store.CheckpointRows(ctx, after, quickPage)
		if err != nil {
			return err
		}
		var found []Finding
		for _, c := range rows {
			key := fmt.Sprintf("%s%020d", prefix, c.Size)
			for more && group[0].Key < key {
				found = append(found, s.unknownCheckpoint(group)...)
				if group, err, more = pull(next); err != nil {
					return err
				}
			}
			there := more && group[0].Key == key
			kind, err := s.checkpoint(ctx, c, there, group)
			if err != nil {
				return err
			}
			if kind != "" {
				found = append(found, Finding{Kind: kind, Key: key})
			}
			if there {
				if group, err, more = pull(next); err != nil {
					return err
				}
			}
			after = c.Size
		}
		if len(rows) < quickPage {
			for more {
				found = append(found, s.unknownCheckpoint(group)...)
				if group, err, more = pull(next); err != nil {
					return err
				}
			}
		}
		if err := s.sureCheckpoints(ctx, &found); err != nil {
			return err
		}
		if err := s.report(ctx, uuid.Nil, found); err != nil {
			return err
		}
		if len(rows) < quickPage {
			return nil
		}
	}
}

// checkpoint compares one row with what the store lists; a deep check compares the bytes.
func (s *sweep) checkpoint(ctx context.Context, c Checkpoint, there bool, group []Entry) (Kind, error) {
	var latest *Entry
	if there {
		for i, e := range group {
			if e.Latest && !e.DeleteMarker {
				latest = &group[i]
			}
		}
	}
	switch {
	case latest == nil && c.At.After(s.now.Add(-checkpointGrace)):
		return "", nil
	case latest == nil:
		return CheckpointMissing, nil
	case latest.Size != int64(len(c.Signed)):
		return CheckpointDiffers, nil
	case s.opts.Mode != Deep:
		return "", nil
	}
	copied, err := s.Objects.ReadCheckpoint(ctx, c.Size)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return CheckpointMissing, nil
	case err != nil:
		return "", err
	case !bytes.Equal(copied, c.Signed):
		return CheckpointDiffers, nil
	default:
		return "", nil
	}
}

// unknownCheckpoint makes findings of a state that the database was not seen to have.
func (s *sweep) unknownCheckpoint(group []Entry) []Finding {
	for _, e := range group {
		if e.Latest && !e.DeleteMarker {
			return []Finding{{Kind: CheckpointUnknown, Key: e.Key}}
		}
	}
	return nil
}

// sureCheckpoints asks the database once more for the states it seemed not to have: the log grows while it is read.
func (s *sweep) sureCheckpoints(ctx context.Context, found *[]Finding) error {
	var sure []Finding
	for _, f := range *found {
		if f.Kind == CheckpointUnknown {
			size, err := strconv.ParseInt(strings.TrimPrefix(f.Key, s.Objects.CheckpointPrefix()), 10, 64)
			if err == nil {
				rows, err := s.Store.CheckpointRows(ctx, size-1, 1)
				if err != nil {
					return err
				}
				if len(rows) == 1 && rows[0].Size == size {
					continue
				}
			}
		}
		sure = append(sure, f)
	}
	*found = sure
	return nil
}
