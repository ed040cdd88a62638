package web_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/internal/testkit"
	"vesper/pipeline"
	"vesper/web"
)

// beginOpen begins an upload whose length is not known yet.
func (c *client) beginOpen(fields map[string]string) answer {
	c.w.Helper()
	return c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Defer-Length", "1", "Upload-Metadata", metadata(fields))
}

// end sends the last piece and says how long the upload is.
func (c *client) end(path string, at, length int, piece []byte) answer {
	c.w.Helper()
	return c.do("PATCH", path, bytes.NewReader(piece), "Tus-Resumable", "1.0.0", "Upload-Offset", strconv.Itoa(at),
		"Upload-Length", strconv.Itoa(length), "Content-Type", "application/offset+octet-stream")
}

func TestAnUploadOfUnknownLengthGrowsUntilItsLengthIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	file := tone()
	path := c.beginOpen(map[string]string{"client_key": "growing"}).want(201).header.Get("Location")
	if h := c.head(path).want(200).at(0); h.header.Get("Upload-Defer-Length") != "1" || h.header.Get("Upload-Length") != "" {
		t.Errorf("headers %v", h.header)
	}
	c.do("POST", path+"/finish", nil).problem(409, "upload_incomplete")
	c.patch(path, 0, file[:3000]).want(204).at(3000)
	w.start() // a restart changes nothing
	c.patch(path, 3000, file[3000:6000]).want(204).at(6000)
	if h := c.head(path).want(200).at(6000); h.header.Get("Upload-Defer-Length") != "1" || h.header.Get("Vesper-Dictation") != "" {
		t.Errorf("headers %v", h.header)
	}
	c.end(path, 6000, 5999, nil).problem(400, "upload_headers") // shorter than what is here
	done := c.end(path, 6000, len(file), file[6000:]).want(204).at(len(file))
	id := done.header.Get("Vesper-Dictation")
	if _, err := uuid.Parse(id); err != nil {
		t.Fatalf("no dictation: %v", done.header)
	}
	if got := c.get("/api/v1/dictations/" + id + "/audio?rendition=original").want(200); got.body != string(file) {
		t.Error("the recording is not what was sent")
	}
	if h := c.head(path).want(200).at(len(file)); h.header.Get("Vesper-Dictation") != id || h.header.Get("Upload-Length") != strconv.Itoa(len(file)) {
		t.Errorf("headers %v", h.header)
	}
}

func TestTheLengthMayBeSaidWhenAllBytesAreHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storeDown(1))
	c := w.as("physician")
	file := tone()
	path := c.beginOpen(nil).want(201).header.Get("Location")
	c.patch(path, 0, file).want(204).at(len(file))
	// The receipt fails: from here on it is an upload like every other one that is whole but not received.
	c.end(path, len(file), len(file), nil).problem(503, "object_store_unavailable")
	w.start()
	if h := c.head(path).want(200).at(len(file) - 1); h.header.Get("Upload-Length") != strconv.Itoa(len(file)) {
		t.Errorf("headers %v", h.header)
	}
	// A client that does not know whether its declaration arrived repeats it.
	again := c.beginOpen(nil).want(201).header.Get("Location")
	other := tone()
	c.patch(again, 0, other[:5000]).want(204)
	c.end(again, 5000, len(other), other[5000:6000]).want(204).at(6000)
	c.end(again, 6000, len(other)+1, other[6000:]).problem(400, "upload_headers")
	c.end(again, 6000, len(other), other[6000:]).want(204).at(len(other))
	if done := c.patch(path, len(file)-1, file[len(file)-1:]).want(204).at(len(file)); done.header.Get("Vesper-Dictation") == "" {
		t.Errorf("headers %v", done.header)
	}
}

