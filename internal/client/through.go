package client

import "net/http"

// Through sends every request by way of another round tripper: one that trusts a certificate of the house, say, or one that a
// benchmark makes slow. Call it before Login.
func (c *Client) Through(rt http.RoundTripper) *Client {
	c.http.Transport = rt
	return c
}
