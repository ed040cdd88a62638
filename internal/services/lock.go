package services

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
)

// lock is held while a supervisor runs on a folder. The kernel frees it with the process, so it never goes stale.
type lock struct{ file *os.File }

// ErrAlreadyRunning matches (errors.Is) the fault of a second supervisor on one folder.
var ErrAlreadyRunning = fault.New(fault.Conflict, "already_running", "Vesper already runs on this data folder.")

// lookTime is how long somebody who only looks (Running) may hold the lock.
const lookTime = 500 * time.Millisecond

func takeLock(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "vesper.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, folderFault(err, "open the lock")
	}
	err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	for end := time.Now().Add(lookTime); errors.Is(err, unix.EWOULDBLOCK) && time.Now().Before(end); {
		time.Sleep(lookTime / 20)
		err = flock(f, unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, folderFault(err, "take the lock")
		}
		return nil, fault.New(ErrAlreadyRunning.Kind, ErrAlreadyRunning.Code, fmt.Sprintf(
			"Vesper already runs on this data folder%s. Stop that one first, or choose another folder with --data.", holder(f)))
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(folderFault(err, "write the lock"), f.Close())
	}
	return &lock{file: f}, nil
}

func (l *lock) release() error {
	if l == nil || l.file == nil {
		return nil
	}
	// Freed by name, not by closing alone: a child that is being started at this moment may hold a copy of the descriptor.
	err := errors.Join(flock(l.file, unix.LOCK_UN), l.file.Close())
	l.file = nil
	return err
}

// Running returns the process id of the supervisor that holds a data folder, and whether there is one.
func Running(dir string) (pid int, running bool) {
	f, err := os.OpenFile(filepath.Join(dir, "vesper.lock"), os.O_RDWR, 0)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	if err := flock(f, unix.LOCK_SH|unix.LOCK_NB); err == nil {
		return 0, false
	}
	return readPID(f), true
}

// Started is when the supervisor that holds a data folder took it; the zero time where none ever did.
func Started(dir string) time.Time {
	info, err := os.Stat(filepath.Join(dir, "vesper.lock")) // written once, when it is taken
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func readPID(f *os.File) int {
	text := make([]byte, 16)
	n, _ := f.ReadAt(text, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}

func holder(f *os.File) string {
	if pid := readPID(f); pid > 0 {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}
