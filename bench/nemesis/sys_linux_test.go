package nemesis_test

import (
	"fmt"
	"os"
	"syscall"
)

// diskSize leaves PostgreSQL room for its first files and a good deal of log.
const diskSize = "size=1g,mode=0711"

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// mountSmallDisk needs the right to mount: root has it, except in most containers.
func mountSmallDisk(dir string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("only root can mount a small disk")
	}
	if err := syscall.Mount("vesper-nemesis", dir, "tmpfs", 0, diskSize); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	return nil
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }
