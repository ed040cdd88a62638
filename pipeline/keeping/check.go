package keeping

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// How much is dealt with before findings are written and the place is kept.
const (
	quickPage = 1000
	deepPage  = 64
)

// Known is a part of the bucket that the check of recordings does not know: Has tells which of these names somebody
// answers for; nil means all.
type Known struct {
	Prefix string
	Has    func(ctx context.Context, keys []string) (map[string]bool, error)
}

// Checker compares the object store with the database. All fields but Store, Objects and Log may be zero.
type Checker struct {
	Store    Store
	Objects  Objects
	Others   []Known
	Log      *slog.Logger
	Now      func() time.Time
	Grace    time.Duration // an object younger than this may be an upload under way; 0: a day
	Parallel int           // recordings that a deep check reads at once; 0: two
	Rate     int64         // bytes a second that a deep check reads; 0: as fast as it goes
}

// Options shape one run.
type Options struct {
	Mode     Mode
	By       string // "keeper" or "operator"
	TakeUp   bool   // go on with the newest unfinished run of this mode
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Run
	Total int64 // recordings, as counted at the start
}

// sweep is one run under way.
type sweep struct {
	*Checker
	run      Run
	opts     Options
	total    int64
	limit    *rate.Limiter
	now      time.Time
	resuming string // place to go on from; "" once it is passed
}

const day = 24 * time.Hour

// RecordingsFolder is where the recordings of all practices stand, by practice.
const RecordingsFolder = "practice/"

// prefixOf is where the recordings of one practice stand.
func prefixOf(practice uuid.UUID) string { return RecordingsFolder + practice.String() + "/audio/" }

// Run goes over everything once. When it breaks off, the findings so far and its place are kept.
func (c *Checker) Run(ctx context.Context, o Options) (Run, error) {
	run, err := c.Store.StartRun(ctx, o.Mode, o.By, o.TakeUp)
	if err != nil {
		return run, err
	}
	s := c.sweep(run, o)
	if s.total, err = c.Store.CountRecordings(ctx); err != nil {
		return run, err
	}
	for _, part := range []func(context.Context) error{s.recordings, s.strangers, s.checkpoints} {
		if err := part(ctx); err != nil {
			return s.run, err
		}
	}
	kinds := quickKinds()
	if o.Mode == Deep {
		kinds = Kinds()
	}
	// What stood and was not seen again in a whole run is mended.
	if _, err := c.Store.Mend(ctx, kinds, nil, s.run.StartedAt); err != nil {
		return s.run, err
	}
	s.run.FinishedAt = s.clock()
	return s.run, s.save(ctx)
}

func (c *Checker) sweep(run Run, o Options) *sweep {
	s := &sweep{Checker: c, run: run, opts: o, resuming: run.Place}
	s.now = s.clock()
	if c.Rate > 0 {
		s.limit = rate.NewLimiter(rate.Limit(c.Rate), int(min(c.Rate, 1<<30)))
	}
	return s
}

func (c *Checker) clock() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Checker) grace() time.Duration {
	if c.Grace > 0 {
		return c.Grace
	}
	return day
}

func (s *sweep) save(ctx context.Context) error {
	if s.opts.Progress != nil {
		s.opts.Progress(Progress{s.run, s.total})
	}
	return s.Store.SaveRun(ctx, s.run)
}

// recordings merges rows and objects of each practice, in the order of their names.
func (s *sweep) recordings(ctx context.Context) error {
	practices, err := s.Store.Practices(ctx)
	if err != nil {
		return err
	}
	ids := slices.SortedFunc(maps.Values(practices), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range ids {
		prefix := prefixOf(id)
		after := ""
		switch {
		case strings.HasPrefix(s.resuming, prefix):
			after = s.resuming
		case s.resuming > prefix:
			continue // the run that is taken up was through with this one
		}
		if err := s.practice(ctx, id, prefix, after); err != nil {
			return fmt.Errorf("check practice %s: %w", id, err)
		}
		// "~" is greater than every name below the prefix.
		s.run.Place = prefix + "~"
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	return nil
}

// strangers looks at what stands outside of the places that are known.
func (s *sweep) strangers(ctx context.Context) error {
	known := []string{s.Objects.CheckpointPrefix()}
	practices, err := s.Store.Practices(ctx)
	if err != nil {
		return err
	}
	for _, id := range practices {
		known = append(known, prefixOf(id))
	}
	for _, o := range s.Others {
		known = append(known, o.Prefix)
	}
	if err := s.below(ctx, "", known); err != nil {
		return err
	}
	for _, o := range s.Others {
		if o.Has == nil {
			continue
		}
		if err := s.others(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// below reports what stands under a folder and under none of the known places, and goes into folders that hold a known one.
func (s *sweep) below(ctx context.Context, folder string, known []string) error {
	names, err := s.Objects.Folders(ctx, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch {
		case slices.Contains(known, name):
		case strings.HasSuffix(name, "/") && slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, name) }):
			err = s.below(ctx, name, known)
		default:
			err = s.nobodys(ctx, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nobodys reports everything below a name that nobody answers for.
func (s *sweep) nobodys(ctx context.Context, prefix string) error {
	var found []Finding
	for e, err := range s.Objects.List(ctx, prefix, "") {
		if err != nil {
			return err
		}
		if !e.DeleteMarker && s.old(e) {
			found = append(found, Finding{Kind: Orphan, Key: e.Key, VersionID: e.VersionID})
		}
		if len(found) >= quickPage {
			if err := s.report(ctx, uuid.Nil, found); err != nil {
				return err
			}
			found = nil
		}
	}
	return s.report(ctx, uuid.Nil, found)
}

// others asks who answers for the objects of another part of the bucket.
func (s *sweep) others(ctx context.Context, o Known) error {
	var page []Entry
	flush := func() error {
		keys := make([]string, len(page))
		for i, e := range page {
			keys[i] = e.Key
		}
		has, err := o.Has(ctx, keys)
		if err != nil {
			return err
		}
		var found []Finding
		for _, e := range page {
			if !has[e.Key] {
				found = append(found, Finding{Kind: Orphan, Key: e.Key, VersionID: e.VersionID})
			}
		}
		page = page[:0]
		return s.report(ctx, uuid.Nil, found)
	}
	for e, err := range s.Objects.List(ctx, o.Prefix, "") {
		if err != nil {
			return err
		}
		if !e.DeleteMarker && s.old(e) {
			page = append(page, e)
		}
		if len(page) >= quickPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(page) == 0 {
		return nil
	}
	return flush()
}

// old says that an object is no upload that may still be under way.
func (s *sweep) old(e Entry) bool { return e.StoredAt.Before(s.now.Add(-s.grace())) }

func (s *sweep) report(ctx context.Context, practice uuid.UUID, found []Finding) error {
	if len(found) == 0 {
		return nil
	}
	s.run.Found += int64(len(found))
	fresh, err := s.Store.Report(ctx, practice, found)
	if err == nil && fresh > 0 {
		s.Log.ErrorContext(ctx, "the check of the object store found something", "new", fresh, "practice", practice, "kind", found[0].Kind)
	}
	return err
}
