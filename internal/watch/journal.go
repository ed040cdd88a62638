package watch

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The journal keeps what a restart would otherwise have to ask or send again. Neither its bytes nor its age grow without
// end: it is written anew when it is opened and when it has grown to several times of what it holds.
const (
	mostReceipts = 20_000
	uploadAge    = 7 * 24 * time.Hour // the server removes unfinished uploads after this
	receiptAge   = 180 * 24 * time.Hour
)

// record is one line. It names a recording by its content and its author, never by its file.
type record struct {
	Key       string    `json:"key"`
	At        time.Time `json:"at"`
	Upload    string    `json:"upload,omitempty"`    // begun: where it goes on
	Fields    string    `json:"fields,omitempty"`    // digest of what went with it: an upload cannot change that
	Dictation string    `json:"dictation,omitempty"` // received
	Dropped   bool      `json:"dropped,omitempty"`   // the server knows nothing of it any more
}

func (r record) maxAge() time.Duration {
	if r.Dictation != "" {
		return receiptAge
	}
	return uploadAge
}

// journal is a file of JSON lines. Each line is on the disk before the next step is taken. A line that a power failure
// cut in two is ignored: it says nothing that the server could not say.
type journal struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	file  *os.File
	lines int
	last  map[string]record // by key
}

func openJournal(path string, now func() time.Time) (*journal, error) {
	j := &journal{path: path, now: now, last: map[string]record{}}
	if err := j.load(); err != nil {
		return nil, err
	}
	return j, j.rewrite()
}

func (j *journal) load() error {
	f, err := os.Open(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Key != "" {
			j.take(r)
		}
	}
	if err := lines.Err(); !errors.Is(err, bufio.ErrTooLong) {
		return err
	}
	return nil
}

func (j *journal) take(r record) {
	if r.Dropped {
		delete(j.last, r.Key)
		return
	}
	j.last[r.Key] = r
}

// rewrite replaces the file by one that holds only what counts, in one step.
func (j *journal) rewrite() error {
	j.forget()
	temp := j.path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	enc := json.NewEncoder(out)
	for _, r := range j.byAge() {
		if err = enc.Encode(r); err != nil {
			break
		}
	}
	err = errors.Join(err, out.Flush(), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(temp, j.path)
	}
	if err != nil {
		return err
	}
	syncFolder(filepath.Dir(j.path))
	if j.file != nil {
		j.file.Close()
	}
	j.lines = len(j.last)
	j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0o600)
	return err
}

// forget drops what is too old, and the oldest of what is too much.
func (j *journal) forget() {
	for key, r := range j.last {
		if j.now().Sub(r.At) > r.maxAge() {
			delete(j.last, key)
		}
	}
	if all := j.byAge(); len(all) > mostReceipts {
		for _, r := range all[:len(all)-mostReceipts] {
			delete(j.last, r.Key)
		}
	}
}

func (j *journal) byAge() []record {
	all := make([]record, 0, len(j.last))
	for _, r := range j.last {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b record) int { return a.At.Compare(b.At) })
	return all
}

// get returns what is known of a recording.
func (j *journal) get(key string) record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last[key]
}

// put writes a line and waits until it is on the disk.
func (j *journal) put(r record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	r.At = j.now().UTC()
	j.take(r)
	if j.lines > 3*len(j.last)+2000 {
		return j.rewrite()
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	j.lines++
	if _, err := j.file.Write(append(raw, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}

// syncFolder makes a rename in a folder last. Some shares cannot do it, and then they have done it already or never will.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
