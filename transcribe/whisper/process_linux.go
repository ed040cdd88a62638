package whisper

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// selfExecutable stays right when the binary on disk is replaced while the process runs.
func selfExecutable() (string, error) { return "/proc/self/exe", nil }

// childAttributes put a child into its own process group and let it die with its parent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// boundMemory makes an allocation beyond the limit fail, on which the child ends with what it was doing; and offers the child
// first when the whole machine runs out, so that the worker and everything else live on. RLIMIT_AS would count the shared
// weights and what the runtime only reserves; RLIMIT_DATA counts private memory that may be written.
func boundMemory(most uint64) {
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most}) // lower than it was: always allowed
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("600"), 0)                    // raising one's own is always allowed
}

// availableMemory is what the kernel, or a tighter control group, would give us, in bytes; 0 if unknown.
func availableMemory() uint64 {
	var free uint64
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) >= 2 && f[0] == "MemAvailable:" {
				kb, _ := strconv.ParseUint(f[1], 10, 64) // 0 on garbage: unknown
				free = kb << 10
			}
		}
	}
	limit, ok1 := readNumber("/sys/fs/cgroup/memory.max")
	used, ok2 := readNumber("/sys/fs/cgroup/memory.current")
	if ok1 && ok2 && limit > used && (free == 0 || limit-used < free) {
		free = limit - used
	}
	return free
}

func readNumber(path string) (uint64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
