package services

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"vesper/internal/fault"
)

// Command is how one run of a child begins.
type Command struct {
	Path  string
	Args  []string
	Env   []string
	Files []*os.File // from descriptor 3 on
	User  *User      // nil: the supervisor's own
}

// User is an account of this machine.
type User struct {
	Name     string
	UID, GID uint32
}

// Spec describes a child process: what it is called, how it starts, when it is ready and how it stops.
type Spec struct {
	// Name is used in logs and file names.
	Name string
	// Title is how people know the program.
	Title string
	// Needs are the names of services that must be ready first.
	Needs []string
	// Command is asked before each start. first is false when a died child is brought back, and then its port must stay.
	Command func(ctx context.Context, first bool) (Command, error)
	// Ready makes one attempt to be answered by the child with this process id, in its own protocol.
	Ready func(ctx context.Context, pid int) error
	// Diagnose turns the end of the log of a child that did not start into a fault, or nil when it knows none.
	Diagnose func(log string) error
	// StartWithin bounds the wait for readiness.
	StartWithin time.Duration
	// StopSignal asks the child to end; after StopWithin it is killed. The same signal comes when the supervisor dies.
	StopSignal syscall.Signal
	StopWithin time.Duration
}

// How often a child that ends before it is ready is tried again on a first start. A port that was taken meanwhile and
// shared memory that a killed PostgreSQL still holds for a moment are the known reasons.
const startTries = 5

// A child that keeps dying is restarted ever more slowly, and for ever: a full disk gets space again.
const (
	backoffFirst = 200 * time.Millisecond
	backoffMost  = 30 * time.Second
	steadyAfter  = time.Minute // a child that lived so long starts with a short back-off again
)

// Process supervises one child: starts it, waits until it answers, brings it back when it dies, stops it.
type Process struct {
	spec   Spec
	dir    string
	log    *slog.Logger
	keeper *keeper

	starting sync.Mutex // one Start or Stop at a time

	mu       sync.Mutex
	life     *life
	child    *child
	up       bool
	restarts int
}

// life is the time between a Start and its Stop.
type life struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// ending is the cause with which a life is cancelled: which signal to end the child with.
type ending struct{ signal syscall.Signal }

func (e ending) Error() string { return "stopped by " + e.signal.String() }

func newProcess(spec Spec, dir string, k *keeper, log *slog.Logger) *Process {
	return &Process{spec: spec, dir: dir, keeper: k, log: log.With(slog.String("service", spec.Name))}
}

// Start runs the child and returns when it is ready. It does nothing when the child already runs.
func (p *Process) Start(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.current() != nil {
		return nil
	}
	began := time.Now()
	first := p.restartCount() == 0
	c, err := p.launchPatiently(ctx, first)
	if err != nil {
		return err
	}
	p.log.LogAttrs(ctx, slog.LevelInfo, p.spec.Title+" is ready",
		slog.Int("pid", c.pid), slog.Duration("after", time.Since(began).Round(time.Millisecond)))
	lifeCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	l := &life{ctx: lifeCtx, cancel: cancel, done: make(chan struct{})}
	p.mu.Lock()
	p.life, p.child, p.up = l, c, true
	p.mu.Unlock()
	go p.supervise(l, c)
	return nil
}

// launchPatiently tries a first start several times.
func (p *Process) launchPatiently(ctx context.Context, first bool) (*child, error) {
	wait := backoffFirst
	for try := 1; ; try++ {
		c, err := p.launch(ctx, first)
		if err == nil {
			return c, nil
		}
		var known *fault.Error
		if try == startTries || ctx.Err() != nil || (errors.As(err, &known) && known.Code != codeNotStarted) {
			return nil, err
		}
		p.log.LogAttrs(ctx, slog.LevelWarn, p.spec.Title+" did not start; trying again", slog.Int("try", try), slog.Any("error", err))
		if !pause(ctx, wait) {
			return nil, ctx.Err()
		}
		wait *= 2
	}
}

// launch starts one child and waits until it is ready; when it is not, the child is ended.
func (p *Process) launch(ctx context.Context, first bool) (*child, error) {
	cmd, err := p.spec.Command(ctx, first)
	if err != nil {
		return nil, err
	}
	c, err := p.keeper.spawn(p.spec, cmd, p.dir)
	if err != nil {
		return nil, fmt.Errorf("services: start %s: %w", p.spec.Name, err)
	}
	if err := p.awaitReady(ctx, c); err != nil {
		c.end(p.spec.StopSignal, p.spec.StopWithin)
		return nil, err
	}
	return c, nil
}

