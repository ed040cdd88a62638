package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
)

// drain is a service that takes every recording and knows one person. Only what is asked of it here is there.
type drain struct {
	Service
	me  pipeline.Person
	got int64
}

func (d *drain) Login(context.Context, string, string) (pipeline.Person, error) { return d.me, nil }

func (d *drain) Person(context.Context, uuid.UUID, uuid.UUID) (pipeline.Person, error) {
	return d.me, nil
}

func (d *drain) Submit(_ context.Context, _ access.Actor, s pipeline.Submission) (pipeline.Receipt, error) {
	n, err := io.Copy(io.Discard, s.Body)
	d.got = n
	return pipeline.Receipt{DictationID: uuid.New(), State: pipeline.Queued, Bytes: n}, err
}

func (d *drain) Withdraw(context.Context, access.Actor, pipeline.Submission) error { return nil }

func (d *drain) Arrive(context.Context, access.Actor, pipeline.Submission, io.ReaderAt, int64) (time.Duration, error) {
	return 0, nil
}
func (d *drain) Admit(context.Context, pipeline.Priority) error { return nil }

// shelf is a session store in memory, for tests without a database.
type shelf struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (s *shelf) Find(t string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.m[t]
	return b, ok, nil
}

func (s *shelf) Commit(t string, b []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[t] = b
	return nil
}

func (s *shelf) Delete(t string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, t)
	return nil
}

// bare is a server around drain, with a cookie of its one person.
func bare(t testing.TB) (s *Server, d *drain, cookie string) {
	t.Helper()
	d = &drain{me: pipeline.Person{ID: uuid.New(), PracticeID: uuid.New(), Role: "physician"}}
	s, err := New(Config{
		Service: d, Sessions: &shelf{m: map[string][]byte{}}, Log: slog.New(slog.DiscardHandler), SpoolDir: t.TempDir(),
		Pages: http.NotFoundHandler(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.attempts.upload = newLimiter(1<<30, time.Second, 10)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/v1/session", strings.NewReader(`{"login":"a","password":"b"}`))
	r.Header.Set("Content-Type", "application/json")
	s.Handler().ServeHTTP(w, r)
	cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
	if w.Code != 200 || cookie == "" {
		t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	return s, d, cookie
}

// Not parallel: it looks at what the whole process allocates.
func TestARecordingIsNotHeldInMemoryWhileItArrives(t *testing.T) {
	s, d, cookie := bare(t)
	const size = 192 << 20
	pr, pw := io.Pipe()
	form := multipart.NewWriter(pw)
	go func() {
		part, err := form.CreateFormFile("file", "long.wav")
		if err == nil {
			_, err = io.CopyN(part, zeros{}, size)
		}
		if err == nil {
			err = form.Close()
		}
		pw.CloseWithError(err)
	}()
	r := httptest.NewRequest("POST", "/api/v1/dictations", pr)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Cookie", cookie)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	if w.Code != http.StatusCreated || d.got != size {
		t.Fatalf("%d %s, %d bytes", w.Code, w.Body, d.got)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d MB were allocated for an upload of %d MB", used>>20, size>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzMultipartUploadNeverFailsOnOurSideAndLeavesNothing(f *testing.F) {
	boundary := rand.Text()
	add := func(parts ...string) {
		var b bytes.Buffer
		for _, p := range parts {
			fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, p)
		}
		fmt.Fprintf(&b, "--%s--\r\n", boundary)
		f.Add("multipart/form-data; boundary="+boundary, b.Bytes())
	}
	file := "Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF"
	add(file)
	add(file, "Content-Disposition: form-data; name=\"priority\"\r\n\r\nstat")
	add("Content-Disposition: form-data; name=\"patient\"\r\n\r\nT-1001", file, file)
	f.Add("text/plain", []byte("x"))
	s, _, cookie := bare(f)
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest("POST", "/api/v1/dictations", bytes.NewReader(body))
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if ct, _, err := mime.ParseMediaType(w.Header().Get("Content-Type")); w.Code >= 400 && (err != nil || ct != problemType) {
			t.Fatalf("%d with %s", w.Code, ct)
		}
		if left, err := os.ReadDir(s.cfg.SpoolDir); err != nil || len(left) > 0 {
			t.Fatalf("left in the spool: %v %v", left, err)
		}
	})
}

func FuzzUploadHeadersNeverFailOnOurSide(f *testing.F) {
	f.Add("10", "0", "patient VC0xMDAx,filename YQ==", []byte("RIFF"))
	f.Add("-1", "x", "author", []byte{})
	f.Add("4", "3", "", []byte("R"))
	f.Add("", "0", "", []byte("R"))
	s, _, cookie := bare(f)
	f.Fuzz(func(t *testing.T, length, at, meta string, body []byte) {
		call := func(method, path string, in []byte, headers ...string) *httptest.ResponseRecorder {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, method, "/", bytes.NewReader(in))
			r.URL.Path = path
			r.Header.Set("Cookie", cookie)
			r.Header.Set("Tus-Resumable", "1.0.0")
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)
			if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
				t.Fatalf("%s: %d %s", method, w.Code, w.Body)
			}
			return w
		}
		if length == "" { // not known yet
			made := call("POST", uploadsPath, nil, "Upload-Defer-Length", "1", "Upload-Metadata", meta)
			if path := made.Header().Get("Location"); path != "" {
				call("PATCH", path, body, "Upload-Offset", at, "Upload-Length", at, "Content-Type", "application/offset+octet-stream")
				call("HEAD", path, nil)
				call("DELETE", path, nil)
			}
			return
		}
		made := call("POST", uploadsPath, nil, "Upload-Length", length, "Upload-Metadata", meta)
		path := made.Header().Get("Location")
		if made.Code != http.StatusCreated {
			return
		}
		p := call("PATCH", path, body, "Upload-Offset", at, "Content-Type", "application/offset+octet-stream")
		h := call("HEAD", path, nil)
		received := h.Header().Get(dictationHeader) != ""
		if received != (h.Header().Get("Upload-Offset") == h.Header().Get("Upload-Length")) {
			t.Fatalf("looks whole but is not received, or the reverse: %v after %d", h.Header(), p.Code)
		}
		call("DELETE", path, nil)
	})
}
