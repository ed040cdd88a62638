package keeping

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vesper/internal/fault"
)

// Mender does what can be done about findings without removing anything but a delete marker.
type Mender struct {
	Store   Store
	Objects Objects
	// Remake makes a rendition for playback again from the original, and answers when the row names the new one.
	Remake func(ctx context.Context, f Finding) error
}

// Mended is what became of one finding.
type Mended struct {
	Finding
	Err error // nil: it is mended
}

// Mend deals with every standing finding that it can mend.
func (m *Mender) Mend(ctx context.Context) ([]Mended, error) {
	kinds := append(Mendable(), Damaged)
	standing, err := m.Store.Standing(ctx, kinds)
	if err != nil {
		return nil, err
	}
	var out []Mended
	for _, f := range standing {
		if f.Kind == Damaged && !m.rendition(ctx, f) {
			continue
		}
		x := Mended{Finding: f, Err: m.mend(ctx, f)}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if x.Err == nil {
			if _, err := m.Store.Mend(ctx, []Kind{f.Kind}, []string{f.Key}, f.LastSeen); err != nil {
				return out, err
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// rendition says that a finding is about a rendition for playback, which can be made again.
func (m *Mender) rendition(ctx context.Context, f Finding) bool {
	rows, err := m.Store.RecordingsNamed(ctx, f.PracticeID, []string{f.Key})
	return err == nil && len(rows) == 1 && rows[0].Rendition != original
}

func (m *Mender) mend(ctx context.Context, f Finding) error {
	switch f.Kind {
	case Covered:
		return m.uncover(ctx, f)
	case PlaybackMissing, Damaged:
		if m.Remake == nil {
			return fault.New(fault.Unsupported, "cannot_remake", "Recordings cannot be decoded here.")
		}
		return m.Remake(ctx, f)
	case CheckpointMissing:
		return m.checkpoint(ctx, f)
	default:
		return fault.New(fault.Unsupported, "cannot_mend", "This needs a person.")
	}
}

// uncover removes a delete marker from a recording that is not on its way out.
func (m *Mender) uncover(ctx context.Context, f Finding) error {
	rows, err := m.Store.RecordingsNamed(ctx, f.PracticeID, []string{f.Key})
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(rows, func(r Recording) bool { return r.Purge != "started" && r.Purge != "done" }); i < 0 {
		return fault.New(fault.Conflict, "recording_purged", "The recording is being purged.")
	}
	return m.Objects.Uncover(ctx, f.Key, f.VersionID)
}

// checkpoint copies a signed state of the audit log out of the database again.
func (m *Mender) checkpoint(ctx context.Context, f Finding) error {
	size, err := strconv.ParseInt(strings.TrimPrefix(f.Key, m.Objects.CheckpointPrefix()), 10, 64)
	if err != nil {
		return fmt.Errorf("read name of checkpoint: %w", err)
	}
	rows, err := m.Store.CheckpointRows(ctx, size-1, 1)
	if err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].Size != size {
		return fault.New(fault.NotFound, "checkpoint_unknown", "The database has no such checkpoint any more.")
	}
	return m.Objects.PutCheckpoint(ctx, size, rows[0].Signed)
}
