package objects

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Raw is an object as it is stored: ciphertext, and metadata that says how to open it with the master key.
type Raw struct {
	io.ReadCloser
	Size         int64
	Metadata     map[string]string
	CipherSHA256 string // of the bytes as they were put, "" when the object does not say
}

// OpenRaw opens an object without its key, to copy it. A read that the network cut goes on where it stopped.
func (s *Store) OpenRaw(ctx context.Context, key, version string) (Raw, error) {
	info, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{VersionID: version})
	if err != nil {
		return Raw{}, storeFault("stat", err)
	}
	body := &resuming{ctx: ctx, store: s, obj: Object{Key: key, VersionID: version}, etag: info.ETag, size: info.Size}
	return Raw{ReadCloser: body, Size: info.Size, Metadata: info.UserMetadata, CipherSHA256: info.UserMetadata[metaCipherSum]}, nil
}

// resuming reads an object from beginning to end.
type resuming struct {
	ctx       context.Context
	store     *Store
	obj       Object
	etag      string
	pos, size int64
	body      io.ReadCloser
	failed    int // attempts in a row that gave nothing
}

func (r *resuming) Read(p []byte) (int, error) {
	for {
		if r.pos == r.size {
			return 0, io.EOF
		}
		n, err := r.try(p)
		if n > 0 {
			r.pos += int64(n)
			r.failed = 0
			return n, nil
		}
		if err == nil {
			continue
		}
		_ = r.Close()
		if r.failed++; r.failed == fetchAttempts || r.ctx.Err() != nil {
			return 0, err
		}
	}
}

func (r *resuming) try(p []byte) (int, error) {
	if r.body == nil {
		body, err := r.store.fetch(r.ctx, r.obj, r.etag, r.pos, r.size-r.pos)
		if err != nil {
			return 0, err
		}
		r.body = body
	}
	n, err := r.body.Read(p)
	if err != nil && n == 0 {
		return 0, storeFault("read", err) // also an end that came too early
	}
	return n, nil
}

// Close is safe to call twice.
func (r *resuming) Close() error {
	if r.body != nil {
		_ = r.body.Close() // nothing was written, so nothing is lost
		r.body = nil
	}
	return nil
}

// PutRaw stores an object as OpenRaw gave it, and returns its version in this store. Whether it is whole is for Verify to
// say: an object that was damaged before must be storable too.
func (s *Store) PutRaw(ctx context.Context, key string, metadata map[string]string, size int64, r io.Reader) (version string, err error) {
	if !strings.HasPrefix(key, "practice/") {
		return "", corrupt(fmt.Errorf("%q is no name of a recording", key))
	}
	in := &failing{r: r}
	info, err := s.client.PutObject(ctx, s.bucket, key, in, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: true, UserMetadata: metadata,
	})
	if in.err != nil {
		return "", in.err // the source's own
	}
	if err != nil {
		return "", storeFault("put", err)
	}
	return info.VersionID, nil
}

// WalkCheckpoints calls fn for every signed checkpoint of at most this size, in order.
func (s *Store) WalkCheckpoints(ctx context.Context, upTo int64, fn func(size int64, signed []byte) error) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing when fn breaks off
	list := s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: checkpointPrefix, Recursive: true})
	defer func() {
		stop()
		for range list { // its goroutine has one more to say
		}
	}()
	for o := range list {
		if o.Err != nil {
			return storeFault("list checkpoints", o.Err)
		}
		size, err := strconv.ParseInt(strings.TrimPrefix(o.Key, checkpointPrefix), 10, 64)
		if err != nil || size > upTo {
			continue
		}
		c, err := s.checkpoint(ctx, o.Key)
		if err != nil {
			return err
		}
		if err := fn(size, c); err != nil {
			return err
		}
	}
	return ctx.Err()
}
