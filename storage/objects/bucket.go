package objects

import (
	"context"

	"github.com/minio/minio-go/v7"
)

// prepare makes the bucket if it is absent and switches on what the store has of versioning and object lock.
func (s *Store) prepare(ctx context.Context, region string) (Capabilities, error) {
	if err := s.makeBucket(ctx, region); err != nil {
		return Capabilities{}, err
	}
	versioning, err := s.enableVersioning(ctx)
	if err != nil {
		return Capabilities{}, err
	}
	lock, err := s.hasObjectLock(ctx)
	return Capabilities{Versioning: versioning, ObjectLock: lock}, err
}

// makeBucket asks for a bucket with object lock, which can only be had at birth, and takes one without where the store
// knows none.
func (s *Store) makeBucket(ctx context.Context, region string) error {
	exists, err := s.client.BucketExists(ctx, s.bucket)
	if err != nil {
		return storeFault("check bucket", err)
	}
	if exists {
		return nil
	}
	err = s.client.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region, ObjectLocking: true})
	if unsupported(err) {
		err = s.client.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region})
	}
	if code(err) == minio.BucketAlreadyOwnedByYou || code(err) == minio.BucketAlreadyExists {
		return nil // another process was faster
	}
	if err != nil {
		return storeFault("make bucket", err)
	}
	return nil
}

func (s *Store) enableVersioning(ctx context.Context) (bool, error) {
	v, err := s.client.GetBucketVersioning(ctx, s.bucket)
	if unsupported(err) {
		return false, nil
	}
	if err != nil {
		return false, storeFault("read versioning", err)
	}
	if v.Enabled() {
		return true, nil
	}
	err = s.client.EnableVersioning(ctx, s.bucket)
	if unsupported(err) {
		return false, nil
	}
	if err != nil {
		return false, storeFault("enable versioning", err)
	}
	return true, nil
}

func (s *Store) hasObjectLock(ctx context.Context) (bool, error) {
	enabled, _, _, _, err := s.client.GetObjectLockConfig(ctx, s.bucket)
	if unsupported(err) || code(err) == "ObjectLockConfigurationNotFoundError" {
		return false, nil
	}
	if err != nil {
		return false, storeFault("read object lock", err)
	}
	return enabled == "Enabled", nil
}
