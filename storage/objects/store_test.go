package objects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/internal/testkit"
	"vesper/storage/objects"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var master = bytes.Repeat([]byte{7}, objects.KeySize)

func config(b testkit.Bucket) objects.Config {
	return objects.Config{
		Endpoint: b.Host(), AccessKey: b.AccessKey, SecretKey: b.SecretKey, Bucket: b.Name,
		Region: b.Region, MasterKey: master,
	}
}

// world is a fresh bucket with a store on it and a bare client beside, for doing harm.
type world struct {
	*objects.Store
	t      *testing.T
	cfg    objects.Config
	client *minio.Client
}

func open(t *testing.T, b testkit.Bucket, change ...func(*objects.Config)) world {
	t.Helper()
	cfg := config(b)
	cfg.SpoolDir = t.TempDir()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	cfg.Transport = transport
	t.Cleanup(transport.CloseIdleConnections)
	for _, c := range change {
		c(&cfg)
	}
	s, err := objects.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	client, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, ""),
		Region: cfg.Region, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return world{s, t, cfg, client}
}

func (w world) put(body []byte) objects.Object {
	w.t.Helper()
	o, err := w.Put(w.t.Context(), objects.PutRequest{
		Practice: uuid.New(), AudioID: uuid.New(), Size: int64(len(body)),
		Reader: bytes.NewReader(body),
	})
	if err != nil {
		w.t.Fatalf("put %d bytes: %v", len(body), err)
	}
	return o
}

func (w world) get(o objects.Object) ([]byte, error) {
	r, err := w.Get(w.t.Context(), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// raw is what really stands in the store.
func (w world) raw(o objects.Object) ([]byte, minio.ObjectInfo) {
	w.t.Helper()
	obj, err := w.client.GetObject(w.t.Context(), w.cfg.Bucket, o.Key, minio.GetObjectOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer obj.Close()
	b, err := io.ReadAll(obj)
	if err != nil {
		w.t.Fatal(err)
	}
	info, err := obj.Stat()
	if err != nil {
		w.t.Fatal(err)
	}
	return b, info
}

// replace writes other bytes under the object's name and returns the object as its new version.
func (w world) replace(o objects.Object, body []byte) objects.Object {
	w.t.Helper()
	_, info := w.raw(o)
	up, err := w.client.PutObject(w.t.Context(), w.cfg.Bucket, o.Key, bytes.NewReader(body), int64(len(body)),
		minio.PutObjectOptions{UserMetadata: info.UserMetadata})
	if err != nil {
		w.t.Fatal(err)
	}
	o.VersionID = up.VersionID
	return o
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

func want(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	f := fault.As(err)
	if f == nil || f.Kind != kind || f.Code != code {
		t.Fatalf("want %s (%s), got %v", code, kind, err)
	}
}

func TestEverySizeComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	for _, n := range []int{0, 1, 31, 65535, 65536, 65537, 131072, 300001, 5 << 20, 5<<20 + 17} {
		body := noise(n)
		o := w.put(body)
		sum := sha256.Sum256(body)
		if o.Size != int64(n) || o.SHA256 != hex.EncodeToString(sum[:]) || len(o.SealedKey) == 0 || o.VersionID == "" {
			t.Fatalf("%d bytes: %+v", n, o)
		}
		got, err := w.get(o)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes came back as %d, %v", n, len(got), err)
		}
		if err := w.Verify(t.Context(), o); err != nil {
			t.Fatalf("verify %d bytes: %v", n, err)
		}
		row := o // what a database row keeps
		row.CipherSHA256 = ""
		info, err := w.Head(t.Context(), row)
		if err != nil || info.AudioID != o.AudioID || info.CipherSHA256 != o.CipherSHA256 {
			t.Fatalf("head: %+v, %v", info, err)
		}
	}
}

func TestTheStoreSeesNeitherSoundNorNamesNorKeys(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	body := bytes.Repeat([]byte("Quastelwort "), 20000)
	o := w.put(body)
	stored, info := w.raw(o)
	if bytes.Contains(stored, []byte("Quastelwort")) {
		t.Fatal("plaintext in the store")
	}
	if sum := sha256.Sum256(stored); hex.EncodeToString(sum[:]) != o.CipherSHA256 {
		t.Fatal("CipherSHA256 is not that of the stored bytes")
	}
	shown := fmt.Sprint(o.Key, info.Metadata, info.UserMetadata)
	if strings.Contains(shown, o.SHA256) || strings.Contains(fmt.Sprintf("%v %+v %#v", w.cfg, w.cfg, w.cfg), w.cfg.SecretKey) {
		t.Fatal("the plaintext's hash or a secret shows")
	}
	if !strings.HasPrefix(o.Key, "practice/"+o.Practice.String()+"/audio/") {
		t.Fatalf("key %q", o.Key)
	}
	same, err := w.Put(t.Context(), objects.PutRequest{Practice: o.Practice, AudioID: uuid.New(), Size: -1, Reader: bytes.NewReader(body)})
	if err != nil || same.Key == o.Key {
		t.Fatalf("the same sound under another id shows by its name: %v", err)
	}
}

func TestRangesOfARecordingEqualThoseOfTheOriginal(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	body := noise(2<<20 + 333)
	o := w.put(body)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rc, err := w.Get(r.Context(), o)
		if err != nil {
			t.Error(err)
			return
		}
		defer rc.Close()
		http.ServeContent(rw, r, "", time.Time{}, rc)
	}))
	defer srv.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	ranges := [][2]int{
		{0, 0},
		{0, 65535},
		{65535, 65536},
		{65536, 131071},
		{len(body) - 1, len(body) - 1},
		{0, len(body) - 1},
		{256<<10 - 1, 256 << 10},
		{768 << 10, 1<<20 + 5},
	}
	for range 25 {
		a := rnd.IntN(len(body))
		ranges = append(ranges, [2]int{a, a + rnd.IntN(len(body)-a)})
	}
	for _, rg := range ranges {
		req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", rg[0], rg[1]))
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusPartialContent || !bytes.Equal(got, body[rg[0]:rg[1]+1]) {
			t.Fatalf("range %v: status %d, %d bytes, %v", rg, res.StatusCode, len(got), err)
		}
	}
}

