package main

import (
	"context"
	"io"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/storage/objects"
)

// vault gives the object store to the pipeline in the pipeline's words.
type vault struct{ store *objects.Store }

// Put implements pipeline.Objects.
func (v vault) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	o, err := v.store.Put(ctx, objects.PutRequest{Practice: practice, AudioID: audioID, Size: size, Reader: r})
	if err != nil {
		return pipeline.Stored{}, err
	}
	return pipeline.Stored{Key: o.Key, SHA256: o.SHA256, Size: o.Size, SealedKey: o.SealedKey, VersionID: o.VersionID}, nil
}

// Open implements pipeline.Objects.
func (v vault) Open(ctx context.Context, a pipeline.Audio) (io.ReadSeekCloser, error) {
	return v.store.Get(ctx, objects.Object{
		Practice: a.PracticeID, AudioID: a.ID, Key: a.Key, VersionID: a.VersionID, Size: a.Size, SHA256: a.SHA256, SealedKey: a.SealedKey,
	})
}

// openObjects connects to the store of recordings.
func openObjects(ctx context.Context, f serviceFlags) (*objects.Store, error) {
	key, err := masterKey(f)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(f.S3Endpoint)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "s3_endpoint", "The S3 address must look like https://HOST:PORT.")
	}
	return objects.Open(ctx, objects.Config{
		Endpoint: u.Host, TLS: strings.EqualFold(u.Scheme, "https"), Region: f.S3Region, AccessKey: f.S3AccessKey, SecretKey: f.S3SecretKey,
		Bucket: f.S3Bucket, MasterKey: key, MaxSize: f.MaxRecordingBytes,
	})
}
