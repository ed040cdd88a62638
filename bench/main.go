// Command bench measures Vesper and prints tables. It starts its own fresh stack from bin/vesper, so that what is measured
// is what users run.
//
//	go run ./bench [-n 50] [-vesper bin/vesper]
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"vesper/bench/corpus"
	"vesper/bench/overhead"
	"vesper/internal/client"
)

func main() {
	n := flag.Int("n", 50, "short dictations to measure")
	binary := flag.String("vesper", "bin/vesper", "the binary to measure")
	dictations := flag.String("dictations", "testdata/dictations", "folder of the dictations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, *binary, *dictations, *n)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run cuts the recordings, starts the stack, measures and prints. It fails when the limit is not kept.
func run(ctx context.Context, out io.Writer, binary, dictations string, n int) error {
	dir, err := os.MkdirTemp("", "vesper-bench-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL's own user must pass through
		return err
	}
	cases, err := corpus.Load(dictations)
	if err != nil {
		return err
	}
	clips := filepath.Join(dir, "clips")
	if err := os.Mkdir(clips, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	paths, err := corpus.Snippets(ctx, cases, n, clips)
	if err != nil {
		return err
	}
	s, err := start(ctx, binary, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer s.stop()
	return measure(ctx, out, s, paths)
}

// measure sends each clip; the demo's own sample has warmed the engine by the time it is done.
func measure(ctx context.Context, out io.Writer, s *stack, paths []string) error {
	c, err := client.New(s.url)
	if err != nil {
		return err
	}
	if _, err := c.Login(ctx, s.login, s.password); err != nil {
		return err
	}
	if err := settled(ctx, c); err != nil {
		return err
	}
	submit := func(ctx context.Context, path string) (overhead.Sample, error) { return one(ctx, c, path) }
	samples, err := overhead.Run(ctx, paths, submit)
	if err != nil {
		return err
	}
	if err := overhead.Print(out, samples); err != nil {
		return err
	}
	if !overhead.Summarize(samples).Pass() {
		return fmt.Errorf("95 of 100 dictations must stay below %s", overhead.Limit)
	}
	return nil
}

// settled waits until the demo's sample dictation is drafted, so that nothing else runs beside the measurement.
func settled(ctx context.Context, c *client.Client) error {
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := c.Do(ctx, "GET", "/api/v1/dictations?author=me", nil, &list); err != nil {
		return err
	}
	for _, d := range list.Items {
		if _, err := c.Await(ctx, d.ID, "drafted"); err != nil {
			return err
		}
	}
	return nil
}

// one sends a clip and reads the server's own times: receipt, first version of the note, engine seconds.
func one(ctx context.Context, c *client.Client, path string) (overhead.Sample, error) {
	r, err := c.Submit(ctx, path, client.Submission{WorkType: "progress"})
	if err != nil {
		return overhead.Sample{}, err
	}
	if _, err := c.Await(ctx, r.ID, "drafted"); err != nil {
		return overhead.Sample{}, err
	}
	var d struct {
		Transcript struct {
			EngineSeconds float64 `json:"engine_seconds"`
		} `json:"transcript"`
		Version struct {
			At time.Time `json:"at"`
		} `json:"version"`
	}
	if err := c.Do(ctx, "GET", "/api/v1/dictations/"+r.ID, nil, &d); err != nil {
		return overhead.Sample{}, err
	}
	return overhead.Sample{
		Name: filepath.Base(path), Received: r.ReceivedAt, Drafted: d.Version.At,
		Engine: time.Duration(d.Transcript.EngineSeconds * float64(time.Second)),
	}, nil
}

// stack is a running `vesper up`.
type stack struct {
	cmd                  *exec.Cmd
	url, login, password string
}

// start runs `vesper up --demo` in a fresh folder and waits for its address.
func start(ctx context.Context, binary, data string) (*stack, error) {
	cmd := exec.CommandContext(ctx, binary, "up", "--demo", "--data", data, "--listen", "127.0.0.1:18090")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(data + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (run make build first): %w", binary, err)
	}
	s := &stack{cmd: cmd}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "Vesper is ready:"); ok {
			s.url = strings.TrimSpace(url)
			break
		}
	}
	if s.url == "" {
		s.stop()
		return nil, fmt.Errorf("%s up did not start; its log is %s", binary, log.Name())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	return s, s.readLogin(filepath.Join(data, "secrets", "demo-logins"))
}

// readLogin takes the physician's account from the demo's file.
func (s *stack) readLogin(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read demo logins: %w", err)
	}
	var all []struct{ Role, Login, Password string }
	if err := json.Unmarshal(raw, &all); err != nil {
		return fmt.Errorf("read demo logins: %w", err)
	}
	for _, l := range all {
		if l.Role == "physician" {
			s.login, s.password = l.Login, l.Password
			return nil
		}
	}
	return fmt.Errorf("the demo has no physician")
}

func (s *stack) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}
