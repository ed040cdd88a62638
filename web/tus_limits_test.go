package web_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/web"
)

// told fails the test unless an answer says when to come back.
func (a answer) told() answer {
	a.t.Helper()
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 {
		a.t.Fatalf("Retry-After %q", a.header.Get("Retry-After"))
	}
	return a
}

func TestUnfinishedUploadsAreBoundedByPersonAndPractice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) {
		w.config.Uploads = web.UploadLimits{Unfinished: 3, UnfinishedBytes: 5000, UnfinishedPractice: 5, PracticeBytes: 1_000_000}
	})
	c, other, admin := w.as("physician"), w.as("other"), w.as("admin")
	first := c.begin(1000, nil).want(201).header.Get("Location")
	c.begin(4001, nil).problem(429, "uploads_unfinished").told() // bytes
	c.begin(1000, nil).want(201)
	c.begin(1000, nil).want(201)
	c.begin(1000, nil).problem(429, "uploads_unfinished").told() // number
	w.start()                                                    // what is counted lies in the folder, not in the process
	c.begin(1000, nil).problem(429, "uploads_unfinished")
	other.begin(1000, nil).want(201)
	other.begin(1000, nil).want(201)
	admin.begin(10, map[string]string{"author": w.people["other"].Login}).problem(429, "uploads_unfinished") // the practice
	// What is finished or given up makes room.
	c.do("DELETE", first, nil, "Tus-Resumable", "1.0.0").want(204)
	file := tone()[:900]
	path := c.begin(len(file), nil).want(201).header.Get("Location")
	c.patch(path, 0, file).want(204)
	c.begin(1000, nil).want(201)
}

func TestAnUploadWithoutALengthDoesNotGrowPastTheBounds(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, limits := range map[string]web.UploadLimits{
		"of the person":   {UnfinishedBytes: 50 * mib},
		"of the practice": {PracticeBytes: 50 * mib},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(w *world) { w.config.MaxUpload, w.config.Uploads = 60*mib, limits })
			c := w.as("physician")
			grow := func(length int) answer {
				return c.end(c.beginOpen(nil).want(201).header.Get("Location"), 0, length, []byte("a"))
			}
			grow(51*mib).problem(429, "uploads_unfinished").told()
			grow(30 * mib).want(204)
			grow(30*mib).problem(429, "uploads_unfinished")
			grow(17 * mib).want(204)
		})
	}
}

func TestUploadsThatWereGivenUpMakeRoomForTheirOwnersNextOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.Uploads = web.UploadLimits{Unfinished: 2} })
	c := w.as("physician")
	old := c.begin(1000, nil).want(201).header.Get("Location")
	young := c.begin(1000, nil).want(201).header.Get("Location")
	c.begin(1000, nil).problem(429, "uploads_unfinished")
	ago := time.Now().Add(-2 * time.Hour)
	id := strings.TrimPrefix(old, "/api/v1/uploads/")
	for _, suffix := range []string{"", ".info"} {
		w.must(os.Chtimes(filepath.Join(w.spool, id+suffix), ago, ago))
	}
	c.begin(1000, nil).want(201)
	c.head(old).want(404)
	c.head(young).want(200)
	c.begin(1000, nil).problem(429, "uploads_unfinished")
}

func TestUploadsBegunAtTheSameMomentDoNotSlipPastTheBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w *world) { w.config.Uploads = web.UploadLimits{Unfinished: 3} })
	c := w.as("physician")
	var group sync.WaitGroup
	var mu sync.Mutex
	begun := map[int]int{}
	for range 12 {
		group.Go(func() {
			a := c.begin(1000, nil)
			mu.Lock()
			defer mu.Unlock()
			begun[a.status]++
		})
	}
	group.Wait()
	if begun[201] != 3 || begun[429] != 9 {
		t.Errorf("by status: %v", begun)
	}
}

// Scripts send forms while the recorder's folder sends in pieces; both are the same person's.
func TestFormsAndPiecesOfOneAccountGoSideBySide(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.as("physician")
	same := tone()
	var group sync.WaitGroup
	for n := range 8 {
		file := same
		if n > 1 {
			file = tone()
		}
		group.Go(func() {
			if n%2 == 0 {
				if a := c.submit(file, "visit.wav", nil, nil); a.status != 201 && a.status != 200 {
					t.Errorf("a form was answered %d %s", a.status, a.body)
				}
				return
			}
			path := c.begin(len(file), nil).header.Get("Location")
			half := len(file) / 2
			c.patch(path, 0, file[:half])
			if a := c.patch(path, half, file[half:]); a.status != 204 || a.header.Get("Vesper-Dictation") == "" {
				t.Errorf("an upload was answered %d %s", a.status, a.body)
			}
		})
	}
	group.Wait()
	if n := len(c.list(t)); n != 7 { // one recording came both ways
		t.Errorf("%d dictations of 7 recordings", n)
	}
}
