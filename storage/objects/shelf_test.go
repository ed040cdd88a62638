package objects_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/pipeline/keeping"
	"vesper/storage/objects"
)

// row is what the database keeps of an object.
func row(o objects.Object) keeping.Recording {
	return keeping.Recording{
		ID: o.AudioID, PracticeID: o.Practice, Rendition: "original", Key: o.Key, VersionID: o.VersionID, SHA256: o.SHA256, Size: o.Size, SealedKey: o.SealedKey,
	}
}

func (w world) list(prefix, after string) (out []keeping.Entry) {
	w.t.Helper()
	for e, err := range w.List(w.t.Context(), prefix, after) {
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (w world) putIn(practice uuid.UUID, body []byte) objects.Object {
	w.t.Helper()
	o, err := w.Put(w.t.Context(), objects.PutRequest{Practice: practice, AudioID: uuid.New(), Size: int64(len(body)), Reader: bytes.NewReader(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func TestAListingShowsVersionsAndDeleteMarkersInOrderAndGoesOnAfterAName(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	practice := uuid.New()
	var keys []string
	var first objects.Object
	for range 5 {
		first = w.putIn(practice, noise(1000))
		keys = append(keys, first.Key)
	}
	again := w.replace(first, noise(500))
	if err := w.client.RemoveObject(t.Context(), w.cfg.Bucket, first.Key, minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	all := w.list("practice/", "")
	var names []string
	for _, e := range all {
		names = append(names, e.Key)
	}
	if !slices.IsSorted(names) || !slices.Equal(slices.Compact(names), keys) || len(all) != 7 {
		t.Fatalf("listed %d: %v", len(all), names)
	}
	for _, e := range all {
		if e.Key != first.Key {
			continue
		}
		switch {
		case e.DeleteMarker:
			if !e.Latest {
				t.Error("the delete marker is not the latest")
			}
		case e.VersionID == first.VersionID:
			if e.Size != w.StoredSize(first.Size) {
				t.Errorf("the version that was put has %d bytes", e.Size)
			}
		case e.VersionID != again.VersionID:
			t.Errorf("an unknown version: %+v", e)
		}
	}
	if rest := w.list("practice/", keys[2]); rest[0].Key != keys[3] {
		t.Fatalf("after %s comes %s", keys[2], rest[0].Key)
	}
	folders, err := w.Folders(t.Context(), "practice/")
	if err != nil || !slices.Equal(folders, []string{"practice/" + practice.String() + "/"}) {
		t.Fatalf("folders %v, %v", folders, err)
	}
}

func TestALongListingComesWholeOverItsPages(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	for i := range int64(1010) {
		if err := w.PutCheckpoint(t.Context(), i+1, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.list(w.CheckpointPrefix(), "")); n != 1010 {
		t.Fatalf("listed %d", n)
	}
}

func TestUncoveringBringsADeletedRecordingBackAndRemovesNothingElse(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	o := w.put(noise(1000))
	want(t, w.Uncover(t.Context(), o.Key, o.VersionID), fault.NotFound, "delete_marker_gone")
	if err := w.client.RemoveObject(t.Context(), w.cfg.Bucket, o.Key, minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	var marker string
	for _, e := range w.list(o.Key, "") {
		if e.DeleteMarker {
			marker = e.VersionID
		}
	}
	if err := w.Uncover(t.Context(), o.Key, marker); err != nil {
		t.Fatal(err)
	}
	r := row(o)
	r.VersionID = "" // under its bare name again
	if err := w.Look(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func TestAPurgeTakesEveryVersionAndIsDoneTwice(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	o, other := w.put(noise(1000)), w.put(noise(1000))
	w.replace(o, noise(10))
	for range 2 {
		if err := w.Purge(t.Context(), row(o)); err != nil {
			t.Fatal(err)
		}
	}
	if left := w.list(o.Key, ""); len(left) != 0 {
		t.Fatalf("left: %+v", left)
	}
	want(t, w.Look(t.Context(), row(o)), fault.NotFound, objects.CodeNotFound)
	if err := w.Read(t.Context(), row(other)); err != nil {
		t.Fatalf("another recording: %v", err)
	}
}

// wantLock fails the test unless the store holds the object in this mode until this time.
func (w world) wantLock(o objects.Object, mode string, until time.Time) {
	w.t.Helper()
	info, err := w.client.StatObject(w.t.Context(), w.cfg.Bucket, o.Key, minio.StatObjectOptions{VersionID: o.VersionID})
	if err != nil {
		w.t.Fatal(err)
	}
	have, err := time.Parse(time.RFC3339, info.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if m := info.Metadata.Get("X-Amz-Object-Lock-Mode"); err != nil || !have.Equal(until) || !strings.EqualFold(m, mode) {
		w.t.Fatalf("locked until %v in %v, %v; want %v in %s", have, m, err, until, mode)
	}
}

func TestARecordingIsLockedFromItsFirstMoment(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	o, err := w.Put(t.Context(), objects.PutRequest{
		Practice: uuid.New(), AudioID: uuid.New(), Size: -1, Reader: bytes.NewReader(noise(1000)), LockMode: keeping.Governance, LockUntil: until,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wantLock(o, keeping.Governance, until)
	want(t, w.Purge(t.Context(), row(o)), fault.Conflict, keeping.CodeLocked)
	if err := w.Verify(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestALockedOrHeldRecordingIsNotPurged(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	if !w.CanLock() {
		t.Fatal("the store of the tests has object lock")
	}
	for _, mode := range []string{keeping.Governance, keeping.Compliance} {
		o := w.put(noise(1000))
		until := time.Now().Add(time.Hour).Truncate(time.Second)
		if err := w.LockUntil(t.Context(), row(o), mode, until); err != nil {
			t.Fatal(err)
		}
		want(t, w.Purge(t.Context(), row(o)), fault.Conflict, keeping.CodeLocked)
		// An earlier end changes nothing, a later one extends.
		if err := w.LockUntil(t.Context(), row(o), mode, until.Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := w.LockUntil(t.Context(), row(o), mode, until.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.wantLock(o, mode, until.Add(time.Hour))
		if err := w.Read(t.Context(), row(o)); err != nil {
			t.Fatal(err)
		}
	}
	held := w.put(noise(1000))
	for range 2 {
		if err := w.Hold(t.Context(), row(held), true); err != nil {
			t.Fatal(err)
		}
	}
	want(t, w.Purge(t.Context(), row(held)), fault.Conflict, keeping.CodeLocked)
	if err := w.Hold(t.Context(), row(held), false); err != nil {
		t.Fatal(err)
	}
	if err := w.Purge(t.Context(), row(held)); err != nil {
		t.Fatal(err)
	}
}

func TestACheckpointIsReadBack(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	if err := w.PutCheckpoint(t.Context(), 7, []byte("signed")); err != nil {
		t.Fatal(err)
	}
	if c, err := w.ReadCheckpoint(t.Context(), 7); err != nil || string(c) != "signed" {
		t.Fatalf("%q, %v", c, err)
	}
	_, err := w.ReadCheckpoint(t.Context(), 8)
	want(t, err, fault.NotFound, objects.CodeNotFound)
}
