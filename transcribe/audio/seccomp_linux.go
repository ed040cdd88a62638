package audio

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denied are the calls that a decoder of local files never needs: any network, and the tools of a break-out.
var denied = []uint32{
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV,
	unix.SYS_PROCESS_VM_WRITEV, unix.SYS_MOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN,
	unix.SYS_USERFAULTFD, unix.SYS_KEYCTL, unix.SYS_IO_URING_SETUP, unix.SYS_KILL, unix.SYS_PIDFD_SEND_SIGNAL,
}

var auditArch = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// denyCalls installs a filter that answers the denied calls with EPERM. On other processors it does nothing.
func denyCalls() error {
	arch, known := auditArch[runtime.GOARCH]
	if !known {
		return nil
	}
	const load, equal, above, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K,
		unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	const refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	n := uint8(len(denied))
	prog := []unix.SockFilter{
		{Code: load, K: 4}, // seccomp_data.arch
		{Code: equal, K: arch, Jt: 1},
		{Code: ret, K: refuse},
		{Code: load, K: 0}, // seccomp_data.nr
		{Code: above, K: 0x40000000, Jt: n + 1},
	}
	for i, nr := range denied {
		prog = append(prog, unix.SockFilter{Code: equal, K: nr, Jt: n - uint8(i)})
	}
	prog = append(prog, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW}, unix.SockFilter{Code: ret, K: refuse})
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&fprog)), 0, 0); err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	runtime.KeepAlive(prog)
	return nil
}
