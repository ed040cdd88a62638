package postgres_test

import (
	"fmt"
	"testing"

	"vesper/pipeline"
)

// TestAStepBackOfTheClockStopsNoJob moves what jobs remember an hour into the future, which is what a step back by an hour
// does to them.
func TestAStepBackOfTheClockStopsNoJob(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	_, vanished := w.receive()
	_, waiting := w.receive()
	_, rung := w.receive()
	w.claim(vanished)
	w.super(`UPDATE jobs SET lease_until = lease_until + interval '1 hour' WHERE id = '`+vanished.String()+`'`,
		`UPDATE jobs SET run_after = now() + interval '1 hour' WHERE id = '`+waiting.String()+`'`,
		`UPDATE jobs SET dispatch_no = 1, dispatched_at = now() + interval '1 hour' WHERE id = '`+rung.String()+`'`)
	reap := func() int {
		n, _, err := w.work.Reap(ctxb())
		w.must(err)
		return n
	}
	if n := reap(); n != 0 {
		t.Errorf("%d jobs were taken from workers that may live", n)
	}
	if bells := w.dispatch(); len(bells) != 2 {
		t.Errorf("rung after the step: %v", bells)
	}
	// Nobody renewed the lease, and it has its ordinary length again.
	w.super(fmt.Sprintf(`UPDATE jobs SET lease_until = lease_until - interval '%d seconds' WHERE state = 'running'`, int(pipeline.Lease.Seconds())+1))
	if n := reap(); n != 1 {
		t.Errorf("%d jobs of vanished workers were taken up", n)
	}
}

func TestAStepBackOfTheClockStopsNoMessage(t *testing.T) {
	t.Parallel()
	w := ownWorld(t)
	m := w.noticed()
	claimed := func() int {
		_, _, err := w.work.Reap(ctxb())
		w.must(err)
		got, err := w.work.ClaimMessages(ctxb(), pipeline.ByWebhook, 10)
		w.must(err)
		return len(got)
	}
	w.super(`UPDATE messages SET run_after = now() + interval '3 hours' WHERE id = '` + m.ID.String() + `'`)
	if n := claimed(); n != 1 {
		t.Fatalf("%d messages are sent after the step", n)
	}
	w.super(`UPDATE messages SET lease_until = lease_until + interval '3 hours'`)
	if n := claimed(); n != 0 {
		t.Errorf("%d messages were taken from senders that may live", n)
	}
	w.super(fmt.Sprintf(`UPDATE messages SET lease_until = lease_until - interval '%d seconds'`, int(pipeline.MessageLease.Seconds())+1))
	if n := claimed(); n != 1 {
		t.Errorf("%d messages of vanished senders were taken up", n)
	}
}