func TestPutIsIdempotentAlsoInParallel(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	body, practice, audio := noise(200000), uuid.New(), uuid.New()
	got := make([]objects.Object, 8)
	errs := make([]error, len(got))
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			got[i], errs[i] = w.Put(t.Context(), objects.PutRequest{Practice: practice, AudioID: audio, Size: -1, Reader: bytes.NewReader(body)})
		})
	}
	wg.Wait()
	for i, o := range got {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if back, err := w.get(o); err != nil || !bytes.Equal(back, body) || o.Key != got[0].Key || o.VersionID != got[0].VersionID {
			t.Fatalf("put %d: key %s version %q, %v", i, o.Key, o.VersionID, err)
		}
	}
	n := 0
	if err := w.Walk(t.Context(), practice, func(objects.Listed) error { n++; return nil }); err != nil || n != 1 {
		t.Fatalf("%d objects, %v", n, err)
	}
}

func TestBadInputIsRefusedAndStoresNothing(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t), func(c *objects.Config) { c.MaxSize = 1000 })
	practice := uuid.New()
	put := func(size int64, r io.Reader) error {
		_, err := w.Put(t.Context(), objects.PutRequest{Practice: practice, AudioID: uuid.New(), Size: size, Reader: r})
		return err
	}
	want(t, put(10, strings.NewReader("short")), fault.Invalid, "audio_size_mismatch")
	want(t, put(-1, bytes.NewReader(noise(1001))), fault.TooLarge, "audio_too_large")
	want(t, put(-1, io.MultiReader(strings.NewReader("half"), broken{})), fault.Unavailable, "upload_interrupted")
	if err := w.Walk(t.Context(), practice, func(o objects.Listed) error { return errors.New(o.Key) }); err != nil {
		t.Fatalf("stored: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestAMissingRecordingIsNotFound(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	o := w.put(noise(10))
	o.Key += "0"
	_, err := w.Get(t.Context(), o)
	want(t, err, fault.NotFound, objects.CodeNotFound)
	want(t, w.Verify(t.Context(), o), fault.NotFound, objects.CodeNotFound)
}

func TestOpeningIsIdempotentAndFindsVersioningAndLock(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := objects.Open(t.Context(), config(b))
			if err != nil {
				t.Error(err)
				return
			}
			if c := s.Capabilities(); !c.Versioning || !c.ObjectLock {
				t.Errorf("%+v", c)
			}
		})
	}
	wg.Wait()
}

