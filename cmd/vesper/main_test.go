package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vesper/internal/client"
	"vesper/internal/testkit"
)

// program is what a user gets: these tests know nothing of the program but its commands.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vesper-cmd-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "vesper")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build vesper:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// result is what a finished command left.
type result struct {
	code        int
	out, errOut string
}

// run runs a command to its end. env replaces or adds variables, as NAME=value.
func run(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("vesper %v: %v", args, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// want fails the test unless the command ended with this code and its output holds each of the texts.
func (r result) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\n%s\n%s", r.code, code, r.out, r.errOut)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.errOut, text) {
			t.Errorf("the output lacks %q:\n%s\n%s", text, r.out, r.errOut)
		}
	}
	if strings.Contains(r.errOut, "goroutine ") || strings.Contains(r.errOut, "panic") {
		t.Errorf("the program broke down:\n%s", r.errOut)
	}
}

// wantFault is want for a command that fails with this code for people, in one line.
func (r result) wantFault(t *testing.T, code string) {
	t.Helper()
	r.want(t, 1, "("+code+")")
	if strings.Count(r.errOut, "vesper: ") != 1 {
		t.Errorf("not one plain line:\n%s", r.errOut)
	}
}

// lines collects what a running command prints.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// background is a running command in a process group of its own.
type background struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  lines
	log  lines
	done chan struct{}
}

func start(t *testing.T, args ...string) *background { return startWith(t, nil, args...) }

// startWith is start with variables of the environment, as NAME=value.
func startWith(t *testing.T, env []string, args ...string) *background {
	t.Helper()
	b := &background{t: t, cmd: exec.Command(program, args...), done: make(chan struct{})}
	b.cmd.Env = append(os.Environ(), env...)
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.log
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.done)
		_ = b.cmd.Wait() // the exit code is read from the process state
	}()
	t.Cleanup(func() {
		b.signal(syscall.SIGKILL)
		<-b.done
		if t.Failed() {
			t.Logf("vesper %v said:\n%s\n%s", args, b.out.String(), tail(b.log.String()))
		}
	})
	return b
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// signal reaches the whole process group.
func (b *background) signal(sig syscall.Signal) { _ = syscall.Kill(-b.cmd.Process.Pid, sig) }

// says waits until the command has printed a text.
func (b *background) says(text string) {
	b.t.Helper()
	testkit.Until(b.t, 2*time.Minute, "vesper says "+text, func() bool {
		select {
		case <-b.done:
			b.t.Fatalf("vesper ended before it said %q:\n%s\n%s", text, b.out.String(), tail(b.log.String()))
		default:
		}
		return strings.Contains(b.out.String(), text)
	})
}

// ends waits for the command's end and returns its exit code.
func (b *background) ends() int {
	b.t.Helper()
	select {
	case <-b.done:
	case <-time.After(time.Minute):
		b.t.Fatal("vesper does not end")
	}
	return b.cmd.ProcessState.ExitCode()
}

// installation is a running `vesper up`.
type installation struct {
	*background
	dir, url string
}

// up starts an installation in a folder and waits until it is ready.
func up(t *testing.T, dir string, args ...string) *installation { return upIn(t, nil, dir, args...) }

// upIn is up with variables of the environment, as NAME=value.
func upIn(t *testing.T, env []string, dir string, args ...string) *installation {
	t.Helper()
	b := startWith(t, env, append([]string{"up", "--data", dir, "--any-port", "--listen", "127.0.0.1:" + freePort(t)}, args...)...)
	b.says("Stop with Ctrl-C.") // the last of what it prints when it is ready
	_, after, _ := strings.Cut(b.out.String(), "Vesper is ready:")
	return &installation{b, dir, strings.Fields(after)[0]}
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// folder is a data folder that PostgreSQL's own account can pass through.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vesper-cmd-data-") //nolint:usetesting // a short path: sockets of services lie below it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		testkit.Until(t, 30*time.Second, "no process uses "+dir, func() bool { return len(processesOf(t, dir)) == 0 })
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "data")
}

// password reads a demo login's password from where it is kept.
func (i *installation) password(login string) string {
	i.t.Helper()
	raw, err := os.ReadFile(filepath.Join(i.dir, "secrets", "demo-logins"))
	if err != nil {
		i.t.Fatal(err)
	}
	var all []struct{ Login, Password string }
	if err := json.Unmarshal(raw, &all); err != nil {
		i.t.Fatal(err)
	}
	for _, l := range all {
		if l.Login == login {
			return l.Password
		}
	}
	i.t.Fatalf("no login %s", login)
	return ""
}

// as is a signed-in client.
func (i *installation) as(login string) *client.Client {
	i.t.Helper()
	c, err := client.New(i.url)
	if err != nil {
		i.t.Fatal(err)
	}
	if _, err := c.Login(i.t.Context(), login, i.password(login)); err != nil {
		i.t.Fatal(err)
	}
	return c
}

// pid is the process of one of the installation's services.
func (i *installation) pid(service string) int {
	i.t.Helper()
	raw, err := os.ReadFile(filepath.Join(i.dir, "run", service+".json"))
	if err != nil {
		i.t.Fatal(err)
	}
	var r struct{ PID int }
	if err := json.Unmarshal(raw, &r); err != nil || r.PID < 2 {
		i.t.Fatalf("record of %s: %s %v", service, raw, err)
	}
	return r.PID
}

// processesOf lists the processes that name a folder on their command line.
func processesOf(t *testing.T, dir string) (found []string) {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
