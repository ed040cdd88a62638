package watch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
)

// lock keeps a second watcher out of the folder. On one machine, and on shares that can, the file itself is locked, and
// the kernel lets go of it when the process dies. Across machines whose share cannot, the holder writes a growing number
// into the file, and who comes later watches whether it grows: no two clocks have to agree.
//
// Two watchers would not make two dictations of one recording, the server sees to that. They would take files from under
// each other's hands.
type lock struct {
	path string
	file *os.File
	own  holder
}

// holder is what stands in the file.
type holder struct {
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Token string `json:"token"`
	Beat  int    `json:"beat"`
}

// errLost means that the lock's file is gone or names another holder.
var errLost = errors.New("the lock of the folder is lost")

// beats without which the holder on another machine counts as gone.
const silentBeats = 3

// takeLock waits for silence where it must, and no longer than that.
func takeLock(ctx context.Context, path string, beat time.Duration, waiting func()) (*lock, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read host name: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lock{path: path, file: f, own: holder{Host: host, PID: os.Getpid(), Token: rand.Text()}}
	if err := l.take(ctx, beat, waiting); err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

func (l *lock) take(ctx context.Context, beat time.Duration, waiting func()) error {
	err := unix.Flock(int(l.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	other, _ := readHolder(l.path)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return busy(other)
	}
	if other.Host != "" && (other.Host != l.own.Host || err != nil && alive(other.PID)) {
		waiting()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(silentBeats * beat):
		}
		if now, _ := readHolder(l.path); now != other {
			return busy(now)
		}
	}
	return l.write()
}

func alive(pid int) bool { return unix.Kill(pid, 0) == nil }

func busy(h holder) error {
	who := "Another process"
	if h.Host != "" {
		who = fmt.Sprintf("Process %d on %s", h.PID, h.Host)
	}
	return fault.New(fault.Conflict, "watch_busy", who+" watches this folder already. Stop one of the two.")
}

func readHolder(path string) (holder, error) {
	var h holder
	raw, err := os.ReadFile(path)
	if err == nil && len(raw) > 0 {
		err = json.Unmarshal(raw, &h)
	}
	return h, err
}

// write puts our record into the file, in place: the file's identity is what is locked.
func (l *lock) write() error {
	raw, err := json.Marshal(l.own)
	if err != nil {
		return fmt.Errorf("encode lock: %w", err)
	}
	if _, err := l.file.WriteAt(append(raw, '\n'), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(raw) + 1))
}

// held says that the lock is still ours and that its folder is still the one that it was taken in: a share that comes or
// goes brings another file, or none.
func (l *lock) held() error {
	if h, err := readHolder(l.path); err != nil || h.Token != l.own.Token {
		return errors.Join(errLost, plain(err))
	}
	return nil
}

// beat shows that we live, unless somebody else took over or the folder went away.
func (l *lock) beat() error {
	if err := l.held(); err != nil {
		return err
	}
	l.own.Beat++
	return l.write()
}

// release lets the next one in without waiting.
func (l *lock) release() {
	if h, err := readHolder(l.path); err == nil && h.Token == l.own.Token {
		_ = l.file.Truncate(0)
	}
	l.file.Close()
}
