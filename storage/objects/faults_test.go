package objects

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"

	"vesper/internal/fault"
)

func TestAFullDiskSaysSo(t *testing.T) {
	t.Parallel()
	err := spoolFault(&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if f := fault.As(err); f.Code != "disk_full" || f.Kind != fault.Unavailable {
		t.Fatalf("got %v", err)
	}
}

func TestAnswersOfTheStoreBecomeTheRightFaults(t *testing.T) {
	t.Parallel()
	for s3code, want := range map[string]string{
		"NoSuchKey": CodeNotFound, "NoSuchVersion": CodeNotFound, "AccessDenied": "object_store_denied",
		"BadDigest": "object_store_checksum", "SlowDown": CodeUnavailable, "InternalError": CodeUnavailable,
		"NoSuchBucket": CodeUnavailable,
	} {
		err := storeFault("get", fmt.Errorf("wrapped: %w", minio.ErrorResponse{Code: s3code}))
		if got := fault.As(err).Code; got != want {
			t.Errorf("%s became %s, want %s", s3code, got, want)
		}
	}
	if fault.As(storeFault("get", errors.New("dial tcp: refused"))).Code != CodeUnavailable {
		t.Error("an unreachable store is not unavailable")
	}
}
