package nemesis_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vesper/internal/testkit"
)

// How the run is set: go test ./bench/nemesis -run TestNothingIsLost -v -args -seconds 1200 -seed 7.
var (
	seconds = flag.Int("seconds", 120, "how long faults are injected")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "which faults, when and to whom")
	only    = flag.String("only", "", "only faults with this in their name; empty: all")
	keep    = flag.String("keep", "", "folder that the history and the logs are written to; a temporary one is kept only after a failure")
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(ehrVariable); dir != "" {
		ehrMain(dir)
		return
	}
	// A link of toxiproxy that is cut while it writes may wait for ever for a reader that has gone. Nothing of ours hangs on it.
	testkit.Main(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
}

// programs are built once for each set of build tags.
var programs struct {
	sync.Mutex
	made map[string]string
}

// program builds vesper from the sources as they are.
func program(t *testing.T, tags string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if path := programs.made[tags]; path != "" {
		return path
	}
	dir := t.TempDir()
	t.Cleanup(func() {
		programs.Lock()
		defer programs.Unlock()
		delete(programs.made, tags)
	})
	path := filepath.Join(dir, "vesper")
	build := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", path, "../../cmd/vesper")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build vesper: %v\n%s", err, out)
	}
	if programs.made == nil {
		programs.made = map[string]string{}
	}
	programs.made[tags] = path
	return path
}

// say prints a line at once; go test shows it with -v.
func say(format string, args ...any) {
	if testing.Verbose() {
		fmt.Printf(format+"\n", args...)
	}
}
