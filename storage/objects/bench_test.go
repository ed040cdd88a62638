package objects_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/google/uuid"

	"vesper/internal/testkit"
	"vesper/storage/objects"
)

// BenchmarkPutAndGet is what one recording costs on the way in and out, against the real store on this machine.
func BenchmarkPutAndGet(b *testing.B) {
	s, err := objects.Open(b.Context(), config(testkit.S3(b)))
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{1 << 20, 30 << 20} {
		body := noise(size)
		req := func() objects.PutRequest {
			return objects.PutRequest{Practice: uuid.New(), AudioID: uuid.New(), Size: -1, Reader: bytes.NewReader(body)}
		}
		b.Run(fmt.Sprintf("put-%dMiB", size>>20), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := s.Put(b.Context(), req()); err != nil {
					b.Fatal(err)
				}
			}
		})
		o, err := s.Put(b.Context(), req())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("get-%dMiB", size>>20), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				r, err := s.Get(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, r); err != nil || n != int64(size) {
					b.Fatal(n, err)
				}
			}
		})
	}
}
