package objects_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"vesper/internal/fault"
	"vesper/internal/testkit"
	"vesper/storage/objects"
)

func TestAPieceOfAnUploadComesBackOnlyToWhoHasItsRow(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	practice, upload := uuid.New(), uuid.New()
	for n, size := range []int{1, 64 << 10, 200_001} {
		plain := noise(size)
		p, err := w.SealPart(practice, upload, n, plain)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.GetPart(t.Context(), p); fault.KindOf(err) != fault.NotFound {
			t.Errorf("before it is put: %v", err)
		}
		if err := w.PutPart(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		got, err := w.GetPart(t.Context(), p)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		if size > 1 {
			body, err := w.client.GetObject(t.Context(), w.cfg.Bucket, p.Key, minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(body)
			_ = body.Close()
			if err != nil || bytes.Contains(raw, plain[:64]) {
				t.Errorf("the store sees the sound, %v", err)
			}
		}
		for name, wrong := range map[string]func(objects.Part) objects.Part{
			"another practice": func(p objects.Part) objects.Part { p.Practice = uuid.New(); return p },
			"another upload":   func(p objects.Part) objects.Part { p.Upload = uuid.New(); return p },
			"other bytes":      func(p objects.Part) objects.Part { p.SHA256 = fmt.Sprintf("%064d", 0); return p },
		} {
			if got, err := w.GetPart(t.Context(), wrong(p)); fault.As(err).Code != objects.CodeCorrupt || got != nil {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
}

func TestAllVersionsOfAllPiecesAreRemoved(t *testing.T) {
	t.Parallel()
	w := open(t, testkit.S3(t))
	practice, upload, other := uuid.New(), uuid.New(), uuid.New()
	for _, of := range []uuid.UUID{upload, upload, other} { // the first upload's pieces are put twice
		for n := range 3 {
			p, err := w.SealPart(practice, of, n, noise(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.PutPart(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 { // nothing being there is success
		if err := w.RemoveParts(t.Context(), upload); err != nil {
			t.Fatal(err)
		}
	}
	left := map[string]int{}
	for o := range w.client.ListObjects(t.Context(), w.cfg.Bucket, minio.ListObjectsOptions{Prefix: "arriving/", Recursive: true, WithVersions: w.Capabilities().Versioning}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		left[o.Key]++
	}
	if len(left) != 3 {
		t.Errorf("left: %v", left)
	}
	for key := range left {
		if !strings.Contains(key, other.String()) {
			t.Errorf("%s is left", key)
		}
	}
}
