//go:build crashpoints

package crashpoint

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Armed says whether this build can be killed at its crash points.
const Armed = true

// Variable names the environment variable that holds the path of the file that arms a place: its name and, after a space,
// at which of this process's visits to it (1 when left out). Whoever is killed renames the file to PATH.NAME first, so that
// of all processes that share it one is killed once.
const Variable = "VESPER_CRASH_FILE"

var (
	path   = os.Getenv(Variable)
	visits = map[string]int{}
	mu     sync.Mutex
)

// At marks a place. name is unique in the program: what is done, and before or after what.
func At(name string) {
	if path == "" {
		return
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return // nothing is armed
	}
	want, nth, _ := strings.Cut(strings.TrimSpace(string(raw)), " ")
	if want != name || !due(name, nth) || os.Rename(path, path+"."+name) != nil {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // never a step further
}

func due(name, nth string) bool {
	mu.Lock()
	defer mu.Unlock()
	visits[name]++
	n, err := strconv.Atoi(nth)
	return err != nil || visits[name] >= n
}
