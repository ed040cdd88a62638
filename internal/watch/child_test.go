package watch_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vesper/internal/client"
	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/internal/watch"
)

// child is this test binary as a watcher of its own, which can be killed.
func child() int {
	api, err := client.New(os.Getenv("VESPER_WATCH_SERVER"))
	if err != nil {
		fmt.Println(err)
		return 2
	}
	_, err = watch.Run(context.Background(), watch.Options{
		Dir: os.Getenv("VESPER_WATCH_CHILD"), Scope: "child", Poll: 15 * time.Millisecond, Looks: 3, Pause: 20 * time.Millisecond,
		Session: &watch.Session{API: api, Login: os.Getenv("VESPER_WATCH_LOGIN"), Password: func() (string, error) { return password, nil }},
		Tell: func(e watch.Event) {
			raw, _ := json.Marshal(e)
			fmt.Println(string(raw))
		},
	})
	fmt.Println(fault.As(err).Code)
	return 1
}

// process is a child.
type process struct {
	w    *world
	cmd  *exec.Cmd
	mu   sync.Mutex
	said strings.Builder
	done chan struct{}
}

func (w *world) child(as *syscall.Credential) *process {
	w.Helper()
	self, err := os.Executable()
	w.must(err)
	if as != nil { // the binary lies where only its maker may look
		copied := filepath.Join(openFolder(w), "watcher")
		raw, err := os.ReadFile(self)
		w.must(err)
		w.must(os.WriteFile(copied, raw, 0o755))
		self = copied
	}
	p := &process{w: w, cmd: exec.Command(self), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "VESPER_WATCH_CHILD="+w.dir, "VESPER_WATCH_SERVER="+w.url, "VESPER_WATCH_LOGIN="+w.logins["avery"])
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	out, err := p.cmd.StdoutPipe()
	w.must(err)
	w.must(p.cmd.Start())
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.mu.Lock()
			fmt.Fprintln(&p.said, lines.Text())
			p.mu.Unlock()
		}
		_, _ = io.Copy(io.Discard, out)
		_ = p.cmd.Wait() // how it ends is asked of its state
	}()
	w.Cleanup(p.kill)
	return p
}

// openFolder is one that every account may enter.
func openFolder(w *world) string {
	dir, err := os.MkdirTemp("", "vesper-watch-") // its parents must be open too
	w.must(err)
	w.must(os.Chmod(dir, 0o711))
	w.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) says(text string) {
	p.w.Helper()
	testkit.Until(p.w, 20*time.Second, "the process says "+text, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(p.said.String(), text)
	})
}

func TestAProcessKilledInTheMiddleOfAnUploadGoesOnWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := tone(6 << 20)
	w.put("long.wav", content)
	reached, goOn := make(chan struct{}), make(chan struct{})
	w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && r.Header.Get("Upload-Offset") != "0" {
			close(reached) // the first piece is here; nothing of the second has been read
			<-goOn
			panic(http.ErrAbortHandler)
		}
		return false
	})
	p := w.child(nil)
	<-reached
	p.kill()
	w.wire.set(nil, nil)
	close(goOn)
	w.child(nil).says(`"moved"`)
	if n := w.wire.carried(); n != int64(len(content)) {
		t.Errorf("%d bytes were sent of %d", n, len(content))
	}
	if n := len(w.dictations()); n != 1 || w.wire.count("POST /api/v1/uploads") != 1 {
		t.Errorf("%d dictations, %d uploads", n, w.wire.count("POST /api/v1/uploads"))
	}
}

func TestAProcessKilledBetweenReceiptAndMoveFinishesTheMove(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"the receipt is not heard": true, "the receipt is heard": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			content := tone(8000)
			w.put("visit.wav", content)
			var p *process
			if before {
				reached, goOn := make(chan struct{}), make(chan struct{})
				w.wire.set(nil, func(_ http.ResponseWriter, r *http.Request) bool {
					if strings.HasSuffix(r.URL.Path, "/finish") { // the dictation is on record by now
						close(reached)
						<-goOn
						panic(http.ErrAbortHandler)
					}
					return false
				})
				p = w.child(nil)
				<-reached
				p.kill()
				w.wire.set(nil, nil)
				close(goOn)
			} else {
				w.put("sent", []byte("a file in the way of the folder"))
				p = w.child(nil)
				p.says("cannot be moved out of the folder")
				p.kill()
				w.must(os.Remove(filepath.Join(w.dir, "sent")))
			}
			carried := w.wire.carried()
			if got := w.lies(""); len(got) != 1 {
				t.Errorf("left by the killed one: %v", got)
			}
			w.child(nil).says(`"moved"`)
			if n := len(w.dictations()); n != 1 || w.wire.carried() != carried || carried != int64(len(content)) {
				t.Errorf("%d dictations, %d bytes, %d of them before", n, w.wire.carried(), carried)
			}
			if got := w.lies("sent/" + today()); len(got) != 1 {
				t.Errorf("sent %v", got)
			}
		})
	}
}

func TestTwoProcessesDoNotWorkOnOneFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.child(nil)
	w.put("visit.wav", tone(4000))
	first.says(`"moved"`)
	second := w.child(nil)
	<-second.done
	second.says("watch_busy")
	first.kill()
	third := w.child(nil) // the one that was killed left its lock behind
	w.put("later.wav", tone(4000))
	third.says(`"moved"`)
}

func TestAFolderThatCannotBeWrittenIsToldBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dir = openFolder(w)
	w.put("visit.wav", tone(4000))
	w.must(os.Chmod(filepath.Join(w.dir, "visit.wav"), 0o644))
	w.must(os.Chmod(w.dir, 0o555))
	var as *syscall.Credential
	if os.Getuid() == 0 { // who may write everywhere
		as = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	p := w.child(as)
	<-p.done
	p.says("folder_unwritable")
	if w.wire.carried() != 0 {
		t.Error("a recording was sent that could not be moved away")
	}
}
