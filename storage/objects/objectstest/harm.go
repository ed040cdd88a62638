// Package objectstest does to a bucket what the program itself never does: it damages, hides and plants objects, so that tests
// can see it noticed.
package objectstest

import (
	"bytes"
	"context"
	"net/http"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Harm is a bare client of one bucket. Each method fails the test when the store does not let it do its worst.
type Harm struct {
	t      testing.TB
	client *minio.Client
	bucket string
}

// New connects to a bucket that exists already.
func New(t testing.TB, host, region, accessKey, secretKey, bucket string) *Harm {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it always is one
	t.Cleanup(transport.CloseIdleConnections)
	client, err := minio.New(host, &minio.Options{Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Region: region, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return &Harm{t: t, client: client, bucket: bucket}
}

// Plant writes an object under a name and returns its version.
func (h *Harm) Plant(key string, body []byte) string {
	h.t.Helper()
	up, err := h.client.PutObject(context.Background(), h.bucket, key, bytes.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	if err != nil {
		h.t.Fatalf("plant %s: %v", key, err)
	}
	return up.VersionID
}

// Flip writes the object again with one bit changed, metadata and all, and returns the new version.
func (h *Harm) Flip(key string) string {
	h.t.Helper()
	obj, err := h.client.GetObject(context.Background(), h.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		h.t.Fatal(err)
	}
	defer obj.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(obj); err != nil {
		h.t.Fatal(err)
	}
	info, err := obj.Stat()
	if err != nil {
		h.t.Fatal(err)
	}
	b.Bytes()[b.Len()/2] ^= 1
	up, err := h.client.PutObject(context.Background(), h.bucket, key, &b, int64(b.Len()), minio.PutObjectOptions{UserMetadata: info.UserMetadata})
	if err != nil {
		h.t.Fatalf("flip %s: %v", key, err)
	}
	return up.VersionID
}

// Cover deletes without naming a version: a delete marker hides the object.
func (h *Harm) Cover(key string) { h.remove(key, "") }

// Remove deletes one version for good.
func (h *Harm) Remove(key, version string) { h.remove(key, version) }

func (h *Harm) remove(key, version string) {
	h.t.Helper()
	if err := h.client.RemoveObject(context.Background(), h.bucket, key, minio.RemoveObjectOptions{VersionID: version}); err != nil {
		h.t.Fatalf("remove %s: %v", key, err)
	}
}
