package whisper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// cancelGrace is how long a child may take to stop by itself. It stops between two steps of
// its work, also inside the encoder; one that does not is killed, and another one started when it is needed.
const cancelGrace = 250 * time.Millisecond

// process is one running child. call must not be used concurrently.
type process struct {
	cmd      *exec.Cmd
	requests *os.File
	replies  *os.File
	writing  sync.Mutex
	said     *tail
	exited   chan struct{}
}

// startProcess starts a child and loads the model in it.
func startProcess(ctx context.Context, cfg Config) (*process, error) {
	fromParent, requests, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("request pipe: %w", err)
	}
	replies, toParent, err := os.Pipe()
	if err != nil {
		fromParent.Close()
		requests.Close()
		return nil, fmt.Errorf("reply pipe: %w", err)
	}
	p := &process{requests: requests, replies: replies, said: &tail{}, exited: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), cfg.Executable, "engine-child") // outlives the call that starts it
	p.cmd.Env = childEnvironment(cfg.Threads, cfg.Nice)
	if !cfg.GPU { // drivers map far more than they use
		p.cmd.Env = append(p.cmd.Env, memoryEnv+"="+strconv.FormatUint(memoryLimit(cfg), 10))
	}
	p.cmd.ExtraFiles = []*os.File{fromParent, toParent}
	if cfg.weights != nil {
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, cfg.weights)
	}
	p.cmd.Stderr = p.said
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = childAttributes()
	err = p.launch()
	fromParent.Close() // only the child may hold these ends, or its death would not be seen
	toParent.Close()
	if err != nil {
		requests.Close()
		replies.Close()
		return nil, fmt.Errorf("start child: %w", err)
	}
	if err := p.load(ctx, cfg); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// launch starts the child from a thread of its own that lives as long as the child: the kernel sends the death signal when
// the starting thread ends, not when the process does.
func (p *process) launch() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			close(p.exited)
			return
		}
		_ = p.cmd.Wait() // how it ended is told by the pipes
		close(p.exited)
	}()
	return <-started
}

func (p *process) load(ctx context.Context, cfg Config) error {
	load := loadConfig{
		Name: cfg.Model.Name, Model: cfg.Model.Path, VAD: cfg.VAD.Path, SharedFD: -1, GPU: cfg.GPU, Threads: cfg.Threads,
	}
	if cfg.weights != nil {
		load.SharedFD = fdWeights
	}
	payload, err := json.Marshal(load)
	if err != nil {
		return fmt.Errorf("pack load request: %w", err)
	}
	k, _, err := p.call(ctx, cfg.LoadTimeout, kindLoad, payload)
	if err == nil && k != kindReady {
		err = fmt.Errorf("%w: answer %q to load", errFrame, k)
	}
	return err
}

// call sends one request and waits for its answer, for ctx, or for the time limit. Unless it returns nil or an answer of
// kind error, the child is in an unknown state and must be killed; errStopped alone leaves it usable.
func (p *process) call(ctx context.Context, limit time.Duration, k kind, payload []byte) (kind, []byte, error) {
	deadline := time.Now().Add(limit)
	if err := errors.Join(p.requests.SetWriteDeadline(deadline), p.replies.SetReadDeadline(deadline)); err != nil {
		return 0, nil, err
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		_ = p.replies.SetReadDeadline(time.Now().Add(cancelGrace))
		_ = p.send(kindCancel, nil)
	})
	err := p.send(k, payload)
	var answer kind
	var body []byte
	if err == nil {
		answer, body, err = readFrame(p.replies)
	}
	if !stop() {
		<-stopped
	}
	if ctx.Err() != nil && err == nil {
		return 0, nil, errStopped
	}
	return answer, body, err
}

// errStopped says that the call was cancelled in time and the child is ready for the next one.
var errStopped = errors.New("stopped")

func (p *process) send(k kind, payload []byte) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	return writeFrame(p.requests, k, payload)
}

// kill ends the child and its group, and waits until it is gone. Calling it twice is safe.
func (p *process) kill() {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // ESRCH: it was faster
		<-p.exited
	}
	p.requests.Close()
	p.replies.Close()
}

// quit asks the child to end by closing its input, and kills it when it does not.
func (p *process) quit() {
	p.requests.Close()
	select {
	case <-p.exited:
		p.replies.Close()
	case <-time.After(2 * time.Second):
		p.kill()
	}
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// childEnvironment passes on nothing that may be secret. libgomp reads its settings before main, so they must be in the
// environment at the start; spinning threads of several children would otherwise starve each other.
func childEnvironment(threads, nice int) []string {
	env := []string{
		childEnv + "=1", niceEnv + "=" + strconv.Itoa(nice), "OMP_NUM_THREADS=" + strconv.Itoa(threads), "OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT=0",
		"GGML_NO_BACKTRACE=1", "GOTRACEBACK=none", "GOMAXPROCS=" + strconv.Itoa(threads+1),
		"GOGC=25", // the heap holds the samples of one chunk; collecting it often costs nothing beside the engine
	}
	keep := []string{"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GOCOVERDIR"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(keep, name) || strings.HasPrefix(name, "CUDA_") || strings.HasPrefix(name, "GGML_VK_") || name == "VESPER_ENGINE_KERNELS" {
			env = append(env, kv)
		}
	}
	return env
}

// tail keeps the first 2 KB that a child prints, as a private cause; the shim lets no decoded text get there.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 2048 - len(t.b); room > 0 {
		t.b = append(t.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}

var _ io.Writer = (*tail)(nil)
