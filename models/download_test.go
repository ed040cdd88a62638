package models

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shaky serves content with ranges and cuts the n-th connection after cuts[n] bytes; then it holds.
type shaky struct {
	content []byte
	cuts    []int
	ranges  bool

	mu    sync.Mutex
	asked []string // the Range header of each request
}

func (s *shaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r.Header.Get("Range"))
	s.mu.Unlock()
	from := 0
	if s.ranges && r.Header.Get("Range") != "" {
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil || from >= len(s.content) {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
	}
	body := s.content[from:]
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.content)-1, len(s.content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	if n >= len(s.cuts) || s.cuts[n] >= len(body) {
		_, _ = w.Write(body)
		return
	}
	_, _ = w.Write(body[:s.cuts[n]])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func get(ctx context.Context, s *Store, e Entry) (File, error) {
	return (&fetch{Store: s}).ensure(ctx, e)
}

func TestADownloadGoesOnWhereTheConnectionWasCut(t *testing.T) {
	t.Parallel()
	content := pattern(300_000)
	web := &shaky{content: content, cuts: []int{100_000, 50_000}, ranges: true}
	s := &Store{Dir: t.TempDir(), Upstream: serve(t, web)}
	var last int64
	s.Progress = func(name string, done, total int64) {
		if done < last || total != 300_000 || name != "x" {
			t.Errorf("progress of %s went from %d to %d of %d", name, last, done, total)
		}
		last = done
	}
	file, err := get(t.Context(), s, small("x", content))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file.Path); !bytes.Equal(got, content) {
		t.Error("the file is not what was served")
	}
	if want := []string{"", "bytes=100000-", "bytes=150000-"}; fmt.Sprint(web.asked) != fmt.Sprint(want) {
		t.Errorf("asked for %q, want %q", web.asked, want)
	}
	if last != 300_000 {
		t.Errorf("progress ended at %d", last)
	}
	if _, err := os.Stat(file.Path + ".part"); err == nil {
		t.Error("a part file was left")
	}
}

func TestADownloadSurvivesAnyCuts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		content := pattern(rapid.IntRange(1, 5000).Draw(rt, "size"))
		web := &shaky{content: content, ranges: rapid.Bool().Draw(rt, "ranges")}
		if web.ranges {
			web.cuts = rapid.SliceOfN(rapid.IntRange(1, 5000), 0, 3).Draw(rt, "cuts")
		}
		srv := httptest.NewServer(web)
		defer srv.Close()
		dir, err := os.MkdirTemp("", "vesper-models") //nolint:usetesting // one for each draw, which goes with it
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		file, err := get(context.Background(), &Store{Dir: dir, Upstream: srv.URL}, small("x", content))
		if err != nil {
			rt.Fatal(err)
		}
		if got, _ := os.ReadFile(file.Path); !bytes.Equal(got, content) {
			rt.Error("the file is not what was served")
		}
	})
}

func TestADownloadOfAKilledProcessIsContinued(t *testing.T) {
	t.Parallel()
	content := pattern(50_000)
	web := &shaky{content: content, ranges: true}
	s, e := &Store{Dir: t.TempDir(), Upstream: serve(t, web)}, small("x", content)
	if err := os.WriteFile(s.path(e)+".part", content[:20_000], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), s, e); err != nil {
		t.Fatal(err)
	}
	if want := "[bytes=20000-]"; fmt.Sprint(web.asked) != want {
		t.Errorf("asked for %q, want %s", web.asked, want)
	}
}

func TestAPartFileWithWrongBytesIsThrownAwayAndTheDownloadBeginsAnew(t *testing.T) {
	t.Parallel()
	content := pattern(50_000)
	web := &shaky{content: content, ranges: true}
	for _, size := range []int{20_000, 50_000, 60_000} {
		s, e := &Store{Dir: t.TempDir(), Upstream: serve(t, web)}, small("x", content)
		if err := os.WriteFile(s.path(e)+".part", make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), s, e); err != nil {
			t.Errorf("with %d wrong bytes: %v", size, err)
		}
	}
}

