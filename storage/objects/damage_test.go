package objects_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/objects"
)

func TestADamagedObjectUnderTheNameIsStoredAnew(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	body := noise(70000)
	o := w.put(body)
	raw, _ := w.raw(o)
	raw[100] ^= 1
	w.replace(o, raw)
	again, err := w.Put(t.Context(), objects.PutRequest{Practice: o.Practice, AudioID: o.AudioID, Size: -1, Reader: bytes.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.get(again); err != nil || !bytes.Equal(got, body) {
		t.Fatal(err)
	}
}

func TestEveryKindOfDamageIsCorruptAndGivesNoBytesAway(t *testing.T) {
	t.Parallel()
	const pack = 64<<10 + 32
	cases := map[string]func(b []byte) []byte{
		"a flipped bit":         func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a flipped header":      func(b []byte) []byte { b[1] ^= 1; return b },
		"a lost tail":           func(b []byte) []byte { return b[:len(b)-1] },
		"a lost last package":   func(b []byte) []byte { return b[:2*pack] },
		"everything lost":       func([]byte) []byte { return nil },
		"two packages exchange": func(b []byte) []byte { return append(append(b[pack:2*pack:2*pack], b[:pack]...), b[2*pack:]...) },
		"something appended":    func(b []byte) []byte { return append(b, 0) },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, testkit.S3(t))
			body := noise(3*65536 - 5)
			o := w.put(body)
			raw, _ := w.raw(o)
			bad := w.replace(o, spoil(raw))
			want(t, w.Verify(t.Context(), bad), fault.Internal, objects.CodeCorrupt)
			got, err := w.get(bad)
			want(t, err, fault.Internal, objects.CodeCorrupt)
			if !bytes.HasPrefix(body, got) {
				t.Fatal("damaged bytes were given away")
			}
			if back, err := w.get(o); err != nil || !bytes.Equal(back, body) {
				t.Fatalf("the version that was put is gone too: %v", err)
			}
		})
	}
}

func TestExchangedObjectsAndKeysFail(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	a, b := w.put(noise(100000)), w.put(noise(100000))
	rawA, _ := w.raw(a)
	swapped := w.replace(b, rawA)
	_, err := w.get(swapped)
	want(t, err, fault.Internal, objects.CodeCorrupt)
	for name, change := range map[string]func(*objects.Object){
		"another recording": func(o *objects.Object) { o.AudioID = b.AudioID },
		"another practice":  func(o *objects.Object) { o.Practice = b.Practice },
		"another key":       func(o *objects.Object) { o.SealedKey = b.SealedKey },
		"an altered key":    func(o *objects.Object) { o.SealedKey = bytes.Clone(o.SealedKey); o.SealedKey[40] ^= 1 },
		"no key":            func(o *objects.Object) { o.SealedKey = nil },
	} {
		o := a
		change(&o)
		_, err := w.Get(t.Context(), o)
		if f := fault.As(err); f == nil || f.Code != objects.CodeCorrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMasterKeysRotateAndAWrongOneIsNamed(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	w := open(t, b)
	body := noise(1000)
	o := w.put(body)
	other := bytes.Repeat([]byte{8}, objects.KeySize)
	stranger := open(t, b, func(c *objects.Config) { c.MasterKey = other })
	_, err := stranger.Get(t.Context(), o)
	want(t, err, fault.Internal, "master_key_missing")

	rotated := open(t, b, func(c *objects.Config) { c.MasterKey, c.OldMasterKeys = other, [][]byte{master} })
	if got, err := rotated.get(o); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("old key after rotation: %v", err)
	}
	if o.SealedKey, err = rotated.Reseal(o); err != nil {
		t.Fatal(err)
	}
	if got, err := stranger.get(o); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("new key alone after resealing: %v", err)
	}
	cfg := config(b)
	cfg.MasterKey = []byte("short")
	_, err = objects.Open(t.Context(), cfg)
	want(t, err, fault.Invalid, "master_key_invalid")
}

// flip damages what goes over the wire to the store.
type flip struct{ next http.RoundTripper }

func (f flip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/audio/") {
		return f.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body[len(body)/2] ^= 1
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return f.next.RoundTrip(r)
}

func TestBytesDamagedOnTheWayAreNeverAcknowledged(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t), func(c *objects.Config) { c.Transport = flip{c.Transport} })
	_, err := w.Put(t.Context(), objects.PutRequest{
		Practice: uuid.New(), AudioID: uuid.New(), Size: -1,
		Reader: bytes.NewReader(noise(100000)),
	})
	if !fault.Retryable(err) {
		t.Fatalf("want a refusal that may be tried again, got %v", err)
	}
}

func TestTheStoreWeRelyOnRefusesAWrongChecksum(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	sum := sha256.Sum256([]byte("other bytes"))
	client, err := minio.New(w.cfg.Endpoint, &minio.Options{
		Region: w.cfg.Region, TrailingHeaders: true,
		Creds: credentials.NewStaticV4(w.cfg.AccessKey, w.cfg.SecretKey, ""), Transport: w.cfg.Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PutObject(t.Context(), w.cfg.Bucket, "x", strings.NewReader("bytes"), 5, minio.PutObjectOptions{
		DisableMultipart: true,
		UserMetadata:     map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum[:])},
	})
	if minio.ToErrorResponse(err).Code != "BadDigest" {
		t.Fatalf("got %v", err)
	}
}

// mute counts the objects that are read, and, when silent, is a store that says nothing of checksums.
type mute struct {
	next   http.RoundTripper
	silent bool
	reads  atomic.Int32
}

func (m *mute) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/audio/") {
		m.reads.Add(1)
	}
	res, err := m.next.RoundTrip(r)
	if err == nil && m.silent {
		res.Header.Del("X-Amz-Checksum-Sha256")
	}
	return res, err
}

func TestAStoreThatDoesNotCheckIsReadBack(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{true, false} {
		m := &mute{silent: silent}
		w := open(t, testkit.S3(t), func(c *objects.Config) { m.next, c.Transport = c.Transport, m })
		w.put(noise(1000))
		if got := m.reads.Load(); (got == 1) != silent {
			t.Errorf("silent %v: read back %d times", silent, got)
		}
	}
}
