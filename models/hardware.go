package models

import (
	"bufio"
	"io"
	"runtime"
	"strconv"
	"strings"
)

// Detect reads this machine's processors and memory, and on a Mac with Apple silicon its GPU, which shares the memory.
// Elsewhere only the engine knows whether it was built for a GPU; its caller sets the GPU fields.
func Detect() Hardware {
	hw := Hardware{CPUs: runtime.NumCPU(), MemoryMiB: memoryMiB()}
	if runtime.GOOS == "darwin" && runtime.GOARCH == "arm64" {
		hw.GPU, hw.GPUMemoryMiB = true, hw.MemoryMiB*2/3 // what Metal lets one program use
	}
	return hw
}

// parseMeminfo reads MemTotal from Linux's /proc/meminfo.
func parseMeminfo(r io.Reader) int {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:")
		if !ok {
			continue
		}
		kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
		if err != nil {
			return 0
		}
		return kib >> 10
	}
	return 0
}