func TestAServerThatKnowsNoRangesIsAskedForTheWholeFileAgain(t *testing.T) {
	t.Parallel()
	content := pattern(50_000)
	web := &shaky{content: content, cuts: []int{10_000}}
	if _, err := get(t.Context(), &Store{Dir: t.TempDir(), Upstream: serve(t, web)}, small("x", content)); err != nil {
		t.Fatal(err)
	}
}

func TestADownloadWithTheWrongDigestIsRefusedAndLeavesNothing(t *testing.T) {
	t.Parallel()
	content := pattern(50_000)
	e := small("x", content)
	wrong := bytes.Clone(content)
	wrong[49_999]++
	for name, served := range map[string][]byte{"digest": wrong, "shorter": content[:40_000], "longer": append(wrong, 1)} {
		s := &Store{Dir: t.TempDir(), Upstream: serve(t, &shaky{content: served, ranges: true})}
		_, err := get(t.Context(), s, e)
		wantCode(t, err, "model_corrupt")
		if left, _ := filepath.Glob(filepath.Join(s.Dir, "ggml-*")); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestAnAnswerThatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusForbidden, http.StatusInternalServerError} {
		var n atomic.Int32
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { n.Add(1); w.WriteHeader(status) }))
		_, err := get(t.Context(), &Store{Dir: t.TempDir(), Upstream: url}, small("x", pattern(100)))
		wantCode(t, err, "model_unavailable")
		if again := n.Load() > 1; again != (status >= 500) {
			t.Errorf("status %d was asked for %d times", status, n.Load())
		}
	}
}

func TestMirrorsAreAskedFirstAndADamagedOneIsPassedOver(t *testing.T) {
	t.Parallel()
	content := pattern(30_000)
	e := small("x", content)
	bad, good := t.TempDir(), filepath.Join(t.TempDir(), e.File)
	if err := os.WriteFile(filepath.Join(bad, e.File), content[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(good, content, 0o644); err != nil {
		t.Fatal(err)
	}
	web := &shaky{content: content, ranges: true}
	url := serve(t, web)
	for name, mirrors := range map[string][]string{
		"file":        {good},
		"file URL":    {"file://" + good},
		"folder":      {filepath.Dir(good)},
		"damaged":     {bad, good},
		"other model": {"/nowhere/ggml-other.bin", good},
	} {
		if _, err := get(t.Context(), &Store{Dir: t.TempDir(), Upstream: url, Mirrors: mirrors}, e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(web.asked) != 0 {
		t.Errorf("the publisher was asked %d times", len(web.asked))
	}
	for _, mirror := range []string{url, url + "/", url + "/some/" + e.File} {
		if _, err := get(t.Context(), &Store{Dir: t.TempDir(), Upstream: offline, Mirrors: []string{mirror}}, e); err != nil {
			t.Errorf("%s: %v", mirror, err)
		}
	}
}

func TestManyWhoWantTheSameModelFetchItOnce(t *testing.T) {
	t.Parallel()
	content := pattern(200_000)
	web := &shaky{content: content, ranges: true}
	s, e := &Store{Dir: t.TempDir(), Upstream: serve(t, web)}, small("x", content)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := get(t.Context(), s, e); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(web.asked) != 1 {
		t.Errorf("it was fetched %d times", len(web.asked))
	}
}

func TestAStalledFetchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 10))
		_ = http.NewResponseController(w).Flush()
		close(began)
		<-r.Context().Done()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	start := time.Now()
	if _, err := get(ctx, &Store{Dir: t.TempDir(), Upstream: url}, small("x", pattern(100))); err == nil {
		t.Error("no error")
	}
	if time.Since(start) > 10*time.Second {
		t.Error("the context did not end the fetch")
	}
}
