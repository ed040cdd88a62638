package objects

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"vesper/internal/fault"
)

// Retain forbids deleting or replacing this version of a recording until the given time. The lock is of governance
// mode: only an account with the right to bypass governance can lift it. It needs Capabilities().ObjectLock.
func (s *Store) Retain(ctx context.Context, obj Object, until time.Time) error {
	if !s.caps.ObjectLock {
		return fault.New(fault.Unsupported, "object_lock_missing", "The object store has no retention lock. Use a bucket that "+
			"was made with object lock.")
	}
	mode := minio.Governance
	err := s.client.PutObjectRetention(ctx, s.bucket, obj.Key, minio.PutObjectRetentionOptions{
		VersionID: obj.VersionID, Mode: &mode, RetainUntilDate: &until,
	})
	if err != nil {
		return storeFault("retain", err)
	}
	return nil
}

// Reseal wraps an object's key anew under the current master key, for rotation: the caller stores the result in its row
// and may drop the old master key once no row needs it. The object itself is not touched.
func (s *Store) Reseal(obj Object) ([]byte, error) {
	key, err := s.keys.unseal(obj.SealedKey, obj.Practice, obj.AudioID)
	if err != nil {
		return nil, err
	}
	return s.keys.seal(key, obj.Practice, obj.AudioID), nil
}

// Listed is an object as a listing shows it.
type Listed struct {
	Key        string
	StoredSize int64
	StoredAt   time.Time
}

// Walk calls fn for each recording of a practice, by name. It stops at fn's first error and returns it.
func (s *Store) Walk(ctx context.Context, practice uuid.UUID, fn func(Listed) error) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing when fn breaks off
	defer stop()
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix(practice), Recursive: true}) {
		if o.Err != nil {
			return storeFault("list", o.Err)
		}
		if err := fn(Listed{Key: o.Key, StoredSize: o.Size, StoredAt: o.LastModified}); err != nil {
			return err
		}
	}
	return nil
}

// checkpointPrefix is where signed checkpoints of the audit log stand, by tree size. They hold hashes only and are not
// encrypted, so that an auditor can read them without our keys.
const checkpointPrefix = "audit/checkpoint/"

// Bounds on checkpoints: bytes of one, and how many of the newest are given out. The newest one already pins down
// everything before it; the others show when a log was cut.
const (
	maxCheckpoint  = 64 << 10
	newCheckpoints = 100
)

// PutCheckpoint keeps a signed checkpoint of the audit log outside the database. A checkpoint of a size that is already
// there is left as it is.
func (s *Store) PutCheckpoint(ctx context.Context, size int64, checkpoint []byte) error {
	var opts minio.PutObjectOptions
	opts.SetMatchETagExcept("*")
	opts.ContentType = "text/plain; charset=utf-8"
	opts.DisableMultipart = true
	key := fmt.Sprintf("%s%020d", checkpointPrefix, size)
	_, err := s.client.PutObject(ctx, s.bucket, key, bytes.NewReader(checkpoint), int64(len(checkpoint)), opts)
	if err != nil && code(err) != minio.PreconditionFailed {
		return storeFault("put checkpoint", err)
	}
	return nil
}

// Checkpoints returns the newest signed checkpoints kept by PutCheckpoint, in order of tree size.
func (s *Store) Checkpoints(ctx context.Context) ([][]byte, error) {
	var keys []string
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: checkpointPrefix, Recursive: true}) {
		if o.Err != nil {
			return nil, storeFault("list checkpoints", o.Err)
		}
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	var out [][]byte
	for _, key := range keys[max(0, len(keys)-newCheckpoints):] {
		c, err := s.checkpoint(ctx, key)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (s *Store) checkpoint(ctx context.Context, key string) ([]byte, error) {
	body, _, _, err := (minio.Core{Client: s.client}).GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, storeFault("get checkpoint", err)
	}
	defer body.Close()
	c, err := io.ReadAll(io.LimitReader(body, maxCheckpoint))
	if err != nil {
		return nil, storeFault("read checkpoint", err)
	}
	return c, nil
}
