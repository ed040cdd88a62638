package keeping

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// roll reads recordings in order of their names until so many bytes were read, and reports whether it came to the end. It
// looks at rows only; what has no row is the quick check's to find.
func (s *sweep) roll(ctx context.Context, bytes int64) (end bool, err error) {
	practices, err := s.Store.Practices(ctx)
	if err != nil {
		return false, err
	}
	ids := slices.SortedFunc(maps.Values(practices), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		prefix := prefixOf(id)
		if s.run.Place > prefix && !strings.HasPrefix(s.run.Place, prefix) {
			continue
		}
		after := ""
		if strings.HasPrefix(s.run.Place, prefix) {
			after = s.run.Place
		}
		for {
			rows, err := s.Store.Recordings(ctx, id, after, deepPage)
			if err != nil {
				return false, err
			}
			part := s.share(rows, bytes)
			p := &page{practice: id}
			if err := s.read(ctx, p, part); err != nil {
				return false, err
			}
			if err := s.report(ctx, id, p.found); err != nil {
				return false, err
			}
			for _, r := range part {
				bytes -= r.Size
			}
			s.run.Objects += int64(len(part))
			if len(part) > 0 {
				after = part[len(part)-1].Key
				s.run.Place = after
			}
			if bytes <= 0 || len(part) < len(rows) {
				return false, nil
			}
			if len(rows) < deepPage {
				break
			}
		}
		s.run.Place = prefix + "~"
	}
	return true, nil
}

// share is as many of the rows as fit into the bytes, and at least one: a long recording must not stand in the way for ever.
func (s *sweep) share(rows []Recording, bytes int64) []Recording {
	n := 0
	for n < len(rows) && bytes > 0 {
		bytes -= rows[n].Size
		n++
	}
	return rows[:n]
}
