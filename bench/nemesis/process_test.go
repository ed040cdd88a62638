package nemesis_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vesper/bench/nemesis"
)

// process is one child that is started again whenever it ends, as an init system would, until it is stopped.
type process struct {
	name    string
	path    string
	args    []string
	env     []string
	log     io.Writer
	history *nemesis.History

	mu      sync.Mutex
	cmd     *exec.Cmd
	stopped bool
	starts  int
	died    []string // how it ended by itself, where that is a fault of the program
	done    chan struct{}
}

// run keeps the child running until stop. It is started on a thread that lives as long as the practice: the kernel kills a
// child when the thread that started it ends.
func (s *process) run(t *testing.T, on chan func()) {
	t.Helper()
	s.done = make(chan struct{})
	first := make(chan error, 1)
	go func() {
		defer close(s.done)
		for pause := time.NewTimer(0); ; pause.Reset(200 * time.Millisecond) {
			<-pause.C
			wait, err := s.once(on)
			select {
			case first <- err:
			default:
			}
			if wait != nil {
				wait()
			}
			if err != nil || s.over() {
				return
			}
		}
	}()
	if err := <-first; err != nil {
		t.Fatalf("start %s: %v", s.name, err)
	}
	t.Cleanup(func() { s.stop(syscall.SIGKILL) })
}

func (s *process) once(on chan func()) (wait func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(s.path, s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = ownGroup()
	began := make(chan error)
	on <- func() { began <- cmd.Start() }
	err = <-began
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	s.cmd = cmd
	s.starts++
	return func() {
		s.read(r) // until every descendant that holds the pipe has ended
		r.Close()
		_ = cmd.Wait() // how it ended is in the log
	}, nil
}

// read takes signs of life out of the child's log, and what no fault outside may cause.
func (s *process) read(r io.Reader) {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprintf(s.log, "%s %s", s.name, line)
		var entry struct {
			Time time.Time `json:"time"`
			Msg  string    `json:"msg"`
			Kind string    `json:"kind"`
			Code string    `json:"code"`
		}
		_ = json.Unmarshal([]byte(line), &entry) // other lines are not the logger's
		switch {
		case entry.Msg == "stage" && entry.Code == "ok":
			s.history.Lives("stage", entry.Time)
			s.history.Lives("stage:"+entry.Kind, entry.Time)
			s.history.Lives("worker:"+s.name, entry.Time)
		case entry.Code == "stage_panicked", strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "), strings.Contains(line, "DATA RACE"):
			s.mu.Lock()
			s.died = append(s.died, strings.TrimSpace(line))
			s.mu.Unlock()
		}
	}
}

func (s *process) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *process) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// signal reaches the child only, not what it started.
func (s *process) signal(sig syscall.Signal) error {
	pid := s.pid()
	if pid == 0 {
		return fmt.Errorf("%s does not run", s.name)
	}
	return syscall.Kill(pid, sig)
}

// stop ends the child for good.
func (s *process) stop(sig syscall.Signal) {
	s.mu.Lock()
	s.stopped = true
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
		_ = s.cmd.Process.Signal(sig)
	}
	s.mu.Unlock()
	<-s.done
}

// children are the processes that a process started and that still run.
func children(pid int) []int {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is well-formed
	var out []int
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(raw)) {
			if child, err := strconv.Atoi(field); err == nil {
				out = append(out, child)
			}
		}
	}
	return out
}
