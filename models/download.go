package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The bounds of a download. A host that cannot be reached must not hold up the next source.
const (
	connectTimeout = 5 * time.Second
	answerTimeout  = 15 * time.Second // to the first byte of the answer
	stallTimeout   = 60 * time.Second // without a byte
	downloadTries  = 6                // in a row without a new byte
	connectTries   = 1                // in a row without an answer
	retryPause     = 250 * time.Millisecond
)

// unreachableError says that a host could not be reached at all, as opposed to not having the file.
type unreachableError struct {
	host string
	err  error
}

// newUnreachable leaves out the address that net/http puts into its errors: its query may hold a token.
func newUnreachable(req *http.Request, err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &unreachableError{req.URL.Host, err}
}

func (e *unreachableError) Error() string { return e.host + " cannot be reached: " + e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

func (s *Store) client() *http.Client {
	if s.HTTP != nil {
		return s.HTTP
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: answerTimeout,
		ForceAttemptHTTP2:     true,
	}}
}

// download gets a URL into a part file. It continues what an earlier try or process left there; when the joined bytes
// turn out wrong, the part file is thrown away and the next Ensure begins anew.
func (s *Store) download(ctx context.Context, from string, e Entry, part string) error {
	client := s.client()
	defer client.CloseIdleConnections()
	for tries := 0; ; {
		before := sizeOf(part)
		if before == e.Size {
			return nil
		}
		if before > e.Size {
			os.Remove(part)
			before = 0
		}
		err := s.downloadOnce(ctx, client, from, e, part, before)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if tries++; sizeOf(part) > before {
			tries = 0
		}
		var final *finalError
		if errors.As(err, &final) || tries >= downloadTries || tries >= connectTries && isUnreachable(err) {
			return err
		}
		s.log().Info("download was cut and continues", "model", e.Name, "have", sizeOf(part), "want", e.Size)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryPause * time.Duration(tries+1)):
		}
	}
}

func isUnreachable(err error) bool {
	var u *unreachableError
	return errors.As(err, &u)
}

// finalError is an answer that asking again will not change.
type finalError struct{ text string }

func (e *finalError) Error() string { return e.text }

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// downloadOnce makes one request for what is missing and appends what comes.
func (s *Store) downloadOnce(ctx context.Context, client *http.Client, from string, e Entry, part string, have int64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return &finalError{"the address is not valid"}
	}
	req.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := client.Do(req)
	if err != nil {
		return newUnreachable(req, err)
	}
	defer resp.Body.Close()
	flags, have, err := s.judge(resp, e, have)
	if err != nil {
		if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			os.Remove(part) // it began as another file
		}
		return err
	}
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|flags, 0o644)
	if err != nil {
		return &finalError{err.Error()}
	}
	stall := time.AfterFunc(stallTimeout, func() { cancel(errors.New("no data for a minute")) })
	defer stall.Stop()
	body := &counter{r: resp.Body, done: have, total: e.Size, tell: func(done, total int64) {
		stall.Reset(stallTimeout)
		s.progress(e.Name, done, total)
	}}
	_, err = io.Copy(out, io.LimitReader(body, e.Size-have+1))
	err = errors.Join(err, out.Close())
	if err == nil && sizeOf(part) < e.Size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// judge says from where the answer is to be written, or that it is none.
func (s *Store) judge(resp *http.Response, e Entry, have int64) (flags int, from int64, err error) {
	total := int64(-1)
	switch {
	case resp.StatusCode == http.StatusOK: // the whole file, whatever was asked for
		flags, from, total = os.O_TRUNC, 0, resp.ContentLength
	case resp.StatusCode == http.StatusPartialContent:
		flags, from = os.O_APPEND, have
		if !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)) {
			return 0, 0, &finalError{"the server answered with another range than asked for"}
		}
		if _, after, ok := strings.Cut(resp.Header.Get("Content-Range"), "/"); ok {
			if n, err := strconv.ParseInt(after, 10, 64); err == nil {
				total = n
			}
		}
	case resp.StatusCode == http.StatusNotFound:
		return 0, 0, &finalError{"the server does not have it"}
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return 0, 0, fmt.Errorf("the server answered %s", resp.Status)
	default:
		return 0, 0, &finalError{"the server answered " + resp.Status}
	}
	if total >= 0 && total != e.Size {
		return 0, 0, errors.Join(&finalError{"wrong size"}, corrupt(e, fmt.Sprintf("offered has %d bytes instead of %d", total, e.Size)))
	}
	return flags, from, nil
}
