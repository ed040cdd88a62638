package nemesis_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"vesper/bench/nemesis"
	"vesper/internal/testkit"
)

// day is the practice at work.
type day struct {
	p       *practice
	closing context.CancelFunc // no more recordings
	home    context.CancelFunc // everybody stops
	people  sync.WaitGroup
}

// open lets everybody begin to work.
func (p *practice) open(seed uint64) *day {
	p.t.Helper()
	ctx, home := context.WithCancel(p.t.Context())
	open, closing := context.WithCancel(ctx)
	d := &day{p: p, closing: closing, home: home}
	p.t.Cleanup(func() { closing(); home(); d.people.Wait() })
	pcm := speech(p.t)
	for i, login := range staff["physician"] {
		u := p.person(login, seed+uint64(i))
		d.people.Go(func() { u.physician(ctx, open, pcm) })
	}
	for i, login := range staff["editor"] {
		u := p.person(login, seed+uint64(i))
		d.people.Go(func() { u.editor(ctx) })
	}
	u := p.person(staff["supervisor"][0], seed)
	d.people.Go(func() { u.supervisor(ctx) })
	return d
}

// How long a day may take to end: without any progress, and in all.
const (
	noProgress = 100 * time.Second // longer than it takes until what is stuck is overdue
	overtime   = 8 * time.Minute
)

// end waits until everything that was dictated is delivered or rejected and the record is in the log. When nothing moves
// any more it gives up: the checker then says what is stuck.
func (d *day) end(t *testing.T) {
	t.Helper()
	d.closing()
	began := time.Now()
	const dictated = `(SELECT count(*) FROM dictations WHERE state NOT IN ('delivered', 'rejected'))`
	const jobs = ` + (SELECT count(*) FROM jobs WHERE state IN ('queued', 'running'))`
	const unsequenced = ` + (SELECT count(*) FROM audit_pending)` // people read all the time, and that is recorded
	d.until(t, "the day ends", dictated+jobs)
	d.home()
	d.people.Wait()
	d.until(t, "the last work is done", dictated+jobs+unsequenced)
	say("the day ended %.0f s after the last fault", time.Since(began).Seconds())
}

// until waits until nothing is left, or nothing moves.
func (d *day) until(t *testing.T, what, left string) {
	t.Helper()
	ask := testkit.NewCounter(t, d.p.admin)
	began, moved, asked, last := time.Now(), time.Now(), time.Time{}, -1
	testkit.Until(t, 2*overtime, what, func() bool {
		if time.Since(asked) < 250*time.Millisecond {
			return false
		}
		asked = time.Now()
		if now := ask.Count("SELECT coalesce(sum(hashtext(id::text || state)::bigint), 0)::bigint FROM dictations"); now != last {
			last, moved = now, time.Now()
		}
		if ask.Count("SELECT count(*) FROM jobs WHERE state = 'running' AND lease_until > now()") > 0 {
			moved = time.Now() // a slow machine is no broken one
		}
		return ask.Count("SELECT ("+left+")::int") == 0 || time.Since(moved) > noProgress || time.Since(began) > overtime
	})
}

// judge gathers the evidence, checks, and fails the test loudly.
func (p *practice) judge(t *testing.T, how string) {
	t.Helper()
	e := p.gather(t)
	found := nemesis.Check(p.history.Ops, e)
	for _, s := range append(p.all(), p.ehr) {
		for _, line := range s.died {
			t.Errorf("%s broke down: %s", s.name, line)
		}
	}
	report, err := os.Create(filepath.Join(p.dir, "report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer report.Close()
	nemesis.Report(report, p.history, e, found)
	if testing.Verbose() {
		nemesis.Report(os.Stdout, p.history, e, found)
	}
	if len(found) > 0 || t.Failed() {
		t.Errorf("%d promises were broken\n%s\nhistory, logs and report: %s\nagain: %s", len(found), nemesis.Explain(found), p.dir, how)
	}
}