func TestAnUploadOfUnknownLengthKeepsToTheLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.MaxUpload = 5000 })
	c := w.as("physician")
	path := c.beginOpen(nil).want(201).header.Get("Location")
	c.patch(path, 0, make([]byte, 4000)).want(204)
	c.patch(path, 4000, make([]byte, 1001)).problem(413, "audio_too_large")
	c.end(path, 4000, 5001, make([]byte, 10)).problem(413, "audio_too_large")
	if a := c.do("PATCH", path, io.MultiReader(bytes.NewReader(make([]byte, 2000))), "Tus-Resumable", "1.0.0", "Upload-Offset", "4000",
		"Content-Type", "application/offset+octet-stream"); a.status < 400 { // without saying how much it brings
		t.Errorf("status %d", a.status)
	}
	c.end(path, 4000, 0, nil).problem(422, "audio_empty")
	c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Defer-Length", "2").problem(400, "upload_headers")
	c.do("POST", "/api/v1/uploads", nil, "Tus-Resumable", "1.0.0", "Upload-Defer-Length", "1", "Upload-Length", "7").problem(400, "upload_headers")
}

// witness counts what the server gives away.
type witness struct {
	web.Service
	mu        sync.Mutex
	arrived   map[uuid.UUID]int64
	withdrawn []uuid.UUID
	submitted []uuid.UUID
}

func (s *witness) Arrive(ctx context.Context, a access.Actor, sub pipeline.Submission, body io.ReaderAt, size int64) (time.Duration, error) {
	_, err := s.Service.Arrive(ctx, a, sub, body, size)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.arrived[sub.Upload] = size
	}
	return 83 * time.Second, err
}

func (s *witness) Withdraw(ctx context.Context, a access.Actor, sub pipeline.Submission) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.withdrawn = append(s.withdrawn, sub.Upload)
	return s.Service.Withdraw(ctx, a, sub)
}

func (s *witness) Submit(ctx context.Context, a access.Actor, sub pipeline.Submission) (pipeline.Receipt, error) {
	s.mu.Lock()
	s.submitted = append(s.submitted, sub.Upload)
	s.mu.Unlock()
	return s.Service.Submit(ctx, a, sub)
}

func (s *witness) size(path string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived[uuid.MustParse(path[strings.LastIndexByte(path, '/')+1:])]
}

func TestWhatStandsOfAnUploadIsGivenToTheWorkers(t *testing.T) {
	t.Parallel()
	s := &witness{arrived: map[uuid.UUID]int64{}}
	w := newWorld(t, func(w *world) {
		s.Service, w.service = w.service, s
		w.config.ListenAfter, w.config.ListenBytes = time.Nanosecond, 4000
	})
	c := w.as("physician")
	file := tone()
	path := c.beginOpen(nil).want(201).header.Get("Location")
	c.patch(path, 0, file[:3000]).want(204)
	c.patch(path, 3000, file[3000:8000]).want(204)
	testkit.Until(t, 20*time.Second, "the bytes are given away", func() bool { return s.size(path) == 8000 })
	c.patch(path, 8000, file[8000:12500]).want(204)
	testkit.Until(t, 20*time.Second, "more bytes are given away", func() bool { return s.size(path) == 12500 })
	if h := c.head(path).want(200).header.Get("Vesper-Heard"); h != "83" {
		t.Errorf("heard %q", h)
	}
	c.end(path, 12500, len(file), file[12500:]).want(204)
	if id := s.submitted[0]; !strings.HasSuffix(path, id.String()) {
		t.Errorf("it was submitted as upload %s", id)
	}

	gone := c.beginOpen(nil).want(201).header.Get("Location")
	c.patch(gone, 0, tone()[:9000]).want(204)
	testkit.Until(t, 20*time.Second, "the bytes are given away", func() bool { return s.size(gone) == 9000 })
	c.do("DELETE", gone, nil, "Tus-Resumable", "1.0.0").want(204)
	if len(s.withdrawn) != 1 || !strings.HasSuffix(gone, s.withdrawn[0].String()) {
		t.Errorf("withdrawn %v", s.withdrawn)
	}
}

func TestShortAndFastUploadsAreNotGivenToTheWorkers(t *testing.T) {
	t.Parallel()
	s := &witness{arrived: map[uuid.UUID]int64{}}
	w := newWorld(t, func(w *world) {
		s.Service, w.service = w.service, s
		w.config.ListenAfter, w.config.ListenBytes = math.MaxInt64, 1
	})
	c := w.as("physician")
	file := tone()
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	c.patch(path, 0, file[:9000]).want(204)
	c.patch(path, 9000, file[9000:]).want(204)
	if len(s.arrived) != 0 {
		t.Errorf("given away: %v", s.arrived)
	}
}
