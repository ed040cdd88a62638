package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"vesper/internal/fault"
)

// Store is a folder of verified model files. Its zero value is usable. A Store may be used by several goroutines, and the
// folder by several processes.
type Store struct {
	Dir     string       // empty: DefaultDir
	Mirrors []string     // asked first, in order: folders, files or http(s) URLs of either
	Log     *slog.Logger // nil: discarded
	// Progress, when set, is told the bytes of model name that have arrived, of total. It may be called often.
	Progress     func(name string, done, total int64)
	QuantizeTool string       // whisper.cpp's quantize; empty: $VESPER_QUANTIZE, PATH, the build cache
	Python       string       // interpreter with pip; empty: python3
	Upstream     string       // where the published files are; empty: the authors' repository
	HTTP         *http.Client // nil: one that gives up on connecting after 5 s
}

// File is a model file whose bytes were verified.
type File struct {
	Name   string
	Path   string
	SHA256 string
	Size   int64
}

// Status says what of the catalogue is in the folder.
type Status struct {
	Entry
	Path    string
	Present bool // a file of the right size is there
	Checked bool // and its digest was found right, and nothing touched it since
}

// Result is the outcome of verifying one file in full.
type Result struct {
	File
	Err error // a *fault.Error, code model_corrupt, when the bytes are not the catalogue's
}

// DefaultDir is the folder that all users of one account share: $VESPER_CACHE/models, by default in ~/.cache/vesper.
func DefaultDir() string { return filepath.Join(cacheDir(), "models") }

func cacheDir() string {
	if dir := os.Getenv("VESPER_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "vesper")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "vesper-cache")
	}
	return filepath.Join(home, ".cache", "vesper")
}

// Lookup returns a model that is already here, verified, and never goes to the network. A name with a path separator is
// a file of the user's own: it is hashed, but there is nothing to compare it with. The faults are model_unknown,
// model_missing and model_corrupt.
func (s *Store) Lookup(name string) (File, error) {
	if filepath.Base(name) != name {
		return s.ownFile(name)
	}
	e, err := Find(name)
	if err != nil {
		return File{}, err
	}
	return s.local(e)
}

// Ensure returns a verified model and fetches or makes it when it is missing or damaged.
func (s *Store) Ensure(ctx context.Context, name string) (File, error) {
	file, err := s.Lookup(name)
	if err == nil || filepath.Base(name) != name {
		return file, err
	}
	e, ferr := Find(name)
	if ferr != nil {
		return File{}, ferr
	}
	if !errors.Is(err, fs.ErrNotExist) {
		s.log().Warn("model file is damaged and will be fetched again", "model", e.Name, "error", err)
	}
	if err := os.MkdirAll(s.dir(), 0o755); err != nil {
		return File{}, fault.Wrap(err, fault.Unavailable, "model_folder", fmt.Sprintf("The model folder %s cannot be written. Check its owner and the free space.", s.dir()))
	}
	return (&fetch{Store: s}).ensure(ctx, e)
}

// List returns the catalogue with what is here of it. It does not read the files; Verify does.
func (s *Store) List() []Status {
	var out []Status
	for _, e := range Catalogue() {
		st := Status{Entry: e, Path: s.path(e)}
		if info, err := os.Stat(st.Path); err == nil {
			st.Present = info.Size() == e.Size
			st.Checked = st.Present && e.accepts(s.stamped(st.Path, info))
		}
		out = append(out, st)
	}
	return out
}

// Verify reads and hashes every model file in the folder, whatever was found before.
func (s *Store) Verify(ctx context.Context) ([]Result, error) {
	var out []Result
	for _, e := range Catalogue() {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		info, err := os.Stat(s.path(e))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, fmt.Errorf("verify models: %w", err)
		}
		file, err := s.check(ctx, e, s.path(e), info)
		out = append(out, Result{File: file, Err: err})
	}
	return out, ctx.Err()
}

func (s *Store) dir() string {
	if s.Dir == "" {
		return DefaultDir()
	}
	return s.Dir
}

func (s *Store) path(e Entry) string { return filepath.Join(s.dir(), e.File) }

func (s *Store) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *Store) progress(name string, done, total int64) {
	if s.Progress != nil {
		s.Progress(name, done, total)
	}
}

// local is the catalogue part of Lookup.
func (s *Store) local(e Entry) (File, error) {
	info, err := os.Stat(s.path(e))
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, fault.Wrap(err, fault.Unavailable, "model_missing", fmt.Sprintf("The model %s is not here. Fetch it with: vesper models fetch %s", e.Name, e.Name))
	}
	if err != nil {
		return File{}, fmt.Errorf("look up model %s: %w", e.Name, err)
	}
	if sum := s.stamped(s.path(e), info); info.Size() == e.Size && e.accepts(sum) {
		return File{Name: e.Name, Path: s.path(e), SHA256: sum, Size: info.Size()}, nil
	}
	return s.check(context.Background(), e, s.path(e), info)
}

func (s *Store) ownFile(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return File{}, fault.Wrap(err, fault.NotFound, "model_missing", fmt.Sprintf("There is no model file %s.", path))
	}
	sum := s.stamped(path, info)
	if sum == "" {
		if sum, err = hashFile(context.Background(), path); err != nil {
			return File{}, fmt.Errorf("look up model: %w", err)
		}
		s.stamp(path, info, sum)
	}
	return File{Name: filepath.Base(path), Path: path, SHA256: sum, Size: info.Size()}, nil
}
