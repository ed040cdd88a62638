package services

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"vesper/internal/fault"
)

// record remembers a child beyond the supervisor's life. Start tells it from a later process with the same number.
type record struct {
	PID   int            `json:"pid"`
	Start string         `json:"start"`
	Stop  syscall.Signal `json:"stop_signal"`
}

func recordPath(dir, name string) string { return filepath.Join(dir, "run", name+".json") }

func writeRecord(path string, pid int, stop syscall.Signal) error {
	text, err := json.Marshal(record{PID: pid, Start: processStart(pid), Stop: stop})
	if err != nil {
		return err
	}
	return writeAtomically(path, append(text, '\n'), 0o600)
}

// How long a leftover may take to stop before it is killed.
const leftoverWithin = 20 * time.Second

// stopLeftovers ends children of an earlier supervisor that was killed. Only a process whose number and start time both
// match its record is touched.
func stopLeftovers(ctx context.Context, dir string, log *slog.Logger) error {
	paths, err := filepath.Glob(filepath.Join(dir, "run", "*.json"))
	if err != nil {
		return fmt.Errorf("services: list process records: %w", err)
	}
	for _, path := range paths {
		if err := stopLeftover(ctx, path, log); err != nil {
			return err
		}
	}
	return nil
}

func stopLeftover(ctx context.Context, path string, log *slog.Logger) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return folderFault(err, "read a process record")
	}
	var r record
	// A record cut short by a crash names nobody; so does one without a start time.
	if json.Unmarshal(text, &r) == nil && r.PID > 1 && r.Start != "" {
		if err := r.stop(ctx, log); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

func (r record) alive() bool { return processStart(r.PID) == r.Start }

func (r record) stop(ctx context.Context, log *slog.Logger) error {
	if !r.alive() {
		return nil
	}
	log.LogAttrs(ctx, slog.LevelWarn, "a process of an earlier run is still there; stopping it first", slog.Int("pid", r.PID))
	_ = syscall.Kill(r.PID, r.Stop)
	if r.awaitEnd(ctx, leftoverWithin) {
		return nil
	}
	_ = syscall.Kill(r.PID, syscall.SIGKILL)
	if r.awaitEnd(ctx, leftoverWithin) {
		return nil
	}
	return fault.New(fault.Unavailable, "leftover_process", fmt.Sprintf(
		"A process of an earlier run (%d) cannot be stopped. End it by hand and start again.", r.PID))
}

func (r record) awaitEnd(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for r.alive() {
		if !pause(ctx, 20*time.Millisecond) {
			return false
		}
	}
	return true
}

// writeAtomically replaces a file so that a crash leaves the old or the new one, never a half.
func writeAtomically(path string, text []byte, mode os.FileMode) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(text)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
