package objects

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"vesper/internal/fault"
)

// Limits of one exchange with the store.
const (
	dialTimeout   = 2 * time.Second
	answerTimeout = 30 * time.Second // until the first byte of an answer
	healthTimeout = 3 * time.Second
	maxAttempts   = 3 // of one request, by minio-go, for what it knows to be transient
)

// DefaultMaxSize is the largest recording that is taken, in bytes: 2 GiB, about three hours of 48 kHz stereo PCM.
const DefaultMaxSize = 2 << 30

// Config says which store, and how recordings are locked.
type Config struct {
	Endpoint  string // host:port, without a scheme
	AccessKey string
	SecretKey string
	Bucket    string // made when absent
	Region    string // "" means us-east-1
	TLS       bool
	// MasterKey seals the object keys: KeySize random bytes. OldMasterKeys can still open what they sealed.
	MasterKey     []byte
	OldMasterKeys [][]byte
	SpoolDir      string // for encrypted temporary files; "" means the system's
	MaxSize       int64  // largest recording in bytes; 0 means DefaultMaxSize
	// Transport replaces the HTTP transport; nil means a bounded one of our own.
	Transport http.RoundTripper
	// Wrap is put around the transport, to count and trace what goes through; may be nil.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Format keeps the secrets out of every fmt verb.
func (c Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "object store %s bucket %s (secrets withheld)", c.Endpoint, c.Bucket)
}

// Capabilities is what the store can do beyond keeping objects.
type Capabilities struct {
	Versioning bool // an overwritten or deleted object can be brought back
	ObjectLock bool // Retain works
}

// Object is a stored recording. All but CipherSHA256 belongs into the caller's database row; without CipherSHA256 the
// checks take the one in the object's metadata.
type Object struct {
	Practice     uuid.UUID
	AudioID      uuid.UUID
	Key          string // name in the store
	VersionID    string // "" where the store has no versions
	Size         int64  // bytes before encryption
	SHA256       string // of the bytes before encryption, lower-case hex
	CipherSHA256 string // of the stored bytes, lower-case hex
	SealedKey    []byte
}

// Store keeps recordings in one bucket. It is safe for use by several goroutines.
type Store struct {
	client *minio.Client
	bucket string
	keys   *keyring
	spool  string
	max    int64
	caps   Capabilities
}

// Open connects, makes the bucket ready and returns the store. It is idempotent. When the store is away it says so
// within seconds (Unavailable, "object_store_unavailable"); the caller decides how long to go on trying.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	keys, err := newKeyring(cfg.MasterKey, cfg.OldMasterKeys)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = DefaultMaxSize
	}
	if cfg.SpoolDir != "" {
		if err := os.MkdirAll(cfg.SpoolDir, 0o700); err != nil {
			return nil, spoolFault(err)
		}
	}
	client, err := connect(cfg)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "object_store_config", "The object store's address or keys are malformed. "+
			"Correct them in the configuration: the endpoint is host:port without http://.")
	}
	s := &Store{client: client, bucket: cfg.Bucket, keys: keys, spool: cfg.SpoolDir, max: cfg.MaxSize}
	if s.caps, err = s.prepare(ctx, cfg.Region); err != nil {
		return nil, err
	}
	return s, nil
}

func connect(cfg Config) (*minio.Client, error) {
	transport := cfg.Transport
	if transport == nil {
		t, err := minio.DefaultTransport(cfg.TLS)
		if err != nil {
			return nil, fmt.Errorf("make transport: %w", err)
		}
		t.DialContext = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
		t.ResponseHeaderTimeout = answerTimeout
		transport = t
	}
	if cfg.Wrap != nil {
		transport = cfg.Wrap(transport)
	}
	if strings.TrimSpace(cfg.Bucket) == "" {
		return nil, fmt.Errorf("no bucket")
	}
	return minio.New(cfg.Endpoint, &minio.Options{
		Creds:           credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Secure:          cfg.TLS,
		Region:          cfg.Region,
		Transport:       transport,
		BucketLookup:    minio.BucketLookupAuto,
		TrailingHeaders: true,
		MaxRetries:      maxAttempts,
	})
}

// Capabilities says what the store can do.
func (s *Store) Capabilities() Capabilities { return s.caps }

// Health asks the store for a sign of life, within three seconds.
func (s *Store) Health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	ok, err := s.client.BucketExists(ctx, s.bucket)
	if err != nil {
		return storeFault("check bucket", err)
	}
	if !ok {
		return fault.New(fault.Unavailable, "object_store_bucket_missing", "The object store's bucket is gone. Restore it, "+
			"or restart Vesper to make an empty one.")
	}
	return nil
}
