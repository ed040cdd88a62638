package tasks

import (
	"bytes"
	"html"
	"net/http"
	"regexp"
	"strings"

	"github.com/hibiken/asynqmon"

	"vesper/internal/fault"
)

// Monitor shows the queue to operators: asynqmon's pages, for looking only. It knows nothing of people and sessions;
// whoever mounts it decides who comes in.
type Monitor struct {
	root string
	mon  *asynqmon.HTTPHandler
}

// NewMonitor makes a monitor that is mounted at root ("/operations/queues"). It connects lazily.
func NewMonitor(redisURL, root string) (m *Monitor, err error) {
	opt, err := options(redisURL)
	if err != nil {
		return nil, err
	}
	defer func() { // asynqmon panics where it does not know the kind of connection
		if recover() != nil {
			m, err = nil, fault.New(fault.Unsupported, "queue_monitor", "The queue's pages do not know this kind of Redis.")
		}
	}()
	mon := asynqmon.New(asynqmon.Options{RootPath: root, RedisConnOpt: opt, ReadOnly: true})
	return &Monitor{root: root, mon: mon}, nil
}

// Close ends the connections.
func (m *Monitor) Close() error { return m.mon.Close() }

// Page says whether a path is one that a person opens, and not a part or a number that the open page asks for itself.
func (m *Monitor) Page(path string) bool {
	rest := strings.TrimPrefix(path, m.root)
	for _, part := range []string{"/api/", "/static/", "/favicon", "/android-chrome", "/apple-touch-icon", "/manifest.json", "/robots.txt", "/asset-manifest.json"} {
		if strings.HasPrefix(rest, part) {
			return false
		}
	}
	return true
}

// Handler answers GET. nonce gives the number by which the content security policy of this answer knows our scripts.
func (m *Monitor) Handler(nonce func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "This page is for looking only.", http.StatusMethodNotAllowed)
			return
		}
		if !m.Page(r.URL.Path) {
			m.mon.ServeHTTP(&masked{ResponseWriter: w}, r)
			return
		}
		page := &held{header: http.Header{}}
		m.mon.ServeHTTP(page, r)
		if page.status != 0 && page.status != http.StatusOK {
			http.Error(w, "The queue's page cannot be shown.", http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(ours(page.body.Bytes(), nonce(r)))
	})
}

var (
	elsewhere = regexp.MustCompile(`<link rel="stylesheet" href="https?://[^"]*"/?>`)
	scripts   = regexp.MustCompile(`<script\b`)
)

// ours makes asynqmon's page fit a policy without inline scripts: its fonts from elsewhere go (the system's are used), its
// scripts get the nonce, and the library that writes its styles finds the nonce where it looks for it.
func ours(page []byte, nonce string) []byte {
	nonce = html.EscapeString(nonce)
	page = elsewhere.ReplaceAll(page, nil)
	page = scripts.ReplaceAll(page, []byte(`<script nonce="`+nonce+`"`))
	return bytes.Replace(page, []byte("<head>"), []byte(`<head><meta property="csp-nonce" content="`+nonce+`"/>`), 1)
}

// held keeps an answer back until it was changed.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }
func (h *held) WriteHeader(status int)      { h.status = status }

// masked withholds the text of a failure: asynqmon answers with the Redis client's own words, which hold its address.
type masked struct {
	http.ResponseWriter
	failed bool
}

// WriteHeader implements http.ResponseWriter.
func (m *masked) WriteHeader(status int) {
	m.failed = status >= http.StatusInternalServerError
	m.ResponseWriter.WriteHeader(status)
	if m.failed {
		_, _ = m.ResponseWriter.Write([]byte("The queue cannot be read now.\n"))
	}
}

// Write implements http.ResponseWriter.
func (m *masked) Write(p []byte) (int, error) {
	if m.failed {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p)
}
