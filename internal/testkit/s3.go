package testkit

import (
	"crypto/rand"
	"strings"
	"testing"

	"vesper/internal/services"
)

// Bucket is where a test may keep objects. The bucket does not exist yet: versioning and retention are chosen when it is
// made, which is the business of the code under test.
type Bucket struct {
	Endpoint  string // "http://127.0.0.1:40123"
	Region    string
	AccessKey string
	SecretKey string
	Name      string
}

// Host is the endpoint without its scheme, as minio-go wants it.
func (b Bucket) Host() string { return strings.TrimPrefix(b.Endpoint, "http://") }

// S3 returns the shared object store with a bucket name that no other test has.
func S3(t testing.TB) Bucket {
	t.Helper()
	return newBucket(sharedS3.get(t).S3())
}

func newBucket(s services.S3) Bucket {
	return Bucket{
		Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey.Reveal(),
		Name: "test-" + strings.ToLower(rand.Text()),
	}
}
