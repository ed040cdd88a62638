package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"vesper/internal/fault"
)

// check hashes a file and compares it with the entry. It leaves a stamp when they fit, and none when they do not.
func (s *Store) check(ctx context.Context, e Entry, path string, info fs.FileInfo) (File, error) {
	file := File{Name: e.Name, Path: path, Size: info.Size()}
	if info.Size() != e.Size {
		os.Remove(s.sealPath(path))
		return file, corrupt(e, fmt.Sprintf("has %d bytes instead of %d", info.Size(), e.Size))
	}
	sum, err := hashFile(ctx, path)
	if err != nil {
		return file, fmt.Errorf("verify model %s: %w", e.Name, err)
	}
	file.SHA256 = sum
	if !e.accepts(sum) {
		os.Remove(s.sealPath(path))
		return file, corrupt(e, fmt.Sprintf("has SHA-256 %s instead of %s", sum, e.SHA256))
	}
	s.stamp(path, info, sum)
	return file, nil
}

// corrupt is the fault for bytes that are not the catalogue's. It can be mended, so work that waits for it is kept.
func corrupt(e Entry, how string) *fault.Error {
	return fault.New(fault.Unavailable, "model_corrupt", fmt.Sprintf("The model %s is damaged: the file %s. Fetch it again with: vesper models fetch %s", e.Name, how, e.Name))
}

func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, &ctxReader{ctx, f}, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ctxReader stops a long copy when its caller goes away.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// seal is a note that a file was hashed: as long as size, time and inode are the same, so are the bytes. It saves every
// start from reading the whole model; it is no defence against someone who may write the folder. Verify ignores it.
type seal struct {
	Size    int64  `json:"size"`
	ModTime int64  `json:"mtime_ns"`
	Inode   uint64 `json:"inode"`
	SHA256  string `json:"sha256"`
}

func sealOf(info fs.FileInfo, sum string) seal {
	v := seal{Size: info.Size(), ModTime: info.ModTime().UnixNano(), SHA256: sum}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		v.Inode = st.Ino
	}
	return v
}

// sealPath names the seal of a file anywhere; two folders may hold files of one name.
func (s *Store) sealPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	id := sha256.Sum256([]byte(path))
	return filepath.Join(s.dir(), ".verified", filepath.Base(path)+"."+hex.EncodeToString(id[:6])+".json")
}

// stamped returns the digest found earlier, or "" when there is none or the file changed.
func (s *Store) stamped(path string, info fs.FileInfo) string {
	b, err := os.ReadFile(s.sealPath(path))
	if err != nil {
		return ""
	}
	var v seal
	if json.Unmarshal(b, &v) != nil || v != sealOf(info, v.SHA256) {
		return ""
	}
	return v.SHA256
}

// stamp writes the seal. A folder that cannot be written (read-only, another user's) only costs time at the next start.
func (s *Store) stamp(path string, info fs.FileInfo, sum string) {
	b, err := json.Marshal(sealOf(info, sum))
	if err != nil {
		return
	}
	to := s.sealPath(path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return
	}
	tmp := fmt.Sprintf("%s.%d", to, os.Getpid())
	if os.WriteFile(tmp, b, 0o644) != nil || os.Rename(tmp, to) != nil {
		os.Remove(tmp)
	}
}
