package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// Through sends every request by way of another round tripper: one that trusts a certificate of the house, say, or one that a
// benchmark makes slow. Call it before Login.
func (c *Client) Through(rt http.RoundTripper) *Client {
	c.http.Transport = rt
	return c
}

// Page reads one of the pages that people see, whole, and drops it.
func (c *Client) Page(ctx context.Context, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return problem(resp)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
