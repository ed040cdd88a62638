package services

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// childAttr puts a child into its own process group (Ctrl-C in the terminal must reach only the supervisor), under its
// own account, and lets the kernel send it sig when the supervisor dies by whatever means.
func childAttr(u *User, sig syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: sig}
	if u != nil {
		attr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	return attr
}

// processStart identifies a process beyond its reusable number: the boot and the tick at which it started. It is empty
// when there is no such process, or only its remains.
func processStart(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything; the fields after the last parenthesis are fixed: state is the third
	// field of proc(5), starttime the 22nd.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fields[19]
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}

// serves says whether the process is a PostgreSQL that works in this data folder.
func serves(pid int, dataDir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	want, err := filepath.EvalSymlinks(dataDir)
	return err == nil && cwd == want
}

// descriptorPath is how a child reaches a folder that was opened for it, even below folders that it may not enter.
func descriptorPath(fd int) (string, bool) { return fmt.Sprintf("/proc/self/fd/%d", fd), true }
