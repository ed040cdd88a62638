package main_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/testkit"
)

// sampleOf finds the sample dictation that --demo submits.
func (i *installation) sampleOf(c *client.Client) string {
	i.t.Helper()
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := c.Do(i.t.Context(), http.MethodGet, "/api/v1/dictations", nil, &list); err != nil {
		i.t.Fatal(err)
	}
	if len(list.Items) != 1 {
		i.t.Fatalf("%d dictations after the first start", len(list.Items))
	}
	return list.Items[0].ID
}

// total is how many dictations the supervisor sees.
func (i *installation) total() int {
	i.t.Helper()
	var list struct {
		Items []struct{} `json:"items"`
	}
	if err := i.as("sam").Do(i.t.Context(), http.MethodGet, "/api/v1/dictations?limit=100", nil, &list); err != nil {
		i.t.Fatal(err)
	}
	return len(list.Items)
}

// TestAnInstallationOutlivesWhatHappensToIt takes one data folder through what machines and people do to it, step by step.
func TestAnInstallationOutlivesWhatHappensToIt(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	i := up(t, dir, "--demo", "--children=1") // so that the sample's parts are heard one after the other
	if !strings.Contains(i.out.String(), "Demo logins") || !strings.Contains(i.out.String(), i.password("dr.avery")) {
		t.Errorf("the logins are not shown:\n%s", i.out.String())
	}
	secretsArePrivate(t, dir)
	run(t, nil, "up", "--data", dir).wantFault(t, "already_running")

	// Killed in the middle of a transcription, with at least one part saved.
	physician := i.as("dr.avery")
	sample := i.sampleOf(physician)
	testkit.Until(t, 2*time.Minute, "a part of the sample is transcribed", func() bool {
		s, err := physician.Status(t.Context(), sample)
		if err != nil || s.State != "queued" {
			t.Fatalf("the sample is %s after %d of %d parts: %v", s.State, s.Done, s.Total, err)
		}
		return s.Done > 0
	})
	i.signal(syscall.SIGKILL)
	i.ends()
	testkit.Until(t, 30*time.Second, "the services end with their supervisor", func() bool { return len(processesOf(t, dir)) == 0 })

	i = up(t, dir, "--demo")
	if strings.Contains(i.out.String(), "Demo logins") {
		t.Error("the logins are shown a second time")
	}
	i.drafts(sample)
	i.answersWithoutItsParts(sample)
	i.healthy()

	i.signal(syscall.SIGINT)
	if code := i.ends(); code != 0 && code != 130 {
		t.Errorf("Ctrl-C ends with %d", code)
	}
	if left := processesOf(t, dir); len(left) != 0 {
		t.Errorf("Ctrl-C leaves %v", left)
	}
	if !strings.Contains(i.out.String(), "Stopped.") {
		t.Errorf("it does not say that it stopped:\n%s", i.out.String())
	}
}

func secretsArePrivate(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "secrets"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		if !d.IsDir() {
			n++
		}
		return nil
	})
	if err != nil || n < 6 {
		t.Errorf("%d secrets, %v", n, err)
	}
}

// drafts waits until a dictation is drafted.
func (i *installation) drafts(id string) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 2*time.Minute)
	defer cancel()
	if _, err := i.as("dr.avery").Await(ctx, id, "drafted"); err != nil {
		i.t.Fatal(err)
	}
}

// healthy asks the commands that look at a running installation.
func (i *installation) healthy() {
	i.t.Helper()
	run(i.t, nil, "doctor", "--data", i.dir).want(i.t, 0, "PostgreSQL", "Redis")
	i.practice()
	run(i.t, nil, "audit", "verify", "--data", i.dir).want(i.t, 0, "The log is whole.")
	run(i.t, nil, "fsck", "--deep", "--data", i.dir).want(i.t, 0, "Everything that was checked is in order.")
}

// practice creates a second practice by the data folder alone.
func (i *installation) practice() {
	i.t.Helper()
	cmd := exec.CommandContext(i.t.Context(), program, "practice", "--data", i.dir, "--login", "boss", "--admin", "Alex Fiction", "Second Practice")
	cmd.Stdin = strings.NewReader("a password of its own\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Log in as boss") {
		i.t.Errorf("no practice: %v\n%s", err, out)
	}
}

// submit sends a recording with the command, as a script would.
func (i *installation) submit(path string, more ...string) result {
	i.t.Helper()
	return run(i.t, []string{"VESPER_PASSWORD=" + i.password("dr.avery")}, append([]string{
		"submit", path, "--server", i.url, "--author", "dr.avery",
		"--patient", "DEMO-0001",
	}, more...)...)
}

// answersWithoutItsParts stops one service after the other under a running installation.
func (i *installation) answersWithoutItsParts(sample string) {
	t := i.t
	t.Helper()
	clip := clip(t, 2)

	redis := i.pid("redis")
	i.pause(redis, func() {
		run(t, nil, "doctor", "--data", i.dir).want(t, 1, "Redis", "(unhealthy)")
		i.submit(clip, "--key", "while Redis sleeps").want(t, 0, "received")
	})
	i.submit(clip, "--key", "while Redis sleeps").want(t, 0, "received before")

	before := i.total()
	other := file(t, "other.wav", string(read(t, clip))+"x")
	i.without("s3", func() { i.submit(other, "--stat").wantFault(t, "object_store_unavailable") })
	if n := i.total(); n != before {
		t.Errorf("%d dictations were acknowledged without a store", n-before)
	}
	testkit.Until(t, time.Minute, "the store is back", func() bool { return i.submit(other, "--stat").code == 0 })
	if n := i.total() - before; n != 1 {
		t.Errorf("%d dictations of one recording", n)
	}

	_ = syscall.Kill(i.pid("postgres"), syscall.SIGKILL)
	c, err := client.New(i.url)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Until(t, time.Minute, "the server answers after PostgreSQL was killed", func() bool {
		_, err := c.Login(t.Context(), "dr.avery", i.password("dr.avery"))
		if k := fault.KindOf(err); err != nil && k != fault.Unavailable {
			t.Fatalf("without a database: %v", err)
		}
		return err == nil
	})
	if s, err := c.Status(t.Context(), sample); err != nil || s.State != "drafted" {
		t.Errorf("the sample after the crash: %+v %v", s, err)
	}
	if n := i.total() - before; n != 1 {
		t.Errorf("after the crash %d dictations more than before", n)
	}
}

// pause stops a process while fn runs.
func (i *installation) pause(pid int, fn func()) {
	i.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	fn()
}

// without keeps a service from coming back while fn runs: it is killed as often as it is started again.
func (i *installation) without(service string, fn func()) {
	i.t.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for last := 0; ; {
			var r struct{ PID int }
			if raw, err := os.ReadFile(filepath.Join(i.dir, "run", service+".json")); err == nil && json.Unmarshal(raw, &r) == nil && r.PID > 1 && r.PID != last {
				last = r.PID
				_ = syscall.Kill(r.PID, syscall.SIGKILL)
			}
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	fn()
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
