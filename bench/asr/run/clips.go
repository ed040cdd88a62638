package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// clip is one recording of the bench, as clips.py lists it.
type clip struct {
	ID      string  `json:"id"`
	File    string  `json:"file"` // beside the list, in the folder of the set
	Set     string  `json:"set"`
	Seconds float64 `json:"seconds"`
}

// clips lists at most limit clips of a set whose names contain all words of filter; limit 0 means all.
func clips(dir, set, filter string, limit int) ([]clip, error) {
	f, err := os.Open(filepath.Join(dir, set+".jsonl"))
	if err != nil {
		return nil, fmt.Errorf("list clips (bench/asr/clips.py makes them): %w", err)
	}
	defer f.Close()
	var out []clip
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() && (limit == 0 || len(out) < limit) {
		var c clip
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("list clips: %w", err)
		}
		if matches(c.ID, filter) {
			c.File = filepath.Join(dir, set, c.File)
			out = append(out, c)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list clips: %w", err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no clip of %s has %q in its name", set, filter)
	}
	return out, nil
}

func matches(id, filter string) bool {
	for word := range strings.FieldsSeq(filter) {
		if !strings.Contains(id, word) {
			return false
		}
	}
	return true
}

// cacheDir is where the bench keeps what it makes.
func cacheDir() (string, error) {
	if dir := os.Getenv("VESPER_CACHE"); dir != "" {
		return filepath.Join(dir, "bench-asr"), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "vesper", "bench-asr"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find cache: %w", err)
	}
	return filepath.Join(home, ".cache", "vesper", "bench-asr"), nil
}