func (p *Process) awaitReady(ctx context.Context, c *child) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.spec.StartWithin, fmt.Errorf("not ready within %s", p.spec.StartWithin))
	defer cancel()
	ask := time.NewTicker(15 * time.Millisecond)
	defer ask.Stop()
	var last error
	for {
		probeCtx, done := context.WithTimeout(ctx, 2*time.Second)
		last = p.spec.Ready(probeCtx, c.pid)
		done()
		if last == nil && c.alive() {
			return nil
		}
		select {
		case <-c.exited:
			return p.notStarted(c, fmt.Errorf("ended before it was ready: %w", c.outcome()))
		case <-ctx.Done():
			return p.notStarted(c, fmt.Errorf("%w; last probe: %w", context.Cause(ctx), last))
		case <-ask.C:
		}
	}
}

const codeNotStarted = "service_not_started"

func (p *Process) notStarted(c *child, cause error) error {
	tail := c.logTail()
	if isDiskFullText(tail) {
		return diskFull(cause)
	}
	if p.spec.Diagnose != nil {
		if err := p.spec.Diagnose(tail); err != nil {
			return err
		}
	}
	return fault.Wrap(fmt.Errorf("start %s: %w; its log ends: %s", p.spec.Name, cause, tail), fault.Unavailable, codeNotStarted,
		fmt.Sprintf("%s did not start. The reason stands at the end of %s.", p.spec.Title, filepath.Join(p.dir, "logs", p.spec.Name+".log")))
}

// supervise brings the child back whenever it dies, until the life ends.
func (p *Process) supervise(l *life, c *child) {
	defer close(l.done)
	wait, born := backoffFirst, time.Now()
	for {
		select {
		case <-l.ctx.Done():
			p.conclude(l, c)
			return
		case <-c.exited:
		}
		if l.ctx.Err() != nil {
			return
		}
		p.setUp(false)
		if time.Since(born) > steadyAfter {
			wait = backoffFirst
		}
		p.log.LogAttrs(l.ctx, slog.LevelWarn, p.spec.Title+" died; it is started again",
			slog.Int("pid", c.pid), slog.Any("outcome", c.outcome()), slog.Duration("in", wait))
		if c, wait = p.revive(l, wait); c == nil {
			return
		}
		born = time.Now()
	}
}

// revive starts the child again, as often as it takes. It returns nil when the life ended meanwhile.
func (p *Process) revive(l *life, wait time.Duration) (*child, time.Duration) {
	for {
		if !pause(l.ctx, wait) {
			return nil, wait
		}
		wait = min(2*wait, backoffMost)
		c, err := p.launch(l.ctx, false)
		if l.ctx.Err() != nil && err != nil {
			return nil, wait
		}
		if err != nil {
			p.log.LogAttrs(l.ctx, slog.LevelError, p.spec.Title+" did not come back; trying again",
				slog.Duration("in", wait), slog.Any("error", err))
			continue
		}
		p.mu.Lock()
		p.child, p.up = c, true
		p.restarts++
		p.mu.Unlock()
		p.log.LogAttrs(l.ctx, slog.LevelInfo, p.spec.Title+" is back", slog.Int("pid", c.pid))
		return c, wait
	}
}

func (p *Process) conclude(l *life, c *child) {
	sig := p.spec.StopSignal
	if e, ok := errors.AsType[ending](context.Cause(l.ctx)); ok {
		sig = e.signal
	}
	c.end(sig, p.spec.StopWithin)
}

// Stop ends the child and waits until it is gone. It does nothing when the child does not run. When ctx ends first, the
// child is killed.
func (p *Process) Stop(ctx context.Context) error { return p.StopWith(ctx, p.spec.StopSignal) }

// StopWith is Stop with another signal, such as SIGQUIT for an immediate end of PostgreSQL.
func (p *Process) StopWith(ctx context.Context, sig syscall.Signal) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	p.mu.Lock()
	l, c := p.life, p.child
	p.mu.Unlock()
	if l == nil {
		return nil
	}
	l.cancel(ending{sig})
	var err error
	select {
	case <-l.done:
	case <-ctx.Done():
		c.kill()
		<-l.done
		err = fmt.Errorf("services: stop %s: killed: %w", p.spec.Name, context.Cause(ctx))
	}
	p.mu.Lock()
	p.life, p.child, p.up = nil, nil, false
	p.restarts++
	p.mu.Unlock()
	p.log.LogAttrs(ctx, slog.LevelInfo, p.spec.Title+" stopped")
	return err
}

// Kill sends SIGKILL to the child, which the supervisor then brings back. For tests of recovery.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil {
		p.child.kill()
	}
}

// abandon kills the child and ends its supervision without order, as a crash would.
func (p *Process) abandon() {
	p.starting.Lock()
	defer p.starting.Unlock()
	if l := p.current(); l != nil {
		l.cancel(ending{syscall.SIGKILL})
		<-l.done
	}
}

// Status says whether the child is up. Port is not known here.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Status{Name: p.spec.Name, Up: p.up && p.child.alive(), Restarts: p.restarts}
	if st.Up {
		st.PID = p.child.pid
	}
	return st
}

func (p *Process) current() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life
}

func (p *Process) restartCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

func (p *Process) setUp(up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = up
}

// pause waits and says whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
