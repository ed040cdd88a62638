package whisper

import (
	"os"
	"runtime"
)

// stateBytes is what a child needs beside the weights, which all share: about 160 MB measured for base, more for larger
// models, whose states grow with them.
const stateBytes = 192 << 20

// each is what one child needs for itself with a model of this size.
func each(weights uint64) uint64 { return weights/2 + stateBytes }

// FitChildren is how many children each of these models may have on this machine, when they run side by side: one for each
// processor, with one thread, which beats fewer children with more threads, as long as three quarters of the memory hold
// them all. It is at least one.
func FitChildren(gpu bool, models ...string) int {
	if gpu {
		return 1
	}
	return fit(runtime.GOMAXPROCS(0), availableMemory(), sizes(models))
}

func sizes(models []string) []uint64 {
	var out []uint64
	for _, path := range models {
		if st, err := os.Stat(path); err == nil {
			out = append(out, uint64(st.Size()))
		}
	}
	return out
}

func fit(processors int, free uint64, weights []uint64) int {
	if free == 0 || len(weights) == 0 {
		return max(1, processors) // unknown
	}
	room, need := free/4*3, uint64(0)
	for _, w := range weights {
		room -= min(room, w)
		need += each(w)
	}
	return max(1, min(processors, int(room/need)))
}

// memoryLimit is the most that a child may take for itself: three times what it needs, because a bound that is reached in
// ordinary work would break it down. It counts writable private memory, so the shared weights are not in it; where each
// child loads its own, they are.
func memoryLimit(c Config) uint64 {
	if c.Memory > 0 {
		return c.Memory
	}
	var weights uint64
	for _, w := range sizes([]string{c.Model.Path}) {
		weights = w
	}
	limit := 3*each(weights) + 512<<20
	if c.weights == nil {
		limit += 2 * weights
	}
	return limit
}
