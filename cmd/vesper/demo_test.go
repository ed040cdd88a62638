package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"vesper/internal/testkit"
)

func TestTheDemoGoesTheWholeWayAlsoAfterItWasKilled(t *testing.T) {
	temp := t.TempDir()
	if err := os.Chmod(temp, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(temp), 0o711); err != nil { // PostgreSQL's own account must pass through
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	killed := start(t, "demo")
	killed.says("received")
	killed.signal(syscall.SIGKILL)
	killed.ends()
	testkit.Until(t, 30*time.Second, "its services end too", func() bool { return len(processesOf(t, temp)) == 0 })

	r := run(t, nil, "demo", "--json")
	r.want(t, 0)
	var out struct {
		OK      bool
		Seconds float64
		Steps   []struct {
			Name, Detail string
			Seconds      float64
		}
	}
	if err := json.Unmarshal([]byte(r.out), &out); err != nil {
		t.Fatalf("%v in %s", err, r.out)
	}
	var names []string
	for _, s := range out.Steps {
		names = append(names, s.Name)
		if s.Seconds < 0 || s.Detail == "" {
			t.Errorf("step %+v", s)
		}
	}
	want := []string{"start", "log in", "received", "transcribed", "drafted", "claimed", "corrected", "sent", "signed", "delivered", "compared", "audited", "stop"}
	if !out.OK || !slices.Equal(names, want) {
		t.Errorf("ok %v, steps %v", out.OK, names)
	}
	left, err := filepath.Glob(filepath.Join(temp, "vesper-demo-*"))
	if err != nil || len(left) != 1 { // that of the killed one
		t.Errorf("folders %v, %v", left, err)
	}
}
