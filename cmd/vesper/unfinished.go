package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vesper/transcribe"
)

// unfinished keeps the finished parts of a transcription that may be interrupted: one JSON line each, in a file of the user's
// cache that only the user can read, named by the recording's SHA-256. It is removed at the end.
type unfinished struct {
	file    *os.File
	results []transcribe.ChunkResult
}

// openUnfinished reads what an earlier run has left for this recording. Where there is no cache, nothing is kept.
func openUnfinished(recording string) (*unfinished, error) {
	in, err := os.Open(recording)
	if err != nil {
		return &unfinished{}, nil // who transcribes it says what is wrong with it
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return &unfinished{}, nil // as above
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return &unfinished{}, nil // it only means that an interrupted run starts anew
	}
	dir := filepath.Join(cache, "vesper", "unfinished")
	if os.MkdirAll(dir, 0o700) != nil {
		return &unfinished{}, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, hex.EncodeToString(sum.Sum(nil))+".jsonl"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return &unfinished{}, nil // as above
	}
	u := &unfinished{file: f}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	whole := true
	for lines.Scan() {
		var c transcribe.ChunkResult
		if whole = json.Unmarshal(lines.Bytes(), &c) == nil; whole { // a line that was cut off is done again
			u.results = append(u.results, c)
		}
	}
	if !whole {
		_, err = f.WriteString("\n") // what follows must not stick to it
	}
	return u, err
}

func (u *unfinished) add(c transcribe.ChunkResult) error {
	if u.file == nil {
		return nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode part: %w", err)
	}
	if _, err := u.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("keep part: %w", err)
	}
	return nil
}

func (u *unfinished) remove() {
	if u.file != nil {
		_ = os.Remove(u.file.Name()) // a leftover is found fitting or ignored by the next run
	}
}

func (u *unfinished) close() error {
	if u.file == nil {
		return nil
	}
	return u.file.Close()
}
