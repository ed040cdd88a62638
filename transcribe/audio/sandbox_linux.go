package audio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sandboxName is the argv[0] under which this binary, started again, locks itself in and then becomes ffmpeg. Limits that
// are set before exec leave no moment in which a hostile file meets an unbound decoder.
const sandboxName = "vesper-audio-sandbox"

// sandboxFailed is the exit code when the lock-in itself failed.
const sandboxFailed = 97

// The re-exec must be caught before any other start-up code runs, in every binary and test that links this package.
func init() { //nolint:gochecknoinits // it must run before main, whoever wrote main
	if len(os.Args) > 4 && os.Args[0] == sandboxName {
		err := becomeDecoder(os.Args[1:])
		fmt.Fprintln(os.Stderr, sandboxName+":", err)
		os.Exit(sandboxFailed)
	}
}

func sandboxed(ctx context.Context, b childBounds, bin string, args []string) *exec.Cmd {
	argv := append([]string{strconv.FormatUint(b.memoryBytes, 10), strconv.FormatUint(b.cpuSeconds, 10), b.input, bin}, args...)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", argv...)
	cmd.Args[0] = sandboxName
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd) }
	return cmd
}

func killGroup(cmd *exec.Cmd) error {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func becomeDecoder(args []string) error {
	memory, err1 := strconv.ParseUint(args[0], 10, 64)
	cpu, err2 := strconv.ParseUint(args[1], 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	input, bin := args[2], args[3]
	runtime.LockOSThread() // Landlock and seccomp bind this thread; exec keeps only this one
	if err := limit(cpu); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if err := confineFiles(input, bin); err != nil {
		return err
	}
	if err := denyCalls(); err != nil {
		return err
	}
	return execBounded(memory, bin, append([]string{"ffmpeg"}, args[4:]...), os.Environ())
}

// execBounded becomes the program with a bound on its address space. The Go runtime itself reserves more than a decoder may
// have, and dies when it cannot map: so the bound is the last thing before exec, with nothing allocated in between.
func execBounded(memory uint64, bin string, argv, env []string) error {
	path, err1 := syscall.BytePtrFromString(bin)
	args, err2 := syscall.SlicePtrFromStrings(argv)
	vars, err3 := syscall.SlicePtrFromStrings(env)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	bound := unix.Rlimit{Cur: memory, Max: memory}
	debug.SetGCPercent(-1)
	_, _, errno := unix.RawSyscall6(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_AS, uintptr(unsafe.Pointer(&bound)), 0, 0, 0)
	if errno == 0 {
		_, _, errno = unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])),
			uintptr(unsafe.Pointer(&vars[0])))
	}
	return fmt.Errorf("exec: %w", errno)
}

func limit(cpu uint64) error {
	for res, v := range map[int]uint64{
		unix.RLIMIT_CPU: cpu, unix.RLIMIT_FSIZE: 1 << 20, unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 64,
	} {
		if err := syscall.Setrlimit(res, &syscall.Rlimit{Cur: v, Max: v}); err != nil {
			return fmt.Errorf("rlimit %d: %w", res, err)
		}
	}
	return syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5)
}

// systemPaths is what a dynamically linked decoder needs; on Nix and in /opt installations too.
var systemPaths = []string{
	"/usr", "/lib", "/lib32", "/lib64", "/bin", "/opt", "/nix/store", "/etc/ld.so.cache", "/etc/alternatives",
	"/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom",
}

// confineFiles lets the child read system libraries and the one recording, and write nothing. A kernel without Landlock
// leaves the demuxer and protocol lists as the guard.
func confineFiles(input, bin string) error {
	const read = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_EXECUTE
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 || int(abi) < 1 {
		return nil //nolint:nilerr // as the comment above says
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: 1<<13 - 1} // all file rights of version 1
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
		size += unsafe.Sizeof(attr.Handled_access_net)
	}
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	for _, p := range readable(input, bin) {
		if err := allowPath(int(rules), p, read); err != nil {
			return err
		}
	}
	if _, _, errno = unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0, 0); errno != 0 {
		return fmt.Errorf("landlock: restrict: %w", errno)
	}
	return nil
}

func readable(input, bin string) []string {
	paths := append([]string{filepath.Dir(bin)}, systemPaths...)
	if input != "" {
		paths = append(paths, input)
	}
	return paths
}

func allowPath(rules int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // not on this system
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("landlock: stat: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &^= unix.LANDLOCK_ACCESS_FS_READ_DIR
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: allow: %w", errno)
	}
	return nil
}

func outOfBounds(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	st, ok := exit.Sys().(syscall.WaitStatus)
	return ok && st.Signaled() && (st.Signal() == syscall.SIGXCPU || st.Signal() == syscall.SIGKILL)
}
