package watch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ownFolder holds the lock and the journal.
const ownFolder = ".vesper-watch"

// extensions are those of recordings that a server may know. What else lies in the folder is none of our business.
var extensions = []string{
	"3gp", "aac", "aif", "aifc", "aiff", "amr", "au", "awb", "caf", "ds2", "dss", "flac", "m4a", "mka", "mkv", "mov", "mp3", "mp4",
	"oga", "ogg", "opus", "w64", "wav", "wave", "webm", "wma",
}

// halves are names that programs give to files that they have not finished.
var halves = []string{".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", "~"}

// sight is what one look at a file shows. Two equal sights mean that nothing has changed that can be seen from outside.
type sight struct {
	size, sideSize int64
	time, sideTime time.Time // of the last change of the recording and of the file beside it
	side           string    // name of the file beside it, relative to the folder; "" for none
}

func (s sight) equal(o sight) bool {
	return s.size == o.size && s.sideSize == o.sideSize && s.side == o.side && s.time.Equal(o.time) && s.sideTime.Equal(o.sideTime)
}

// errGone means that the folder cannot be read: a share that went away, most often.
var errGone = errors.New("the folder is not there")

// look lists the recordings of the folder by their slash-separated names in it. Links are not followed, and what is no
// ordinary file is no recording.
func (w *watcher) look() (map[string]sight, error) {
	found := map[string]sight{}
	if err := w.lookInto("", found); err != nil {
		return nil, errors.Join(errGone, plain(err))
	}
	return found, nil
}

func (w *watcher) lookInto(dir string, found map[string]sight) error {
	entries, err := os.ReadDir(w.path(dir))
	if err != nil {
		return err
	}
	files := map[string]fs.FileInfo{}
	for _, e := range entries {
		switch {
		case e.IsDir():
			if w.rules.Nested && !w.ours(path.Join(dir, e.Name())) {
				// One folder that cannot be read must not stop the others.
				_ = w.lookInto(path.Join(dir, e.Name()), found)
			}
		case e.Type().IsRegular():
			if info, err := e.Info(); err == nil { // otherwise it has gone meanwhile
				files[e.Name()] = info
			}
		}
	}
	for name, info := range files {
		if !w.rules.recording(name) {
			continue
		}
		s := sight{size: info.Size(), time: info.ModTime()}
		if w.rules.Sidecar != sidecarOff {
			for _, beside := range sidecars(name) {
				if b := files[beside]; b != nil {
					s.side, s.sideSize, s.sideTime = path.Join(dir, beside), b.Size(), b.ModTime()
					break
				}
			}
		}
		found[path.Join(dir, name)] = s
	}
	return nil
}

// ours says that a folder is one that this program fills, or a hidden one.
func (w *watcher) ours(dir string) bool {
	full := w.path(dir)
	return strings.HasPrefix(path.Base(dir), ".") || full == w.Sent || full == w.Rejected
}

// path is where a file of the folder lies.
func (w *watcher) path(name string) string { return filepath.Join(w.Dir, filepath.FromSlash(name)) }

// recording says by its name whether a file is one.
func (r Rules) recording(name string) bool {
	lower := strings.ToLower(name)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return false
	}
	for _, half := range halves {
		if strings.HasSuffix(lower, half) {
			return false
		}
	}
	known := extensions
	if len(r.Extensions) > 0 {
		known = r.Extensions
	}
	return slices.Contains(known, strings.TrimPrefix(path.Ext(lower), "."))
}

// sidecars are the names under which a file with fields may lie beside a recording.
func sidecars(name string) []string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	return []string{name + ".json", stem + ".json", name + ".txt", stem + ".txt"}
}

// plain is an error of the file system without the name of the file.
func plain(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	default:
		return err
	}
}
