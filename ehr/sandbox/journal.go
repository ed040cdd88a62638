package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// journal is the sandbox's memory: one file of JSON lines, appended and synced before anything is acknowledged, never
// rewritten. The index is rebuilt from it at start. Its methods are called with Server.mu held.
type journal struct {
	f    *os.File
	size int64

	resources    map[string]*resource // by "Type/id"
	byIdentifier map[string][]string  // "system|value" to ids of documents
	documents    []string             // ids in order of arrival
	referenced   map[string]string    // "Type/id" a document points at, with its display text
}

// resource is where the versions of one resource stand in the file.
type resource struct {
	versions []span
	subject  string
}

type span struct {
	off, len int64
	at       time.Time
}

// line is one record of the file.
type line struct {
	Type     string          `json:"type"`
	ID       string          `json:"id"`
	Version  int             `json:"version"`
	At       time.Time       `json:"at"`
	Resource json.RawMessage `json:"resource"`
}

func openJournal(dir string) (*journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: make data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "journal.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sandbox: open journal: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("sandbox: the data folder %s is in use by another process: %w", dir, err)
	}
	j := &journal{f: f, resources: map[string]*resource{}, byIdentifier: map[string][]string{}, referenced: map[string]string{}}
	if err := errors.Join(j.replay(), syncDir(dir)); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// replay rebuilds the index. A torn last line was never acknowledged and is cut off; damage before it stops the start.
func (j *journal) replay() error {
	r := bufio.NewReaderSize(j.f, 1<<20)
	for n := 1; ; n++ {
		raw, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("sandbox: read journal: %w", err)
		}
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("sandbox: journal line %d is damaged: %w", n, err)
		}
		j.index(l, j.size, int64(len(raw)))
		j.size += int64(len(raw))
	}
	if err := j.f.Truncate(j.size); err != nil {
		return fmt.Errorf("sandbox: cut torn line: %w", err)
	}
	return nil
}

// add appends a new version of a resource and returns its number. It returns only after the bytes are on the disk.
func (j *journal) add(kind, id string, at time.Time, fields map[string]any) (int, error) {
	version := 1
	if r := j.resources[kind+"/"+id]; r != nil {
		version = len(r.versions) + 1
	}
	fields["id"] = id
	fields["meta"] = withMeta(fields["meta"], version, at)
	body, err := encode(fields)
	if err != nil {
		return 0, err
	}
	l := line{Type: kind, ID: id, Version: version, At: at, Resource: body}
	raw, err := encode(l)
	if err != nil {
		return 0, err
	}
	raw = append(raw, '\n')
	if err := j.append(raw); err != nil {
		return 0, err
	}
	j.index(l, j.size, int64(len(raw)))
	j.size += int64(len(raw))
	return version, nil
}

// append writes at the known end, so that a failed write before it (a full disk) leaves nothing behind.
func (j *journal) append(raw []byte) error {
	if _, err := j.f.WriteAt(raw, j.size); err != nil {
		return fmt.Errorf("sandbox: write: %w", errors.Join(err, j.f.Truncate(j.size)))
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("sandbox: sync: %w", errors.Join(err, j.f.Truncate(j.size)))
	}
	return nil
}

func (j *journal) index(l line, off, n int64) {
	key := l.Type + "/" + l.ID
	r := j.resources[key]
	if r == nil {
		r = &resource{}
		j.resources[key] = r
	}
	r.versions = append(r.versions, span{off, n, l.At})
	if l.Type != "DocumentReference" || len(r.versions) > 1 {
		return
	}
	var d document
	if json.Unmarshal(l.Resource, &d) != nil {
		return
	}
	j.documents = append(j.documents, l.ID)
	r.subject = d.Subject.Reference
	for _, i := range d.Identifier {
		k := i.System + "|" + i.Value
		j.byIdentifier[k] = append(j.byIdentifier[k], l.ID)
	}
	for _, ref := range d.references() {
		j.referenced[ref.Reference] = ref.Display
	}
}

// load reads one version; version 0 is the newest. ok is false when there is none.
func (j *journal) load(key string, version int) (l line, ok bool, err error) {
	r := j.resources[key]
	if r == nil || version > len(r.versions) || version < 0 {
		return line{}, false, nil
	}
	if version == 0 {
		version = len(r.versions)
	}
	at := r.versions[version-1]
	raw := make([]byte, at.len)
	if _, err := j.f.ReadAt(raw, at.off); err != nil {
		return line{}, false, fmt.Errorf("sandbox: read %s: %w", key, err)
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return line{}, false, fmt.Errorf("sandbox: decode %s: %w", key, err)
	}
	return l, true, nil
}

func (j *journal) nextID() string { return strconv.Itoa(len(j.documents) + 1) }

func (j *journal) close() error {
	if err := j.f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("sandbox: close: %w", err)
	}
	return nil
}

// withMeta sets what the server owns and keeps the rest of the client's meta.
func withMeta(meta any, version int, at time.Time) map[string]any {
	m, ok := meta.(map[string]any)
	if !ok {
		m = map[string]any{}
	}
	m["versionId"] = strconv.Itoa(version)
	m["lastUpdated"] = at.UTC().Format("2006-01-02T15:04:05.000Z")
	m["source"] = "urn:vesper:sandbox-ehr"
	return m
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("sandbox: encode: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// syncDir makes the journal's name itself durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sandbox: open data folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sandbox: sync data folder: %w", err)
	}
	return nil
}
