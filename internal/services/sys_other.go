//go:build unix && !linux

package services

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// childAttr puts a child into its own process group and account. Only Linux can tell children of the supervisor's
// death; elsewhere the next start finds and stops what was left.
func childAttr(u *User, _ syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if u != nil {
		attr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID}
	}
	return attr
}

// processStart identifies a process beyond its reusable number: the time at which it started. It is empty when there is
// no such process.
func processStart(pid int) string {
	out, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, start, found := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !found || strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(start)
}

// serves says whether the process is a PostgreSQL that works in this data folder.
func serves(pid int, dataDir string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres") && strings.Contains(string(out), dataDir)
}

// descriptorPath says that a child cannot reach a folder through an open descriptor here.
func descriptorPath(int) (string, bool) { return "", false }
