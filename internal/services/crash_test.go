package services_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"vesper/internal/services"
	"vesper/internal/testkit"
)

// The test program started with this variable is a supervisor of the folder it names, until somebody kills it.
const superviseEnv = "VESPER_TEST_SUPERVISE"

func superviseUntilKilled(dir string) {
	s, err := services.Up(context.Background(), services.Config{Dir: dir, AnyPort: true, Volatile: true})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s.Status())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

// supervisor runs the test program as a supervisor and returns its process and its children.
func supervisor(t *testing.T, dir string) (*exec.Cmd, []services.Status) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), superviseEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var children []services.Status
	if err := json.NewDecoder(out).Decode(&children); err != nil {
		t.Fatal("the supervisor did not start: ", err)
	}
	return cmd, children
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func TestAfterKillOfTheSupervisorEverythingStartsAgainWithItsData(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(sup *exec.Cmd, children []services.Status){
		"OnlyTheSupervisor": func(sup *exec.Cmd, _ []services.Status) { _ = sup.Process.Kill() },
		"TheWholeTree": func(sup *exec.Cmd, children []services.Status) {
			_ = sup.Process.Kill()
			for _, c := range children {
				_ = syscall.Kill(c.PID, syscall.SIGKILL)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			first := start(t, services.Config{Dir: dir, Only: []string{services.Postgres}})
			mustPsql(t, first.PostgresURL(""), "CREATE TABLE kept AS SELECT 42 AS n")
			stop(t, first)

			sup, children := supervisor(t, dir)
			kill(sup, children)
			_ = sup.Wait()

			second := start(t, services.Config{Dir: dir}) // at once: what is still dying must not be in the way
			if n := mustPsql(t, second.PostgresURL(""), "SELECT n FROM kept"); n != "42" {
				t.Errorf("the table holds %s", n)
			}
			for _, c := range children {
				// It has ended by now; init only needs a moment to forget it.
				testkit.Until(t, 5*time.Second, c.Name+" of the killed supervisor is gone", func() bool { return gone(c.PID) })
			}
		})
	}
}

func TestChildrenDoNotOutliveAKilledSupervisor(t *testing.T) {
	t.Parallel()
	sup, children := supervisor(t, folder(t))
	_ = sup.Process.Kill()
	_ = sup.Wait()
	for _, c := range children {
		testkit.Until(t, 20*time.Second, c.Name+" ended", func() bool { return gone(c.PID) })
	}
}

func TestARecordOfAReusedProcessNumberKillsNobody(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	record := fmt.Sprintf(`{"pid":%d,"start":"another boot/1","stop_signal":15}`, stranger.Process.Pid)
	if err := os.WriteFile(filepath.Join(dir, "run", "redis.json"), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, services.Config{Dir: dir, Only: []string{services.Redis}})
	if gone(stranger.Process.Pid) {
		t.Fatal("a stranger was killed")
	}
}

func TestAProcessFileOfACrashedPostgresThatNamesAStrangerIsNotInTheWay(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cfg := services.Config{Dir: dir, Only: []string{services.Postgres}}
	s := start(t, cfg)
	data := filepath.Join(dir, "postgres")
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s)
	owner := info.Sys().(*syscall.Stat_t)
	// The stranger runs under PostgreSQL's own account: only then does PostgreSQL itself believe such a file.
	stranger := exec.Command("sleep", "60")
	if os.Geteuid() == 0 {
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	file := filepath.Join(data, "postmaster.pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(stranger.Process.Pid)+"\n"+data+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
	start(t, cfg)
	if gone(stranger.Process.Pid) {
		t.Fatal("a stranger was killed")
	}
}

func TestAHalfMadeClusterIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "postgres.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, services.Config{Dir: dir, Only: []string{services.Postgres}})
}
