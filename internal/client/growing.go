package client

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"strconv"
)

// Growing is an upload that begins before its length is known, as of a recording that is still being made.
type Growing struct {
	c    *Client
	path string
	sent int64
}

// Grow begins a growing upload; name is the file's.
func (c *Client) Grow(ctx context.Context, name string, sub Submission) (*Growing, error) {
	g := &Growing{c: c, path: uploads}
	h, err := g.call(ctx, http.MethodPost, nil, "Upload-Defer-Length", "1",
		"Upload-Metadata", metadata(append(sub.fields(), [2]string{"filename", filepath.Base(name)})))
	if err != nil {
		return nil, err
	}
	if g.path, err = place(h); err != nil {
		return nil, err
	}
	return g, nil
}

// Append sends more bytes and returns how many seconds the server has heard of the recording by now.
func (g *Growing) Append(ctx context.Context, piece []byte) (heard int, err error) {
	h, err := g.patch(ctx, piece)
	if err != nil {
		return 0, err
	}
	heard, _ = strconv.Atoi(h.Get("Vesper-Heard")) // none while nothing is heard
	return heard, nil
}

// End sends the last bytes and returns the dictation that the upload became.
func (g *Growing) End(ctx context.Context, piece []byte) (dictation string, err error) {
	h, err := g.patch(ctx, piece, "Upload-Length", strconv.FormatInt(g.sent+int64(len(piece)), 10))
	if err != nil {
		return "", err
	}
	return h.Get("Vesper-Dictation"), nil
}

// Withdraw gives the upload up.
func (g *Growing) Withdraw(ctx context.Context) error {
	_, err := g.call(ctx, http.MethodDelete, nil)
	return err
}

func (g *Growing) patch(ctx context.Context, piece []byte, more ...string) (http.Header, error) {
	h, err := g.call(ctx, http.MethodPatch, piece, append(more, "Upload-Offset", strconv.FormatInt(g.sent, 10),
		"Content-Type", "application/offset+octet-stream")...)
	if err != nil {
		return nil, err
	}
	g.sent, err = strconv.ParseInt(h.Get("Upload-Offset"), 10, 64)
	return h, err
}

func (g *Growing) call(ctx context.Context, method string, body []byte, headers ...string) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := g.c.tus(ctx, method, g.path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return g.c.exchange(req)
}

// Path is where the upload stands on the server; Regrow goes on from there, as somebody who signed in again.
func (g *Growing) Path() string { return g.path }

// Regrow goes on with a growing upload from where the server stands.
func (c *Client) Regrow(ctx context.Context, path string) (*Growing, error) {
	at, err := c.Offset(ctx, path)
	return &Growing{c: c, path: path, sent: at}, err
}

// Sent is how many bytes the server has.
func (g *Growing) Sent() int64 { return g.sent }
