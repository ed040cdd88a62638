package pipeline_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vesper/pipeline"
)

// aged makes a file, or with a trailing slash a folder with a file in it, of an age.
func aged(t *testing.T, dir, name string, age time.Duration) string {
	t.Helper()
	path := filepath.Join(dir, name)
	file := path
	var err error
	if name[len(name)-1] == '/' {
		err = os.Mkdir(path, 0o700)
		file = filepath.Join(path, "recording")
	}
	if err == nil {
		err = os.WriteFile(file, []byte("sound"), 0o600)
	}
	at := time.Now().Add(-age)
	for _, p := range []string{file, path} {
		if err == nil {
			err = os.Chtimes(p, at, at)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestLeftoversOfKilledProcessesAreSweptAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, young := 25*time.Hour, 23*time.Hour
	gone := []string{aged(t, dir, "upload-1", old), aged(t, dir, "upload-2/", old)}
	stay := []string{aged(t, dir, "upload-3", young), aged(t, dir, "notes", old), aged(t, dir, "upload", old)}
	busy := aged(t, dir, "upload-4/", old) // its folder is old, but someone writes in it
	now := time.Now()
	if err := os.Chtimes(filepath.Join(busy, "recording"), now, now); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "upload-link")
	if err := os.Symlink(aged(t, t.TempDir(), "elsewhere", old), link); err != nil {
		t.Fatal(err)
	}
	if err := pipeline.SweepTemp(dir, "upload-*", 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, p := range gone {
		if there(p) {
			t.Errorf("%s is still there", p)
		}
	}
	for _, p := range append(stay, busy, link) {
		if !there(p) {
			t.Errorf("%s is gone", p)
		}
	}
	for _, nowhere := range []string{"", filepath.Join(dir, "absent")} {
		if err := pipeline.SweepTemp(nowhere, "upload-*", 0); err != nil {
			t.Errorf("sweep of %q: %v", nowhere, err)
		}
	}
}

func TestTheServiceSweepsItsSpoolWhenItStarts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	upload := aged(t, w.svc.SpoolDir, "upload-1", 25*time.Hour)
	_, err := pipeline.NewService(w.svc.Config)
	w.must(err)
	if there(upload) {
		t.Error("the service leaves an old upload behind")
	}
}
