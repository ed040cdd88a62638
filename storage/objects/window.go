package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"
)

// How much ciphertext is fetched at once, in bytes: little at first, because a player often reads a header and jumps;
// then doubling while the reads follow each other.
const (
	firstWindow = 256 << 10
	maxWindow   = 4 << 20
)

// packageSize is one DARE 2.0 package as stored: 64 KiB with header and tag. The decryption goes back by up to one
// package when it continues, so each window begins that much early.
const packageSize = 64<<10 + 32

// fetchAttempts is how often a range is asked for when the connection breaks while it is read.
const fetchAttempts = 2

// window is the stored object as an io.ReaderAt that keeps the last range it fetched.
type window struct {
	ctx   context.Context //nolint:containedctx // io.ReaderAt has no room for it; it is the ctx of Get
	store *Store
	obj   Object
	etag  string
	size  int64

	mu  sync.Mutex
	off int64
	buf []byte
}

// ReadAt implements io.ReaderAt.
func (w *window) ReadAt(p []byte, off int64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= w.size {
			return n, io.EOF
		}
		if at < w.off || at >= w.off+int64(len(w.buf)) {
			if err := w.load(at); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], w.buf[at-w.off:])
	}
	return n, nil
}

func (w *window) load(at int64) error {
	want := int64(firstWindow)
	if len(w.buf) > 0 && at == w.off+int64(len(w.buf)) {
		want = min(2*int64(len(w.buf)), maxWindow)
	}
	from := max(0, at-packageSize)
	buf := make([]byte, min(at-from+want, w.size-from))
	var err error
	for range fetchAttempts {
		if err = w.fill(buf, from); err == nil {
			w.off, w.buf = from, buf
			return nil
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) || w.ctx.Err() != nil {
			break
		}
	}
	return err
}

func (w *window) fill(buf []byte, at int64) error {
	body, err := w.store.fetch(w.ctx, w.obj, w.etag, at, int64(len(buf)))
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.ReadFull(body, buf); err != nil {
		return storeFault("read range", err)
	}
	return nil
}

// fetch asks for length bytes from offset of exactly the object that was looked at before.
func (s *Store) fetch(ctx context.Context, obj Object, etag string, offset, length int64) (io.ReadCloser, error) {
	if length == 0 {
		return http.NoBody, nil
	}
	opts := minio.GetObjectOptions{VersionID: obj.VersionID}
	if err := errors.Join(opts.SetRange(offset, offset+length-1), opts.SetMatchETag(strings.Trim(etag, `"`))); err != nil {
		return nil, fmt.Errorf("make range: %w", err)
	}
	body, _, _, err := (minio.Core{Client: s.client}).GetObject(ctx, s.bucket, obj.Key, opts)
	if code(err) == minio.PreconditionFailed {
		return nil, corrupt(errors.New("object was replaced while it was read"))
	}
	if err != nil {
		return nil, storeFault("get", err)
	}
	return body, nil
}
