package objects

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"

	"github.com/minio/minio-go/v7"

	"vesper/internal/fault"
)

// The codes of this package's faults that callers compare.
const (
	CodeUnavailable = "object_store_unavailable"
	CodeNotFound    = "audio_not_found"
	CodeCorrupt     = "audio_corrupt"
)

// code is the S3 error code of err, "" when it is no answer of the store.
func code(err error) string {
	var e minio.ErrorResponse
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// unsupported says that the store does not have this feature.
func unsupported(err error) bool {
	var e minio.ErrorResponse
	return errors.As(err, &e) && (e.StatusCode == http.StatusNotImplemented ||
		slices.Contains([]string{"NotImplemented", "VersioningNotConfigured", "MethodNotAllowed"}, e.Code))
}

// storeFault turns an error of the store into a fault. Whatever is not a clear "no" is Unavailable: trying again later
// is right, and nothing was acknowledged.
func storeFault(op string, err error) error {
	cause := fmt.Errorf("object store: %s: %w", op, err)
	if errors.Is(err, context.Canceled) {
		return cause // fault.As knows what to make of it
	}
	switch c := code(err); {
	case slices.Contains([]string{minio.NoSuchKey, minio.NoSuchVersion, "NotFound", "MethodNotAllowed"}, c):
		return fault.Wrap(cause, fault.NotFound, CodeNotFound, "This recording is not in the object store. Tell an "+
			"administrator; it may be in a backup.")
	case slices.Contains([]string{"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}, c):
		return fault.Wrap(cause, fault.Unavailable, "object_store_denied", "The object store does not accept Vesper's keys. "+
			"An administrator must correct them; nothing is lost meanwhile.")
	case slices.Contains([]string{"BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest"}, c):
		return fault.Wrap(cause, fault.Unavailable, "object_store_checksum", "The recording arrived damaged in the object "+
			"store, which refused it. Send it again.")
	default:
		return fault.Wrap(cause, fault.Unavailable, CodeUnavailable, "The audio store cannot be reached or has a problem. "+
			"Keep the recording and try again in a moment.")
	}
}

// corrupt is the fault of a recording that fails its seal or its checksum.
func corrupt(cause error) error {
	return fault.Wrap(cause, fault.Internal, CodeCorrupt, "The stored recording is damaged or is not the one it should be. "+
		"It was not used. An administrator must restore it.")
}

// spoolFault is the fault of a local temporary file.
func spoolFault(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Wrap(err, fault.Unavailable, "disk_full", "The server's disk is full, so the recording was not taken. "+
			"Keep it and tell an administrator.")
	}
	return fault.Wrap(err, fault.Internal, "spool_failed", "The server could not buffer the recording. Keep it and try again.")
}
