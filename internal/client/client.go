// Package client talks to a running Vesper server through its public API, as scripts would. `vesper submit`,
// `vesper demo` and the benchmarks use it; it knows nothing that the API does not say.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vesper/internal/fault"
)

// Client is one signed-in person. It is not safe for concurrent use before Login returned.
type Client struct {
	base string
	http *http.Client

	// OnWait is told when the server puts a recording off, how long the client waits before it comes again, and why. May
	// be nil.
	OnWait func(pause time.Duration, why *fault.Error)
}

// New returns a client for the server at base, "http://127.0.0.1:8080".
func New(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fault.New(fault.Invalid, "server_url", "The server's address must look like http://HOST:PORT.")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make cookie jar: %w", err)
	}
	return &Client{base: strings.TrimRight(base, "/"), http: &http.Client{Jar: jar, Timeout: 30 * time.Minute}}, nil
}

// Person is who is signed in.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
}

// Receipt is the server's promise that it has the recording.
type Receipt struct {
	ID         string    `json:"id"`
	State      string    `json:"state"`
	SHA256     string    `json:"sha256"`
	Bytes      int64     `json:"bytes"`
	ReceivedAt time.Time `json:"received_at"`
	Duplicate  bool      `json:"duplicate"`
	// ExpectedWait is about how many seconds it takes until the engine hears it; nil while that cannot be told.
	ExpectedWait *int `json:"expected_wait"`
}

// Status is the light view of a dictation.
type Status struct {
	State  string `json:"state"`
	Reason string `json:"reason"`
	Done   int    `json:"done"`
	Total  int    `json:"total"`
}

// Login opens a session.
func (c *Client) Login(ctx context.Context, login, password string) (Person, error) {
	var p Person
	err := c.Do(ctx, http.MethodPost, "/api/v1/session", map[string]string{"login": login, "password": password}, &p)
	return p, err
}

// Submission says what goes with a file; empty fields are left to the server.
type Submission struct {
	Author, Patient, Encounter, WorkType, Priority, ClientKey string
}

func (s Submission) fields() [][2]string {
	return [][2]string{
		{"author", s.Author},
		{"patient", s.Patient},
		{"encounter", s.Encounter},
		{"work_type", s.WorkType},
		{"priority", s.Priority},
		{"client_key", s.ClientKey},
	}
}

// Submit uploads a recording and returns the receipt. A server that has no room now is asked again when it said, because
// the same recording is never two dictations.
func (c *Client) Submit(ctx context.Context, path string, sub Submission) (r Receipt, err error) {
	err = c.patiently(ctx, func() (err error) { r, err = c.submit(ctx, path, sub); return err })
	return r, err
}

func (c *Client) submit(ctx context.Context, path string, sub Submission) (Receipt, error) {
	f, err := os.Open(path)
	if err != nil {
		return Receipt{}, fault.Wrap(err, fault.Invalid, "file_unreadable", "The file cannot be opened. Check its name and that you may read it.")
	}
	defer f.Close()
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	go func() { pw.CloseWithError(writeForm(form, f, filepath.Base(path), sub)) }()
	defer pr.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/api/v1/dictations", pr)
	if err != nil {
		return Receipt{}, fmt.Errorf("build upload: %w", err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	var r Receipt
	return r, c.send(req, &r)
}

// writeForm writes the fields first, so that the server can refuse before it reads the file.
func writeForm(form *multipart.Writer, f io.Reader, name string, sub Submission) error {
	for _, kv := range sub.fields() {
		if kv[1] == "" {
			continue
		}
		if err := form.WriteField(kv[0], kv[1]); err != nil {
			return err
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, f); err != nil {
		return err
	}
	return form.Close()
}

// Status asks where a dictation is.
func (c *Client) Status(ctx context.Context, id string) (Status, error) {
	var s Status
	return s, c.Do(ctx, http.MethodGet, "/api/v1/dictations/"+id+"/status", nil, &s)
}

// Await polls until the dictation is in one of the states, or has failed, or ctx ends.
func (c *Client) Await(ctx context.Context, id string, states ...string) (Status, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := c.Status(ctx, id)
		if err != nil {
			return s, err
		}
		for _, want := range states {
			if s.State == want {
				return s, nil
			}
		}
		if s.State == "failed" || s.State == "rejected" {
			return s, fault.New(fault.Invalid, "dictation_"+s.State, s.Reason)
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("wait for %v, last state %s: %w", states, s.State, ctx.Err())
		case <-tick.C:
		}
	}
}

// Do calls the API: in is sent as JSON (nil for none), the answer is decoded into out (nil to drop it).
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("build request: %w", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req, out)
}

func (c *Client) send(req *http.Request, out any) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return problem(resp)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(out); err != nil {
		return fmt.Errorf("decode answer of %s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil
}

func (c *Client) unreachable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "server_unreachable", "The server cannot be reached at "+c.base+". Is `vesper up` running?")
}

// problem turns an RFC 9457 answer into a fault.
func problem(resp *http.Response) error {
	var p struct {
		Code   string `json:"code"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p) // an answer without a problem body has its status
	kind := map[int]fault.Kind{
		400: fault.Invalid, 401: fault.Unauthenticated, 403: fault.Forbidden, 404: fault.NotFound, 409: fault.Conflict, 413: fault.TooLarge,
		415: fault.Unsupported, 422: fault.Invalid, 423: fault.Unavailable, 429: fault.Unavailable, 503: fault.Unavailable,
	}[resp.StatusCode]
	if kind == "" {
		kind = fault.Internal
	}
	if p.Code == "" {
		p.Code = fmt.Sprintf("http_%d", resp.StatusCode)
	}
	if p.Detail == "" {
		p.Detail = p.Title + " (" + resp.Status + ")"
	}
	return &fault.Error{Kind: kind, Code: p.Code, Public: p.Detail, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
}
