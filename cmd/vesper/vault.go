package main

import (
	"context"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/storage/objects"
)

// vault gives the object store to the pipeline in the pipeline's words. What is put through one with a lock is kept by the
// store from its first moment, where it can.
type vault struct {
	store *objects.Store
	lock  keeping.Lock
}

// Put implements pipeline.Objects.
func (v vault) Put(ctx context.Context, practice, audioID uuid.UUID, r io.Reader, size int64) (pipeline.Stored, error) {
	o, err := v.store.Put(ctx, objects.PutRequest{
		Practice: practice, AudioID: audioID, Size: size, Reader: r, LockMode: v.lock.Mode, LockUntil: time.Now().Add(v.lock.For),
	})
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

// SealPart implements pipeline.Parts.
func (v vault) SealPart(practice, upload uuid.UUID, number int, plain []byte) (pipeline.ArrivingPart, error) {
	p, err := v.store.SealPart(practice, upload, number, plain)
	return pipeline.ArrivingPart{
		PracticeID: practice, Upload: upload, Number: number, Size: p.Size, Key: p.Key, SHA256: p.SHA256, SealedKey: p.SealedKey, Sealed: p.Sealed,
	}, err
}

// PutPart implements pipeline.Parts.
func (v vault) PutPart(ctx context.Context, p pipeline.ArrivingPart) error {
	return v.store.PutPart(ctx, part(p))
}

// GetPart implements pipeline.Parts.
func (v vault) GetPart(ctx context.Context, p pipeline.ArrivingPart) ([]byte, error) {
	return v.store.GetPart(ctx, part(p))
}

// RemoveParts implements pipeline.Parts.
func (v vault) RemoveParts(ctx context.Context, upload uuid.UUID) error {
	return v.store.RemoveParts(ctx, upload)
}

func part(p pipeline.ArrivingPart) objects.Part {
	return objects.Part{
		Practice: p.PracticeID, Upload: p.Upload, Number: p.Number, Size: p.Size, Key: p.Key, SHA256: p.SHA256, SealedKey: p.SealedKey, Sealed: p.Sealed,
	}
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
		Bucket: f.S3Bucket, MasterKey: key, MaxSize: f.MaxRecordingBytes, Wrap: f.aroundStore,
	})
}
