package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vesper/internal/client"
)

// start runs `vesper up --demo` in a fresh folder, waits for its address and reads the physician's account.
func start(ctx context.Context, o *options, data string) (stop func(), err error) {
	cmd := exec.CommandContext(ctx, o.binary, "up", "--demo", "--data", data, "--listen", "127.0.0.1:18091")
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
		return nil, fmt.Errorf("start %s (run make build first): %w", o.binary, err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(stdout)
	for o.url == "" && lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "Vesper is ready:"); ok {
			o.url = strings.TrimSpace(url)
		}
	}
	if o.url == "" {
		stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s up did not start: %s", o.binary, said[max(0, len(said)-2000):])
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	if err := o.readLogin(filepath.Join(data, "secrets", "demo-logins")); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

func (o *options) readLogin(path string) error {
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
			o.login, o.password = l.Login, l.Password
			return nil
		}
	}
	return errors.New("the demo has no physician")
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
