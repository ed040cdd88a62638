package services

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vesper/internal/fault"
)

// shell is a child that runs a script and is ready when the file "ready" exists.
func shell(t *testing.T, script string) (*Process, string) {
	t.Helper()
	dir := t.TempDir()
	if err := prepareFolder(dir); err != nil {
		t.Fatal(err)
	}
	k := newKeeper()
	t.Cleanup(k.close)
	spec := Spec{
		Name: "shell", Title: "The shell", StartWithin: 5 * time.Second, StopSignal: syscall.SIGTERM, StopWithin: 300 * time.Millisecond,
		Command: func(context.Context, bool) (Command, error) {
			return Command{Path: "/bin/sh", Args: []string{"-c", script, "sh", dir}, Env: baseEnv()}, nil
		},
		Ready: func(context.Context, int) error {
			_, err := os.Stat(filepath.Join(dir, "ready"))
			return err
		},
	}
	return newProcess(spec, dir, k, slog.New(slog.DiscardHandler)), dir
}

func TestAChildThatIgnoresItsStopSignalIsKilled(t *testing.T) {
	t.Parallel()
	p, _ := shell(t, `trap '' TERM; : > "$1/ready"; while :; do sleep 0.05; done`)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := p.Status().PID
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		t.Fatal("the child still lives")
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal("a second stop fails: ", err)
	}
}

func TestAChildThatNeverGetsReadyIsAFaultWithTheEndOfItsLog(t *testing.T) {
	t.Parallel()
	p, dir := shell(t, `echo 'cannot read the settings'; exit 3`)
	err := p.Start(t.Context())
	f := fault.As(err)
	if f.Code != codeNotStarted || !strings.Contains(f.Public, filepath.Join(dir, "logs", "shell.log")) {
		t.Fatalf("got %v: %s", err, f.Public)
	}
	if !strings.Contains(err.Error(), "cannot read the settings") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("the cause does not say why: %v", err)
	}
}

func TestAFullDiskIsNamed(t *testing.T) {
	t.Parallel()
	p, _ := shell(t, `echo 'could not write: No space left on device'; exit 1`)
	if f := fault.As(p.Start(t.Context())); f.Code != "disk_full" {
		t.Fatalf("got %v", f)
	}
	if !isDiskFull(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}) {
		t.Error("ENOSPC is not seen as a full disk")
	}
	if f := fault.As(folderFault(syscall.ENOSPC, "write")); f.Code != "disk_full" {
		t.Errorf("got %v", f)
	}
}

func TestALongLogIsPutAside(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.log")
	if err := os.WriteFile(path, make([]byte, logKeep+1), 0o600); err != nil {
		t.Fatal(err)
	}
	f, from, err := openLog(path)
	if err != nil || from != 0 {
		t.Fatalf("starts at %d, %v", from, err)
	}
	f.Close()
	if info, err := os.Stat(path + ".1"); err != nil || info.Size() != logKeep+1 {
		t.Fatal("the old log is gone: ", err)
	}
}

func TestThePortSearchSkipsWhatThisStackHasTaken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := openPorts(dir, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.choose("one", 23456)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.choose("two", a)
	if err != nil || b == a {
		t.Fatalf("both got %d, %v", a, err)
	}
	again, err := openPorts(dir, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := again.choose("two", 0); err != nil || c != b {
		t.Fatalf("was %d, is %d, %v", b, c, err)
	}
}

func TestADamagedPortsFileIsNotInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ports.json"), []byte(`{"web":`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := openPorts(dir, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if port, err := p.choose("web", 0); err != nil || port == 0 {
		t.Fatal(port, err)
	}
}

func TestAnotherMajorVersionOfPostgresIsNotTakenForTheDataFolder(t *testing.T) {
	t.Parallel()
	if _, err := FindPostgres(t.Context(), 9); fault.As(err).Code != "postgres_missing" {
		t.Fatalf("got %v", err)
	}
	p, err := FindPostgres(t.Context(), 0)
	if err != nil || p.Major < LeastPostgres {
		t.Fatalf("found %+v, %v", p, err)
	}
}
