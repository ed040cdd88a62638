package objects

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/sio"

	"vesper/internal/fault"
	"vesper/pipeline/keeping"
)

var _ keeping.Objects = (*Store)(nil)

// List implements keeping.Objects. Where the store has no versions each object is its own latest version.
//
// Stores differ in how they list delete markers: S3 among the versions, others before all versions of a page. Both orders are
// that of names for markers and for versions alone, so markers wait here for the versions of their name. An entry that a
// store gives twice, at the end of one page and at the beginning of the next, is given once.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[keeping.Entry, error] {
	return func(yield func(keeping.Entry, error) bool) {
		var markers []keeping.Entry
		var last keeping.Entry
		opts := minio.ListObjectsOptions{Prefix: prefix, Recursive: true, StartAfter: after, WithVersions: s.caps.Versioning}
		for o := range s.client.ListObjectsIter(ctx, s.bucket, opts) {
			if o.Err != nil {
				yield(keeping.Entry{}, storeFault("list", o.Err))
				return
			}
			e := s.entry(o)
			switch {
			case e.Key <= after: // a store may begin with the name itself
				continue
			case e.DeleteMarker:
				if n := len(markers); n == 0 || markers[n-1].Key != e.Key || markers[n-1].VersionID != e.VersionID {
					markers = append(markers, e)
				}
				continue
			case last.Key == e.Key && last.VersionID == e.VersionID:
				continue
			}
			last = e
			for len(markers) > 0 && markers[0].Key <= e.Key {
				if !yield(markers[0], nil) {
					return
				}
				markers = markers[1:]
			}
			if !yield(e, nil) {
				return
			}
		}
		for _, m := range markers {
			if !yield(m, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // the listing ends without a word when its context does
			yield(keeping.Entry{}, fmt.Errorf("list objects: %w", err))
		}
	}
}

func (s *Store) entry(o minio.ObjectInfo) keeping.Entry {
	return keeping.Entry{
		Key: o.Key, VersionID: o.VersionID, Size: o.Size, StoredAt: o.LastModified, Latest: o.IsLatest || !s.caps.Versioning, DeleteMarker: o.IsDeleteMarker,
	}
}

// Folders implements keeping.Objects.
func (s *Store) Folders(ctx context.Context, prefix string) ([]string, error) {
	var out []string
	for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, WithVersions: s.caps.Versioning}) {
		if o.Err != nil {
			return nil, storeFault("list folders", o.Err)
		}
		if len(out) == 0 || out[len(out)-1] != o.Key {
			out = append(out, o.Key)
		}
	}
	return out, ctx.Err()
}

// StoredSize implements keeping.Objects.
func (s *Store) StoredSize(size int64) int64 {
	n, err := sio.EncryptedSize(uint64(max(size, 0)))
	if err != nil {
		return -1 // larger than can be encrypted: no object has this size
	}
	return int64(n)
}

func objectOf(r keeping.Recording) Object {
	return Object{
		Practice: r.PracticeID, AudioID: r.ID, Key: r.Key, VersionID: r.VersionID, Size: r.Size, SHA256: r.SHA256, SealedKey: r.SealedKey,
	}
}

// Look implements keeping.Objects.
func (s *Store) Look(ctx context.Context, r keeping.Recording) error {
	_, err := s.Head(ctx, objectOf(r))
	return err
}

// Read implements keeping.Objects.
func (s *Store) Read(ctx context.Context, r keeping.Recording) error {
	return s.Verify(ctx, objectOf(r))
}

// Uncover implements keeping.Objects. It refuses to remove anything but a delete marker.
func (s *Store) Uncover(ctx context.Context, key, marker string) error {
	for e, err := range s.List(ctx, key, "") {
		if err != nil {
			return err
		}
		if e.Key == key && e.VersionID == marker && e.DeleteMarker && marker != "" {
			err := s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{VersionID: marker})
			if err != nil {
				return storeFault("remove delete marker", err)
			}
			return nil
		}
	}
	return fault.New(fault.NotFound, "delete_marker_gone", "The delete marker is not there any more.")
}

