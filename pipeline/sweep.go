package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// leftoverAge is how old a temporary file must be to be that of a process that was killed: no upload and no transcription
// takes a day.
const leftoverAge = 24 * time.Hour

// SweepTemp removes files and folders in dir whose name matches the pattern (path.Match) and that nobody has changed for
// age. They hold recordings of patients, and a process that is killed cannot remove its own. An empty dir is left alone: it
// stands for the system's folder, which is not only ours. Links are removed, never followed.
func SweepTemp(dir, pattern string, age time.Duration) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read temporary folder: %w", err)
	}
	var failed []error
	for _, e := range entries {
		match, err := filepath.Match(pattern, e.Name())
		if err != nil {
			return fmt.Errorf("sweep %q: %w", pattern, err)
		}
		if !match {
			continue
		}
		path := filepath.Join(dir, e.Name())
		changed, err := lastChange(path)
		if errors.Is(err, os.ErrNotExist) || err == nil && time.Since(changed) < age {
			continue
		}
		if err == nil {
			err = os.RemoveAll(path)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("sweep temporary folder: %w", err))
		}
	}
	return errors.Join(failed...)
}

// lastChange is when a file, or a folder or anything directly in it, was changed last: a folder's own time stands still
// while a file in it is written.
func lastChange(path string) (time.Time, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		if err != nil {
			return time.Time{}, err
		}
		return info.ModTime(), nil
	}
	last := info.ModTime()
	entries, err := os.ReadDir(path)
	if err != nil {
		return last, err
	}
	for _, e := range entries {
		if i, err := e.Info(); err == nil && i.ModTime().After(last) {
			last = i.ModTime()
		}
	}
	return last, nil
}
