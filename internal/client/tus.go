package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vesper/internal/fault"
)

const (
	uploads = "/api/v1/uploads"

	// piece is how many bytes one request carries: what a broken connection can cost at most is less, because the server
	// keeps what arrived of it.
	piece = 4 << 20

	// patience is how long one piece may take. What arrived by then is kept, and the next try goes on behind it.
	patience = 5 * time.Minute

	// prompt is how long an answer without work behind it may take.
	prompt = time.Minute
)

// Begin announces a recording of this many bytes. The path that it returns is all that is needed to go on with the
// upload later, from another process too.
func (c *Client) Begin(ctx context.Context, name string, size int64, sub Submission) (path string, err error) {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	req, err := c.tus(ctx, http.MethodPost, uploads, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Upload-Length", strconv.FormatInt(size, 10))
	req.Header.Set("Upload-Metadata", metadata(append(sub.fields(), [2]string{"filename", name})))
	header, err := c.exchange(req)
	if err != nil {
		return "", err
	}
	return place(header)
}

// place is where an upload that was begun stands. Only what is one of this server's uploads is taken: it goes behind its address.
func place(header http.Header) (string, error) {
	path := header.Get("Location")
	if id, ok := strings.CutPrefix(path, uploads+"/"); !ok || id == "" || strings.ContainsAny(id, "/?#") {
		return "", fault.New(fault.Internal, "server_unexpected", "The server answered the start of an upload with no place to send it to. Is its address that of a Vesper server?")
	}
	return path, nil
}

// Offset asks how many bytes of an upload the server has.
func (c *Client) Offset(ctx context.Context, path string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	req, err := c.tus(ctx, http.MethodHead, path, nil)
	if err != nil {
		return 0, err
	}
	return c.offsetOf(req)
}

// Append sends the next n bytes of an upload and returns how many the server has then.
func (c *Client) Append(ctx context.Context, path string, at int64, body io.Reader, n int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := c.tus(ctx, http.MethodPatch, path, io.LimitReader(body, n))
	if err != nil {
		return 0, err
	}
	req.ContentLength = n
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	return c.offsetOf(req)
}

// Resume sends what the server does not have yet of a recording of size bytes, from wherever that is, and returns the
// receipt. tell, which may be nil, hears how many bytes the server has.
func (c *Client) Resume(ctx context.Context, path string, body io.ReaderAt, size int64, tell func(sent int64)) (Receipt, error) {
	if tell == nil {
		tell = func(int64) {}
	}
	at, err := c.Offset(ctx, path)
	if err != nil {
		return Receipt{}, err
	}
	for at < size {
		tell(at)
		n := min(piece, size-at)
		next, err := c.Append(ctx, path, at, io.NewSectionReader(body, at, n), n)
		if err != nil {
			return Receipt{}, err
		}
		if next <= at || next > size {
			return Receipt{}, fault.New(fault.Internal, "server_unexpected", "The server counts the bytes of an upload otherwise than they were sent.")
		}
		at = next
	}
	tell(at)
	return c.Finish(ctx, path)
}

// Finish asks for the receipt of an upload whose bytes are all there.
func (c *Client) Finish(ctx context.Context, path string) (Receipt, error) {
	var r Receipt
	req, err := c.tus(ctx, http.MethodPost, path+"/finish", nil)
	if err != nil {
		return r, err
	}
	return r, c.send(req, &r)
}

// Discard tells the server to forget an upload that is not received.
func (c *Client) Discard(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, prompt)
	defer cancel()
	req, err := c.tus(ctx, http.MethodDelete, path, nil)
	if err != nil {
		return err
	}
	_, err = c.exchange(req)
	return err
}

func (c *Client) tus(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("build upload request: %w", err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	return req, nil
}

func (c *Client) offsetOf(req *http.Request) (int64, error) {
	header, err := c.exchange(req)
	if err != nil {
		return 0, err
	}
	at, err := strconv.ParseInt(header.Get("Upload-Offset"), 10, 64)
	if err != nil || at < 0 {
		return 0, fault.Wrap(err, fault.Internal, "server_unexpected", "The server does not say how much of an upload it has.")
	}
	return at, nil
}

// exchange sends a request whose answer is in its headers.
func (c *Client) exchange(req *http.Request) (http.Header, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return nil, problem(resp)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
	return resp.Header, err
}

// metadata writes the fields that are set as tus wants them: a name, and the value in base64.
func metadata(fields [][2]string) string {
	var out []string
	for _, kv := range fields {
		if kv[1] != "" {
			out = append(out, kv[0]+" "+base64.StdEncoding.EncodeToString([]byte(kv[1])))
		}
	}
	return strings.Join(out, ",")
}