// Purge implements keeping.Objects.
func (s *Store) Purge(ctx context.Context, r keeping.Recording) error {
	if err := s.remove(ctx, r.Key, r.VersionID); err != nil {
		return err
	}
	for e, err := range s.List(ctx, r.Key, "") {
		if err != nil {
			return err
		}
		if e.Key != r.Key || e.VersionID == r.VersionID {
			continue
		}
		if err := s.remove(ctx, e.Key, e.VersionID); err != nil {
			return err
		}
	}
	// What was acknowledged as deleted is looked for: a store that keeps it all the same must not earn a tombstone.
	_, err := s.client.StatObject(ctx, s.bucket, r.Key, minio.StatObjectOptions{VersionID: r.VersionID})
	switch f := storeFault("stat", err); {
	case err == nil:
		return storeFault("purge", errors.New("the store still has what it said it deleted"))
	case fault.KindOf(f) == fault.NotFound:
		return nil
	default:
		return f
	}
}

// remove deletes one version for good. What is gone already is no error.
func (s *Store) remove(ctx context.Context, key, version string) error {
	err := s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{VersionID: version})
	switch f := storeFault("delete", err); {
	case err == nil, fault.KindOf(f) == fault.NotFound:
		return nil
	case s.refusedByLock(err):
		return fault.Wrap(f, fault.Conflict, keeping.CodeLocked, "The object store keeps this recording under its lock.")
	default:
		return f
	}
}

// refusedByLock says that an object lock stands in the way. S3 answers AccessDenied then, as for wrong keys; with a lock in
// the bucket the lock is the likelier reason, and both are tried again later.
func (s *Store) refusedByLock(err error) bool {
	var e minio.ErrorResponse
	if !s.caps.ObjectLock || !errors.As(err, &e) {
		return false
	}
	return e.Code == "ObjectLocked" || e.Code == "InvalidRequest" && strings.Contains(e.Message, "lock") ||
		e.StatusCode == http.StatusForbidden && e.Code != "InvalidAccessKeyId" && e.Code != "SignatureDoesNotMatch"
}

// CanLock implements keeping.LockObjects.
func (s *Store) CanLock() bool { return s.caps.ObjectLock }

// LockUntil implements keeping.LockObjects. A store refuses to shorten a lock of compliance mode; a lock that ends later
// already is left.
func (s *Store) LockUntil(ctx context.Context, r keeping.Recording, mode string, until time.Time) error {
	if err := s.needLock(); err != nil {
		return err
	}
	info, err := s.client.StatObject(ctx, s.bucket, r.Key, minio.StatObjectOptions{VersionID: r.VersionID})
	if err != nil {
		return storeFault("stat", err)
	}
	have, err := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err == nil && !have.Before(until) {
		return nil
	}
	m := retention(mode)
	until = until.UTC()
	err = s.client.PutObjectRetention(ctx, s.bucket, r.Key, minio.PutObjectRetentionOptions{
		VersionID: r.VersionID, Mode: &m, RetainUntilDate: &until,
		GovernanceBypass: m == minio.Governance, // a store may ask for it to lengthen, too; it is only ever lengthened here
	})
	if err != nil {
		return storeFault("retain", err)
	}
	return nil
}

func retention(mode string) minio.RetentionMode {
	if mode == keeping.Compliance {
		return minio.Compliance
	}
	return minio.Governance
}

// Hold implements keeping.LockObjects.
func (s *Store) Hold(ctx context.Context, r keeping.Recording, on bool) error {
	if err := s.needLock(); err != nil {
		return err
	}
	status := minio.LegalHoldDisabled
	if on {
		status = minio.LegalHoldEnabled
	}
	err := s.client.PutObjectLegalHold(ctx, s.bucket, r.Key, minio.PutObjectLegalHoldOptions{VersionID: r.VersionID, Status: &status})
	if err != nil {
		return storeFault("legal hold", err)
	}
	return nil
}

func (s *Store) needLock() error {
	if s.caps.ObjectLock {
		return nil
	}
	return fault.New(fault.Unsupported, "object_lock_missing", "The object store has no retention lock. Use a bucket that was made with object lock.")
}

// CheckpointPrefix implements keeping.Checkpoints.
func (s *Store) CheckpointPrefix() string { return checkpointPrefix }

// ReadCheckpoint implements keeping.Checkpoints.
func (s *Store) ReadCheckpoint(ctx context.Context, size int64) ([]byte, error) {
	return s.checkpoint(ctx, fmt.Sprintf("%s%020d", checkpointPrefix, size))
}
