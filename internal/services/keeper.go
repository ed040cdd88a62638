package services

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// keeper starts children from one thread that lives as long as the stack. Linux delivers the parent's death signal when
// the starting thread ends, not the process, so a thread that the Go runtime may retire must not start anything.
type keeper struct {
	work chan func()
	quit chan struct{}
	done chan struct{}
	once sync.Once
}

func newKeeper() *keeper {
	k := &keeper{work: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	go k.keep()
	return k
}

func (k *keeper) keep() {
	defer close(k.done)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		select {
		case f := <-k.work:
			f()
		case <-k.quit:
			return
		}
	}
}

// close ends the keeper, after all children. A stack that is only attached has none.
func (k *keeper) close() {
	if k == nil {
		return
	}
	k.once.Do(func() { close(k.quit) })
	<-k.done
}

func (k *keeper) do(f func() error) (err error) {
	ran := make(chan struct{})
	select {
	case k.work <- func() { defer close(ran); err = f() }:
		<-ran
		return err
	case <-k.done:
		return errors.New("the stack is stopped")
	}
}

// child is one run of a program.
type child struct {
	cmd     *exec.Cmd
	pid     int
	record  string
	logPath string
	logFrom int64
	exited  chan struct{}
	err     error // valid once exited is closed
}

// spawn starts the program in its own process group with its output in logs/NAME.log, and leaves a record of it.
func (k *keeper) spawn(spec Spec, c Command, dir string) (*child, error) {
	for _, f := range c.Files {
		defer f.Close()
	}
	logPath := filepath.Join(dir, "logs", spec.Name+".log")
	log, from, err := openLog(logPath)
	if err != nil {
		return nil, folderFault(err, "open the log of "+spec.Name)
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = "/", c.Env, c.Files
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttr(c.User, spec.StopSignal)
	if err := k.do(cmd.Start); err != nil {
		return nil, err
	}
	ch := &child{
		cmd: cmd, pid: cmd.Process.Pid, logPath: logPath, logFrom: from, exited: make(chan struct{}),
		record: recordPath(dir, spec.Name),
	}
	go ch.wait()
	if err := writeRecord(ch.record, ch.pid, spec.StopSignal); err != nil {
		ch.end(spec.StopSignal, spec.StopWithin)
		return nil, folderFault(err, "record the process")
	}
	return ch, nil
}

func (c *child) wait() {
	c.err = c.cmd.Wait()
	close(c.exited)
}

func (c *child) alive() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// outcome says how the child ended. Only after exited is closed.
func (c *child) outcome() error {
	if c.err == nil {
		return errors.New("exit status 0")
	}
	return c.err
}

// end asks the child to stop, kills it when it takes longer than within, and returns when it is gone.
func (c *child) end(sig syscall.Signal, within time.Duration) {
	defer os.Remove(c.record)
	_ = c.cmd.Process.Signal(sig)
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-c.exited:
	case <-t.C:
		c.kill()
		<-c.exited
	}
}

// kill ends the child and its process group at once.
func (c *child) kill() {
	if c.alive() {
		_ = syscall.Kill(-c.pid, syscall.SIGKILL)
		_ = c.cmd.Process.Kill()
	}
}

// logTail returns the end of what this run wrote to its log, at most 2 kB.
func (c *child) logTail() string {
	f, err := os.Open(c.logPath)
	if err != nil {
		return ""
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	from := max(c.logFrom, end-2048)
	text, err := io.ReadAll(io.NewSectionReader(f, from, end-from))
	if err != nil {
		return ""
	}
	return string(text)
}

// A log that has grown past this is put aside as NAME.log.1 at the next start.
const logKeep = 10 << 20

func openLog(path string) (*os.File, int64, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > logKeep {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, 0, fmt.Errorf("rotate log: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, end, nil
}
