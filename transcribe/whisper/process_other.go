//go:build !linux

package whisper

import (
	"os"
	"syscall"
)

func selfExecutable() (string, error) { return os.Executable() }

// childAttributes put a child into its own process group. Without a death signal it ends when its input closes.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// availableMemory is unknown here; the number of processors alone decides.
func availableMemory() uint64 { return 0 }

// boundMemory does nothing where the kernel has no such bound.
func boundMemory(uint64) {}
