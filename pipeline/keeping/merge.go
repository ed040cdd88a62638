package keeping

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"vesper/internal/fault"
)

// practice merges one practice's rows with the store's listing, both in order of names, a page at a time.
func (s *sweep) practice(ctx context.Context, id uuid.UUID, prefix, after string) error {
	limit := quickPage
	if s.opts.Mode == Deep {
		limit = deepPage
	}
	next, stop := iter.Pull2(named(s.Objects.List(ctx, prefix, after)))
	defer stop()
	group, err, more := pull(next)
	if err != nil {
		return err
	}
	for {
		rows, err := s.Store.Recordings(ctx, id, after, limit)
		if err != nil {
			return err
		}
		last := len(rows) < limit
		p := &page{practice: id}
		// Objects up to the last row of this page belong to it; after the last row, all that is left, a page at a time.
		for more && len(p.extra) < quickPage && (last || group[0].Key <= rows[len(rows)-1].Key) {
			i, isRow := slices.BinarySearchFunc(rows, group[0].Key, func(r Recording, key string) int { return compare(r.Key, key) })
			if isRow {
				s.compare(p, rows[i], group)
			} else {
				p.extra = append(p.extra, group...)
			}
			after = group[0].Key
			if group, err, more = pull(next); err != nil {
				return err
			}
		}
		// A page that is full of strangers ends early: rows beyond it come with the next.
		through := rows
		if more && (last || group[0].Key <= rows[len(rows)-1].Key) {
			i, _ := slices.BinarySearchFunc(rows, group[0].Key, func(r Recording, key string) int { return compare(r.Key, key) })
			through, last = rows[:i], false
		}
		p.unseen(through)
		if len(through) > 0 {
			after = max(after, through[len(through)-1].Key)
		}
		if err := s.settle(ctx, p); err != nil {
			return err
		}
		s.run.Objects += int64(len(through))
		s.run.Place = max(s.run.Place, after)
		if err := s.save(ctx); err != nil {
			return err
		}
		if last && !more {
			return nil
		}
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// named groups a listing by name: all versions of one object together.
func named(entries iter.Seq2[Entry, error]) iter.Seq2[[]Entry, error] {
	return func(yield func([]Entry, error) bool) {
		var group []Entry
		for e, err := range entries {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(group) > 0 && group[0].Key != e.Key {
				if !yield(group, nil) {
					return
				}
				group = nil
			}
			group = append(group, e)
		}
		if len(group) > 0 {
			yield(group, nil)
		}
	}
}

func pull(next func() ([]Entry, error, bool)) ([]Entry, error, bool) { //nolint:revive // the order is that of iter.Pull2
	group, err, ok := next()
	return group, err, ok
}

// page is what one stretch of names has given so far.
type page struct {
	practice uuid.UUID
	found    []Finding          // certain
	gone     []Recording        // rows whose object was not listed: to be looked at once more
	extra    []Entry            // objects without a row: to be asked for once more
	whole    []Recording        // in order as far as a quick look tells
	seen     map[uuid.UUID]bool // rows whose name was listed; true: with a version that is not the row's
}

func (p *page) add(kind Kind, r Recording, version string) {
	p.found = append(p.found, finding(kind, r, version))
}

func finding(kind Kind, r Recording, version string) Finding {
	return Finding{Kind: kind, PracticeID: r.PracticeID, Key: r.Key, VersionID: version, AudioID: r.ID, DictationID: r.DictationID}
}

// unseen notes the rows that no object was listed for.
func (p *page) unseen(rows []Recording) {
	for _, r := range rows {
		if _, listed := p.seen[r.ID]; !listed && r.Purge != "done" {
			p.gone = append(p.gone, r)
		}
	}
}

// compare holds a row against all that the store lists under its name.
func (s *sweep) compare(p *page, r Recording, group []Entry) {
	if p.seen == nil {
		p.seen = map[uuid.UUID]bool{}
	}
	p.seen[r.ID] = false
	var own *Entry
	for i, e := range group {
		switch {
		case e.DeleteMarker:
		case r.Purge == "done":
			p.add(PurgedPresent, r, e.VersionID)
		case e.VersionID == r.VersionID || r.VersionID == "" && e.Latest:
			own = &group[i]
		default:
			p.seen[r.ID] = true
			if s.old(e) {
				p.add(Orphan, r, e.VersionID) // a version that no row names
			}
		}
	}
	switch {
	case r.Purge == "done":
		return
	case own == nil:
		p.gone = append(p.gone, r)
		return
	case own.Size != s.Objects.StoredSize(r.Size):
		p.add(WrongSize, r, r.VersionID)
		return
	}
	for _, e := range group {
		if e.DeleteMarker && e.Latest && r.Purge != "started" {
			p.add(Covered, r, e.VersionID)
		}
	}
	p.whole = append(p.whole, r)
}

// settle looks once more at what seemed wrong, because both sides move while they are read, and reports the rest.
func (s *sweep) settle(ctx context.Context, p *page) error {
	if err := s.lookAgain(ctx, p); err != nil {
		return err
	}
	if err := s.askAgain(ctx, p); err != nil {
		return err
	}
	if s.opts.Mode == Deep {
		if err := s.read(ctx, p, p.whole); err != nil {
			return err
		}
	}
	return s.report(ctx, p.practice, p.found)
}

// lookAgain asks the store itself for each object that was not listed.
func (s *sweep) lookAgain(ctx context.Context, p *page) error {
	if len(p.gone) == 0 {
		return nil
	}
	keys := make([]string, len(p.gone))
	for i, r := range p.gone {
		keys[i] = r.Key
	}
	rows, err := s.Store.RecordingsNamed(ctx, p.practice, keys)
	if err != nil {
		return err
	}
	for _, r := range rows { // a row that is not there any more, or is being purged, needs no object
		if r.Purge == "done" || r.Purge == "started" {
			continue
		}
		kind, err := verdict(r, s.Objects.Look(ctx, r), p.seen[r.ID])
		if err != nil {
			return err
		}
		if kind != "" {
			p.add(kind, r, r.VersionID)
		}
	}
	return nil
}

// verdict makes a finding's kind of what the store answered; an error is one of the way there, not of the recording.
func verdict(r Recording, err error, otherVersions bool) (Kind, error) {
	switch f := fault.As(err); {
	case err == nil:
		return "", nil
	case errors.Is(err, context.Canceled):
		return "", err
	case f.Kind == fault.NotFound && r.Rendition != original:
		return PlaybackMissing, nil
	case f.Kind == fault.NotFound && otherVersions:
		return VersionMissing, nil
	case f.Kind == fault.NotFound:
		return Missing, nil
	case f.Code == "master_key_missing":
		return Undecryptable, nil
	case f.Kind == fault.Internal && f.Code == "audio_corrupt":
		return Damaged, nil
	default:
		return "", err
	}
}

// askAgain asks the database once more for rows of objects that seemed to have none.
func (s *sweep) askAgain(ctx context.Context, p *page) error {
	var keys []string
	for _, e := range p.extra {
		if !e.DeleteMarker && s.old(e) {
			keys = append(keys, e.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	rows, err := s.Store.RecordingsNamed(ctx, p.practice, slices.Compact(keys))
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, r := range rows {
		has[r.Key] = true
	}
	for _, e := range p.extra {
		if !e.DeleteMarker && s.old(e) && !has[e.Key] {
			p.found = append(p.found, Finding{Kind: Orphan, PracticeID: p.practice, Key: e.Key, VersionID: e.VersionID})
		}
	}
	return nil
}

// read reads recordings through, a few at once, and notes what is damaged and what is whole again.
func (s *sweep) read(ctx context.Context, p *page, rows []Recording) error {
	var mu sync.Mutex
	var sound []string
	g, ctx2 := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.parallel()))
	for _, r := range rows {
		if r.Purge == "started" || r.Purge == "done" {
			continue
		}
		g.Go(func() error {
			if err := s.throttle(ctx2, r.Size); err != nil {
				return err
			}
			kind, err := verdict(r, s.steady(ctx2, r), false)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.run.Bytes += r.Size
			if kind == "" {
				sound = append(sound, r.Key)
			} else {
				p.add(kind, r, r.VersionID)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if len(sound) == 0 {
		return nil
	}
	_, err := s.Store.Mend(ctx, []Kind{Damaged, Undecryptable}, sound, s.now)
	return err
}

// steady reads a recording, a second and a third time when the store is away for a moment. What a store that is there cannot
// give is damaged: one bad place on a disk must not stand in the way of all the others.
func (s *sweep) steady(ctx context.Context, r Recording) (err error) {
	for range 3 {
		if err = s.Objects.Read(ctx, r); err == nil || fault.KindOf(err) != fault.Unavailable {
			return err
		}
	}
	if s.Objects.Look(ctx, r) == nil {
		return fault.Wrap(err, fault.Internal, "audio_corrupt", "The store cannot give this recording.")
	}
	return err
}

func (s *sweep) parallel() int {
	if s.Parallel > 0 {
		return s.Parallel
	}
	return 2
}

// throttle waits until so many bytes may be read.
func (s *sweep) throttle(ctx context.Context, n int64) error {
	for s.limit != nil && n > 0 {
		take := min(n, int64(s.limit.Burst()))
		if err := s.limit.WaitN(ctx, int(take)); err != nil {
			return err
		}
		n -= take
	}
	return nil
}
