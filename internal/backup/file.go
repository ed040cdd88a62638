package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
)

// partial is how a file is named until it is whole.
const partial = ".partial"

// File is an archive that is being written. It gets its name when it is whole.
type File struct {
	*os.File
	path string
}

// Create begins a file. A finished one of this name is never written over; what an earlier backup that was killed left
// behind is.
func Create(path string) (*File, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fault.New(fault.Conflict, "file_exists", "There is already a file "+path+". Backups are never overwritten; choose another name.")
	}
	f, err := os.OpenFile(path+partial, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fileFault(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.Conflict, "backup_running", "Another backup writes "+path+" at this moment. Wait for it, or choose another name.")
	}
	if err := errors.Join(f.Truncate(0), f.Chmod(0o600)); err != nil {
		_ = f.Close()
		return nil, fileFault(err)
	}
	return &File{f, path}, nil
}

// Finish makes sure that every byte is on the disk and gives the file its name.
func (f *File) Finish() error {
	if err := f.Sync(); err != nil {
		return fileFault(err)
	}
	if err := os.Rename(f.path+partial, f.path); err != nil {
		return fileFault(err)
	}
	if err := f.Close(); err != nil {
		return fileFault(err)
	}
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return fileFault(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // not every file system syncs folders
		return fileFault(err)
	}
	return nil
}

// Discard removes a file that was not finished. After Finish it does nothing.
func (f *File) Discard() {
	if _, err := f.Stat(); err == nil { // still open
		_ = os.Remove(f.path + partial)
		_ = f.Close()
	}
}

func fileFault(err error) error {
	if full(err) {
		return diskFull(err)
	}
	return fault.Wrap(fmt.Errorf("backup file: %w", err), fault.Unavailable, "backup_unwritable", "The backup's file cannot be written. Check the folder, its owner and its rights.")
}

func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

func diskFull(err error) error {
	return fault.Wrap(err, fault.Unavailable, "disk_full", "The disk is full. Free space, or choose a place on another disk, and begin again.")
}
