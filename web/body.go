package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"vesper/internal/fault"
)

// Times that a long upload may take: between two arrivals of bytes, and in all. A phone in a cellar is slow; somebody
// who holds connections open on purpose is slower.
const (
	stallTime  = 60 * time.Second
	uploadTime = 6 * time.Hour
)

// steadyBody reads a long body and moves the connection's deadlines along as bytes arrive.
type steadyBody struct {
	r     io.Reader
	q     *request
	began time.Time
	moved time.Time
}

func (b *steadyBody) Read(p []byte) (int, error) {
	now := time.Now()
	if b.began.IsZero() {
		b.began = now
	}
	if now.Sub(b.began) > uploadTime {
		return 0, os.ErrDeadlineExceeded
	}
	if now.Sub(b.moved) > time.Second {
		b.moved = now
		b.q.deadlines(stallTime, stallTime+writeTime)
	}
	return b.r.Read(p)
}

// steadyWriter does the same for long answers: each write has its own deadline.
type steadyWriter struct {
	http.ResponseWriter
	q     *request
	moved time.Time
}

func (w *steadyWriter) Write(p []byte) (int, error) {
	if now := time.Now(); now.Sub(w.moved) > time.Second {
		w.moved = now
		w.q.deadlines(0, stallTime)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *steadyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func empty() error {
	return fault.New(fault.Invalid, "audio_empty", "The recording is empty. Check the recorder and send it again.")
}

func tooLarge(limit int64) error {
	return fault.New(fault.TooLarge, "audio_too_large", fmt.Sprintf("The recording is larger than %d MB. Split it and send the parts.", limit>>20))
}

// bodyFault says in plain words why a body could not be read or kept.
func bodyFault(err error, limit int64) error {
	var tooMuch *http.MaxBytesError
	var known *fault.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &tooMuch):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.Wrap(err, fault.Unavailable, "upload_stalled", "No bytes arrived for too long. Keep the recording and send it again.")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, os.ErrPermission):
		return spoolFault(err)
	default:
		return fault.Wrap(err, fault.Invalid, "upload_cut", "The upload broke off before its end or is not a proper form. Send the recording again.")
	}
}

func spoolFault(err error) error {
	return fault.Wrap(err, fault.Unavailable, "spool_unavailable", "The server cannot take recordings right now. Keep yours and try again in a few minutes.")
}

// reserve is the space that uploads leave free on the disk, so that the rest of the house goes on working.
const reserve = 256 << 20

// roomFor refuses an upload that would fill the disk.
func roomFor(dir string, size int64) error {
	free, err := freeSpace(dir)
	if err != nil {
		return spoolFault(err)
	}
	if free < reserve || uint64(size) > free-reserve {
		return fault.New(fault.Unavailable, "spool_full", "The server's disk is nearly full, so it takes no recordings right now. Keep yours, tell whoever runs the server, and try again later.")
	}
	return nil
}

// trim keeps a client's word at a bearable length.
func trim(s string) string {
	if len(s) > maxField {
		s = s[:maxField]
	}
	return strings.ToValidUTF8(s, "")
}
