package web_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func mustURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func metadata(fields map[string]string) string {
	var out []string
	for k, v := range fields {
		out = append(out, k+" "+base64.StdEncoding.EncodeToString([]byte(v)))
	}
	return strings.Join(out, ",")
}

func (c *client) begin(size int, fields map[string]string) answer {
	c.w.Helper()
	return c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Length", strconv.Itoa(size), "Upload-Metadata", metadata(fields))
}

func (c *client) patch(path string, at int, piece []byte) answer {
	c.w.Helper()
	return c.do("PATCH", path, bytes.NewReader(piece), "Tus-Resumable", "1.0.0", "Upload-Offset", strconv.Itoa(at),
		"Content-Type", "application/offset+octet-stream")
}

func (c *client) head(path string) answer {
	c.w.Helper()
	return c.do("HEAD", path, nil, "Tus-Resumable", "1.0.0")
}

func (a answer) at(offset int) answer {
	a.t.Helper()
	if got := a.header.Get("Upload-Offset"); got != strconv.Itoa(offset) {
		a.t.Fatalf("offset %q, want %d", got, offset)
	}
	return a
}

func TestAnUploadGoesOnAfterTheServerWasRestarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	a := c.begin(len(file), map[string]string{"filename": "visit.wav", "filetype": "audio/wav", "patient": "T-1001", "client_key": "k1"}).want(201)
	path := a.header.Get("Location")
	if !strings.HasPrefix(path, "/api/v1/uploads/") || a.header.Get("Upload-Expires") == "" {
		t.Fatalf("Location %q, expires %q", path, a.header.Get("Upload-Expires"))
	}
	c.patch(path, 0, file[:5000]).want(204).at(5000)
	w.start()
	h := c.head(path).want(200).at(5000)
	if h.header.Get("Upload-Length") != strconv.Itoa(len(file)) || strings.Contains(h.header.Get("Upload-Metadata"), "vesper-") {
		t.Fatalf("headers %v", h.header)
	}
	done := c.patch(path, 5000, file[5000:]).want(204).at(len(file))
	id := done.header.Get("Vesper-Dictation")
	if _, err := uuid.Parse(id); err != nil {
		t.Fatalf("no dictation: %v", done.header)
	}
	d := c.get("/api/v1/dictations/" + id).want(200)
	if d.field("patient").(map[string]any)["mrn"] != "T-1001" {
		t.Errorf("detail %s", d.body)
	}
	if got := c.get("/api/v1/dictations/" + id + "/audio?rendition=original").want(200); got.body != string(file) {
		t.Error("the recording is not what was sent")
	}
	// A client that did not hear the answer can ask again, even after another restart.
	w.start()
	if again := c.head(path).want(200).at(len(file)); again.header.Get("Vesper-Dictation") != id {
		t.Errorf("headers %v", again.header)
	}
	if again := c.patch(path, len(file), nil).want(204); again.header.Get("Vesper-Dictation") != id {
		t.Errorf("headers %v", again.header)
	}
	for _, f := range w.spoolFiles() {
		if !strings.HasSuffix(f, ".receipt") {
			t.Errorf("%s stayed in the spool", f)
		}
	}
}

func TestAFailedReceiptIsRepeatedByAStockClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storeDown(2))
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	c.patch(path, 0, file).problem(503, "object_store_unavailable")
	// A stock client takes offset = length for success, so a whole but not received upload must not show that.
	last := len(file) - 1
	c.head(path).want(200).at(last)
	w.start() // and neither a restart may make it look received
	c.head(path).want(200).at(last)
	c.patch(path, last, file[last:]).problem(503, "object_store_unavailable")
	c.patch(path, last, []byte{file[last] + 1}).problem(409, "upload_differs")
	c.patch(path, 10, file[10:]).problem(409, "upload_offset")
	done := c.patch(path, last, file[last:]).want(204).at(len(file))
	id := done.header.Get("Vesper-Dictation")
	c.get("/api/v1/dictations/" + id).want(200)
	c.head(path).want(200).at(len(file))
}

func TestAClientMayAskForTheReceiptInsteadOfRepeatingTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storeDown(2))
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	c.patch(path, 0, file[:100]).want(204)
	c.do("POST", path+"/finish", nil).problem(409, "upload_incomplete")
	c.patch(path, 100, file[100:]).problem(503, "object_store_unavailable")
	c.do("POST", path+"/finish", nil).problem(503, "object_store_unavailable")
	first := c.do("POST", path+"/finish", nil).want(200)
	again := c.do("POST", path+"/finish", nil).want(200)
	if first.body != again.body || first.field("bytes") != float64(len(file)) {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	if n := len(c.list(t)); n != 1 {
		t.Errorf("%d dictations", n)
	}
}

func TestAnUploadInOneRequestIsReceivedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	a := c.do("POST", "/api/v1/uploads", bytes.NewReader(file), "Tus-Resumable", "1.0.0", "Upload-Length", strconv.Itoa(len(file)),
		"Content-Type", "application/offset+octet-stream").want(201)
	c.get("/api/v1/dictations/" + a.header.Get("Vesper-Dictation")).want(200)
}

func TestNobodyElseSeesOrTouchesAnUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storeDown(1))
	owner := w.as("physician")
	file := tone()
	open := owner.begin(len(file), nil).want(201).header.Get("Location")
	owner.patch(open, 0, file[:10]).want(204)
	whole := owner.begin(len(file), nil).want(201).header.Get("Location")
	owner.patch(whole, 0, file).want(503)
	received := owner.begin(len(file), nil).want(201).header.Get("Location")
	owner.patch(received, 0, file).want(204)
	for _, role := range []string{"other", "supervisor", "admin", "editor"} {
		c := w.as(role)
		for _, path := range []string{open, whole, received, "/api/v1/uploads/" + uuid.NewString(), "/api/v1/uploads/..%2f..%2fetc"} {
			c.head(path).want(404)
			c.patch(path, 10, file[10:]).problem(404, "upload_unknown")
			c.do("DELETE", path, nil, "Tus-Resumable", "1.0.0").problem(404, "upload_unknown")
			c.do("POST", path+"/finish", nil).problem(404, "upload_unknown")
			if a := c.get(path); a.status != 405 && a.status != 404 {
				t.Errorf("GET %s: %d", path, a.status)
			}
		}
	}
	w.anonymous().head(open).want(401)
	owner.head(open).want(200).at(10)
	owner.do("DELETE", open, nil, "Tus-Resumable", "1.0.0").want(204)
	owner.head(open).want(404)
}

func TestAClientCannotNameTheOwnerOfAnUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.as("physician").begin(10, map[string]string{"vesper-owner": w.people["other"].ID.String()}).problem(422, "field_unknown")
	w.as("physician").begin(10, map[string]string{"author": w.people["other"].ID.String()}).problem(403, "forbidden")
}

func TestAnUploadThatWouldBeRefusedIsRefusedBeforeItBegins(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.MaxUpload = 1000 })
	c := w.as("physician")
	c.begin(0, nil).problem(422, "audio_empty")
	c.begin(1001, nil).problem(413, "audio_too_large")
	c.do("POST", "/api/v1/uploads", nil, "Upload-Length", "10").problem(412, "tus_version")
	c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0").problem(400, "upload_headers")
	w.as("editor").begin(10, nil).problem(403, "forbidden")
	w.as("compliance").begin(10, nil).problem(403, "forbidden")
	path := c.begin(10, nil).want(201).header.Get("Location")
	c.patch(path, 0, make([]byte, 11)).problem(413, "upload_size")
	c.patch(path, 5, make([]byte, 5)).problem(409, "upload_offset")
	// The library's way to smuggle another method in stays shut.
	c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "X-HTTP-Method-Override", "DELETE").problem(400, "upload_headers")
	o := w.anonymous().do("OPTIONS", "/api/v1/uploads", nil).want(204)
	if o.header.Get("Tus-Max-Size") != "1000" || !strings.Contains(o.header.Get("Tus-Extension"), "expiration") {
		t.Errorf("options %v", o.header)
	}
}

func TestSpooledRecordingsAreReadableByTheServerOnlyAndExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	path := c.begin(1000, nil).want(201).header.Get("Location")
	c.patch(path, 0, make([]byte, 10)).want(204)
	st, err := os.Stat(w.spool)
	w.must(err)
	if st.Mode().Perm() != 0o700 {
		t.Errorf("folder mode %v", st.Mode())
	}
	old := time.Now().Add(-8 * 24 * time.Hour)
	for _, name := range w.spoolFiles() {
		file := filepath.Join(w.spool, name)
		st, err := os.Stat(file)
		w.must(err)
		if st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
		w.must(os.Chtimes(file, old, old))
	}
	keep := filepath.Join(w.spool, "not-ours")
	w.must(os.WriteFile(keep, nil, 0o600))
	w.must(os.Chtimes(keep, old, old))
	c.head(path).want(404)
	w.start() // a fresh server looks through the folder with its first upload
	c.begin(1000, nil).want(201)
	id := strings.TrimPrefix(path, "/api/v1/uploads/")
	for _, name := range w.spoolFiles() {
		if strings.HasPrefix(name, id) {
			t.Errorf("%s is still there", name)
		}
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error("a file that is not an upload's was removed")
	}
}

func TestTwoRequestsForOneUploadDoNotMixTheirBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	results := make(chan answer, 8)
	for range 8 {
		go func() { results <- c.patch(path, 0, file) }()
	}
	received := 0
	for range 8 {
		a := <-results
		if a.status == http.StatusNoContent && a.header.Get("Vesper-Dictation") != "" {
			received++
		}
	}
	h := c.head(path).want(200)
	if h.header.Get("Vesper-Dictation") == "" {
		at, _ := strconv.Atoi(h.header.Get("Upload-Offset"))
		c.patch(path, at, file[at:]).want(204)
		h = c.head(path).want(200)
	}
	got := c.get("/api/v1/dictations/" + h.header.Get("Vesper-Dictation") + "/audio?rendition=original").want(200)
	if got.body != string(file) || len(c.list(t)) != 1 {
		t.Errorf("%d requests were told received; the recording is whole: %v", received, got.body == string(file))
	}
}
