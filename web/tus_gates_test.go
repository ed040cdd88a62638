package web

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// stingy lets so many requests pass and none after that, however slow the machine is.
func stingy(n int) *limiter { return newLimiter(n, 24*time.Hour, 10) }

func TestUploadsComeNoFasterThanAllowedByAccountAndByAddress(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*Server){
		"begun by the account":     func(s *Server) { s.attempts.upload = stingy(2) },
		"begun by the address":     func(s *Server) { s.uploads.guard.startAddress = stingy(2) },
		"continued by the account": func(s *Server) { s.uploads.guard.piece = stingy(4) },
		"continued by the address": func(s *Server) { s.uploads.guard.pieceAddr = stingy(4) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, cookie := bare(t)
			limit(s)
			do := func(method, path string, body []byte, headers ...string) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				ctx, done := context.WithCancel(t.Context())
				defer done() // as a server does at the end of a request
				r := httptest.NewRequest(method, path, bytes.NewReader(body)).WithContext(ctx)
				for i := 0; i < len(headers); i += 2 {
					r.Header.Set(headers[i], headers[i+1])
				}
				r.Header.Set("Cookie", cookie)
				r.Header.Set("Tus-Resumable", "1.0.0")
				s.Handler().ServeHTTP(w, r)
				return w
			}
			begin := func() *httptest.ResponseRecorder { return do("POST", uploadsPath, nil, "Upload-Length", "1000") }
			first := begin()
			path := first.Header().Get("Location")
			if first.Code != http.StatusCreated || begin().Code != http.StatusCreated {
				t.Fatalf("nothing can be begun: %d %s", first.Code, first.Body)
			}
			if strings.HasPrefix(name, "begun") {
				limited(t, begin())
				var form bytes.Buffer
				fields := multipart.NewWriter(&form)
				part, err := fields.CreateFormFile("file", "visit.wav")
				if err != nil {
					t.Fatal(err)
				}
				_, _ = part.Write(make([]byte, 100))
				fields.Close()
				limited(t, do("POST", "/api/v1/dictations", form.Bytes(), "Content-Type", fields.FormDataContentType()))
				if w := do("HEAD", path, nil); w.Code != http.StatusOK {
					t.Errorf("one that is under way is stopped: %d", w.Code)
				}
				return
			}
			patch := func(at int) *httptest.ResponseRecorder {
				return do("PATCH", path, make([]byte, 10), "Upload-Offset", strconv.Itoa(at), "Content-Type", "application/offset+octet-stream")
			}
			for i, w := range []*httptest.ResponseRecorder{patch(0), do("HEAD", path, nil), do("POST", path+"/finish", nil), patch(10)} {
				if w.Code == http.StatusTooManyRequests {
					t.Fatalf("request %d is refused", i)
				}
			}
			limited(t, patch(20))
			limited(t, do("POST", path+"/finish", nil))
			limited(t, do("DELETE", path, nil))
			limited(t, do("DELETE", uploadsPath+"/00000000-0000-4000-8000-000000000000", nil)) // guessing is counted too
			if w := do("HEAD", path, nil); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
				t.Errorf("HEAD is answered %d", w.Code)
			}
			if w := begin(); w.Code != http.StatusCreated {
				t.Errorf("a new one is stopped: %d", w.Code)
			}
		})
	}
}

// limited fails the test unless an answer refuses and says when to come back.
func limited(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	after, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if w.Code != http.StatusTooManyRequests || err != nil || after < 1 || !strings.Contains(w.Body.String(), `"rate_limited"`) {
		t.Errorf("answered %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}