func TestARetainedRecordingCannotBeDeleted(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	body := noise(100)
	o := w.put(body)
	if err := w.Retain(t.Context(), o, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	err := w.client.RemoveObject(t.Context(), w.cfg.Bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID})
	if err == nil {
		t.Fatal("was deleted")
	}
	if got, err := w.get(o); err != nil || !bytes.Equal(got, body) {
		t.Fatal(err)
	}
}

func TestABucketWithoutLockStillWorksAndSaysSo(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	client, err := minio.New(b.Host(), &minio.Options{Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Region: b.Region})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), b.Name, minio.MakeBucketOptions{Region: b.Region}); err != nil {
		t.Fatal(err)
	}
	w := open(t, b)
	if w.Capabilities().ObjectLock {
		t.Fatal("claims a lock")
	}
	want(t, w.Retain(t.Context(), w.put(noise(1)), time.Now().Add(time.Hour)), fault.Unsupported, "object_lock_missing")
}

func TestCheckpointsAreKeptOnceAndInOrder(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	for _, n := range []int64{1, 12, 3, 3} {
		if err := w.PutCheckpoint(t.Context(), n, fmt.Appendf(nil, "checkpoint %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.PutCheckpoint(t.Context(), 3, []byte("a forged one")); err != nil {
		t.Fatal(err)
	}
	got, err := w.Checkpoints(t.Context())
	if err != nil || fmt.Sprintf("%s", got) != "[checkpoint 1 checkpoint 3 checkpoint 12]" {
		t.Fatalf("%s, %v", got, err)
	}
}

func TestAStoreThatIsDownSaysSoQuicklyAndComesBack(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t, services.S3Store)
	w := open(t, own.S3())
	body := noise(300000)
	o := w.put(body)
	own.StopS3()
	began := time.Now()
	_, err := w.Put(t.Context(), objects.PutRequest{Practice: uuid.New(), AudioID: uuid.New(), Size: -1, Reader: bytes.NewReader(body)})
	want(t, err, fault.Unavailable, objects.CodeUnavailable)
	_, err = w.Get(t.Context(), o)
	want(t, err, fault.Unavailable, objects.CodeUnavailable)
	want(t, w.Health(t.Context()), fault.Unavailable, objects.CodeUnavailable)
	_, err = objects.Open(t.Context(), w.cfg)
	want(t, err, fault.Unavailable, objects.CodeUnavailable)
	t.Logf("four refusals in %v", time.Since(began))
	if time.Since(began) > 20*time.Second {
		t.Fatalf("took %v", time.Since(began))
	}
	own.StartS3()
	if err := w.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.get(o); err != nil || !bytes.Equal(got, body) {
		t.Fatal(err)
	}
}

func TestWrongKeysToTheStoreAreNamed(t *testing.T) {
	t.Parallel()
	cfg := config(testkit.S3(t))
	cfg.SecretKey = "not-the-secret"
	_, err := objects.Open(t.Context(), cfg)
	want(t, err, fault.Unavailable, "object_store_denied")
}

func TestACancelledCallIsCanceled(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Put(ctx, objects.PutRequest{Practice: uuid.New(), AudioID: uuid.New(), Size: -1, Reader: strings.NewReader("x")})
	if fault.KindOf(err) != fault.Canceled {
		t.Fatalf("got %v", err)
	}
}
