//go:build !linux

package nemesis_test

import (
	"errors"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func mountSmallDisk(string) error { return errors.New("small disks are mounted on Linux only") }

func unmount(string) error { return nil }
