package nemesis_test

import (
	"context"
	"math/rand/v2"
	"syscall"

	"vesper/internal/testkit"
)

// clockFaults step the clock that work is timed by. Leases, rings and pauses are told by PostgreSQL's clock alone, and to
// them a step of it back or forth is what moving them all forth or back is; so that is done, and nothing else on the
// machine notices. (Only one process's clock cannot be moved: Go asks the kernel, past any library put before it.)
func (p *practice) clockFaults() []fault {
	step := func(by string) error {
		_, err := testkit.TryExec(p.admin, `UPDATE jobs SET lease_until = lease_until + $1::interval, run_after = run_after + $1::interval,
			dispatched_at = dispatched_at + $1::interval WHERE state IN ('queued', 'running')`, by)
		return err
	}
	affects := []string{"stage"}
	return []fault{
		{kind: "clock of jobs an hour on", part: "work", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			return "", step("-1 hour")
		}},
		{kind: "clock of jobs an hour back", part: "work", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			return "", step("1 hour")
		}},
		{kind: "clock of jobs back, workers killed", part: "work", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			for _, s := range p.workers { // a living one would renew its lease by the new clock
				if err := s.signal(syscall.SIGKILL); err != nil {
					return "", err
				}
			}
			return "", step("1 hour")
		}},
	}
}
