package whisper

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// sharedMemory is an unnamed file in memory that children map.
func sharedMemory() (*os.File, error) {
	fd, err := unix.MemfdCreate("vesper-weights", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for the weights: %w", err)
	}
	return os.NewFile(uintptr(fd), "vesper-weights"), nil
}
