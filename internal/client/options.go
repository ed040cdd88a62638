package client

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"strconv"
	"time"

	"vesper/internal/fault"
)

// Trust makes the client accept servers whose certificate was issued by an authority in this PEM file, besides those
// that the machine trusts anyway.
func (c *Client) Trust(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "ca_unreadable", "The file of the certificate authority cannot be read. Check its path.")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(raw) {
		return fault.New(fault.Invalid, "ca_invalid", "The file of the certificate authority holds no certificate in PEM form.")
	}
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		transport = &http.Transport{}
	}
	transport = transport.Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	c.http.Transport = transport
	return nil
}

// Close lets go of connections that are open for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// longestRetryAfter is the longest pause that a server can ask for.
const longestRetryAfter = 15 * time.Minute

// retryAfter reads the header of that name, which counts seconds or names a time.
func retryAfter(header string) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(header); err == nil {
		d = time.Duration(min(n, int(longestRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = time.Until(at)
	}
	return min(max(d, 0), longestRetryAfter)
}
