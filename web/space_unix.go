//go:build linux || darwin || freebsd

package web

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes may still be written below dir.
func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("look at free space: %w", err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
