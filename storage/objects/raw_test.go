package objects_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/objects"
)

func TestAnObjectIsCopiedAsItIsAndOpensInItsNewStore(t *testing.T) {
	t.Parallel()
	from, to := open(t, testkit.S3(t)), open(t, testkit.S3(t))
	body := noise(3*65536 + 77)
	o := from.put(body)
	raw, err := from.OpenRaw(t.Context(), o.Key, o.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if raw.CipherSHA256 != o.CipherSHA256 || raw.Size <= o.Size {
		t.Errorf("%d bytes, %s", raw.Size, raw.CipherSHA256)
	}
	version, err := to.PutRaw(t.Context(), o.Key, raw.Metadata, raw.Size, raw)
	if err != nil {
		t.Fatal(err)
	}
	moved := o
	moved.VersionID = version
	if version == "" || version == o.VersionID {
		t.Errorf("the version %q is that of the other store", version)
	}
	if err := to.Verify(t.Context(), moved); err != nil {
		t.Error(err)
	}
	if got, err := to.get(moved); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if info, err := to.Head(t.Context(), moved); err != nil || info.AudioID != o.AudioID {
		t.Errorf("%+v %v", info, err)
	}
	_, err = to.Head(t.Context(), o)
	if fault.KindOf(err) != fault.NotFound {
		t.Errorf("under the old version: %v", err)
	}
	_, err = from.OpenRaw(t.Context(), o.Key+"x", "")
	want(t, err, fault.NotFound, objects.CodeNotFound)
	if _, err := to.PutRaw(t.Context(), "audit/checkpoint/1", nil, 1, strings.NewReader("x")); err == nil {
		t.Error("something else than a recording was stored")
	}
}

// cutter breaks off the first answers with a recording in the middle.
type cutter struct {
	next http.RoundTripper
	left atomic.Int32
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/audio/") && c.left.Add(-1) >= 0 {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(res.Body, 70_000), broken{}), res.Body}
	}
	return res, err
}

func TestACopyThatTheNetworkCutsGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	c := &cutter{}
	w := open(t, testkit.S3(t), func(cfg *objects.Config) { c.next, cfg.Transport = cfg.Transport, c })
	o := w.put(noise(400_000))
	whole, _ := w.raw(o)
	c.left.Store(3)
	raw, err := w.OpenRaw(t.Context(), o.Key, o.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	got, err := io.ReadAll(raw)
	if err != nil || !bytes.Equal(got, whole) || c.left.Load() >= 0 {
		t.Errorf("%d of %d bytes, %v, %d cuts left", len(got), len(whole), err, c.left.Load())
	}
	c.left.Store(0)
	w.cfg.Transport.(*cutter).next = refusing{}
	again, err := w.OpenRaw(t.Context(), o.Key, o.VersionID)
	if err == nil {
		_, err = io.ReadAll(again)
	}
	want(t, err, fault.Unavailable, objects.CodeUnavailable)
}

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }

func TestCheckpointsAreGivenUpToASize(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	for _, size := range []int64{3, 20, 100} {
		if err := w.PutCheckpoint(t.Context(), size, []byte{byte(size)}); err != nil {
			t.Fatal(err)
		}
	}
	var got []int64
	err := w.WalkCheckpoints(t.Context(), 20, func(size int64, signed []byte) error {
		if signed[0] != byte(size) {
			t.Errorf("at %d stands another", size)
		}
		got = append(got, size)
		return nil
	})
	if err != nil || len(got) != 2 || got[0] != 3 || got[1] != 20 {
		t.Errorf("%v %v", got, err)
	}
	stop := errors.New("enough")
	if err := w.WalkCheckpoints(t.Context(), 100, func(int64, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
