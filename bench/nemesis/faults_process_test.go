package nemesis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"vesper/pipeline"
)

// processFaults end and halt the program's own processes, which are then started again.
func (p *practice) processFaults() []fault {
	var out []fault
	add := func(who string, affects []string, some []*process) {
		for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "told to stop": syscall.SIGTERM} {
			out = append(out, fault{kind: who + " " + name, part: who, affects: affects, do: func(_ context.Context, r *rand.Rand) (string, error) {
				s := pick(r, some)
				return s.name, s.signal(sig)
			}})
		}
		out = append(out, fault{kind: who + " halted", part: who, affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			return halt(ctx, pick(r, some), between(r, 2*time.Second, 6*time.Second))
		}})
	}
	add("serve", []string{"op"}, p.serves)
	add("work", []string{"stage"}, p.workers)
	add("relay", []string{"stage"}, []*process{p.relay})
	return append(out, fault{
		kind: "work halted past its lease", part: "work", long: true, affects: []string{"stage"},
		do: func(ctx context.Context, r *rand.Rand) (string, error) {
			return halt(ctx, pick(r, p.workers), pipeline.Lease+2*pipeline.ReapEvery)
		},
	})
}

// halt stops a process and lets it go on.
func halt(ctx context.Context, s *process, d time.Duration) (string, error) {
	pid := s.pid()
	if err := s.signal(syscall.SIGSTOP); err != nil {
		return s.name, err
	}
	wait(ctx, d)
	return fmt.Sprintf("%s for %s", s.name, d.Round(100*time.Millisecond)), syscall.Kill(pid, syscall.SIGCONT)
}

// engineFaults strike the engine's children of a worker.
func (p *practice) engineFaults() []fault {
	child := func(r *rand.Rand) (*process, int, error) {
		s := pick(r, p.workers)
		all := children(s.pid())
		if len(all) == 0 {
			return s, 0, errors.New("no engine runs")
		}
		return s, pick(r, all), nil
	}
	affects := []string{"stage:transcribe"}
	return []fault{
		{kind: "engine killed", part: "work", affects: affects, do: func(_ context.Context, r *rand.Rand) (string, error) {
			s, pid, err := child(r)
			if err != nil {
				return s.name, err
			}
			return "of " + s.name, syscall.Kill(pid, syscall.SIGKILL)
		}},
		{kind: "engine aborted", part: "work", affects: affects, do: func(_ context.Context, r *rand.Rand) (string, error) {
			s, pid, err := child(r)
			if err != nil {
				return s.name, err
			}
			return "of " + s.name, syscall.Kill(pid, syscall.SIGABRT)
		}},
		{kind: "engine halted", part: "work", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			s, pid, err := child(r)
			if err != nil {
				return s.name, err
			}
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				return s.name, err
			}
			wait(ctx, between(r, 2*time.Second, 6*time.Second))
			_ = syscall.Kill(pid, syscall.SIGCONT) // its worker may have ended it meanwhile
			return "of " + s.name, nil
		}},
	}
}
