package services

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
)

// LeastFree is the space in bytes below which a start is refused: PostgreSQL alone takes about 60 MB, and a database
// that fills its disk stops in the middle of work.
const LeastFree = 200 << 20

// FreeSpace returns how many bytes may still be written to the disk of a folder.
func FreeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of the data folder: %w", err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}

func checkDisk(dir string) error {
	free, err := FreeSpace(dir)
	if err != nil {
		return err
	}
	if free < LeastFree {
		return diskFull(fmt.Errorf("%d MB free, %d MB needed", free>>20, LeastFree>>20))
	}
	return nil
}

func diskFull(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "disk_full", fmt.Sprintf(
		"The disk of the data folder is full. Free at least %d MB there, or choose another folder with --data.", LeastFree>>20))
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func isDiskFullText(log string) bool {
	return strings.Contains(log, syscall.ENOSPC.Error()) || strings.Contains(strings.ToLower(log), "no space left on device")
}
