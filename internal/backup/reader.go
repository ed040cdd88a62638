package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"vesper/internal/fault"
)

// Member is one member of an archive on its way out. Its bytes are authentic as they are read; whether they are all there
// shows at their end.
type Member struct {
	Name      string
	Size      int64
	Recording *Recording // of an object
	io.Reader
}

// Reader reads one archive from beginning to end.
type Reader struct {
	plain   *sticky
	tar     *tar.Reader
	header  Header
	pending []entry
	chain   hash.Hash
	seen    Manifest
}

// sticky remembers the error of a damaged archive, to tell it from the error of whoever used the bytes.
type sticky struct {
	ctx context.Context
	r   io.Reader
	err error
}

func (s *sticky) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// NewReader unlocks an archive and reads its header.
func NewReader(ctx context.Context, in io.Reader, key Key) (*Reader, error) {
	plain, err := key.open(in)
	if err != nil {
		return nil, err
	}
	r := &Reader{plain: &sticky{ctx: ctx, r: plain}, chain: sha256.New()}
	r.tar = tar.NewReader(r.plain)
	head, err := r.tar.Next()
	if err != nil {
		return nil, damaged(err)
	}
	if head.Name != headerName {
		return nil, fault.New(fault.Invalid, "backup_damaged", "The file was encrypted with age, but it is not a backup of Vesper.")
	}
	text, err := r.small(head)
	if err != nil {
		return nil, err
	}
	r.note(head.Name, text)
	if err := json.Unmarshal(text, &r.header); err != nil {
		return nil, damaged(err)
	}
	if r.header.Format != Format {
		return nil, fault.New(fault.Invalid, "backup_newer", "This backup has a form that this program does not know. Install the newer Vesper.")
	}
	return r, nil
}

// Header says what the archive is.
func (r *Reader) Header() Header { return r.header }

// Each calls fn for every member after the header, in order, and returns the manifest when everything that was written is
// there unchanged. A member that fn does not read to its end is read nevertheless.
func (r *Reader) Each(fn func(Member) error) (Manifest, error) {
	for {
		head, err := r.tar.Next()
		if err != nil {
			return r.seen, damaged(err) // also io.EOF: the last member is the manifest, and it has not come
		}
		switch {
		case head.Name == finalName:
			return r.finish(head)
		case strings.HasPrefix(head.Name, manifestsDir):
			err = r.compare(head)
		default:
			err = r.member(head, fn)
		}
		if err != nil {
			return r.seen, err
		}
	}
}

func (r *Reader) member(head *tar.Header, fn func(Member) error) error {
	m := Member{Name: head.Name, Size: head.Size}
	if text, ok := head.PAXRecords[recordingRecord]; ok {
		m.Recording = &Recording{}
		if err := json.Unmarshal([]byte(text), m.Recording); err != nil {
			return damaged(err)
		}
	}
	sum := sha256.New()
	m.Reader = io.TeeReader(r.tar, sum)
	err := fn(m)
	if err == nil {
		_, err = io.Copy(io.Discard, m.Reader)
	}
	if r.plain.err != nil {
		return damaged(r.plain.err) // what fn says is only what follows from it
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged(err)
	}
	if err != nil {
		return err
	}
	r.pending = append(r.pending, entry{head.Name, head.Size, hex.EncodeToString(sum.Sum(nil))})
	r.count(head)
	if len(r.pending) > perManifest {
		return damaged(errors.New("a manifest is missing"))
	}
	return nil
}

func (r *Reader) count(head *tar.Header) {
	r.seen.Members++
	r.seen.Bytes += head.Size
	switch {
	case strings.HasPrefix(head.Name, objectsDir):
		r.seen.Recordings++
	case strings.HasPrefix(head.Name, recordsDir):
		r.seen.Checkpoints++
	}
}

func (r *Reader) note(name string, text []byte) {
	sum := sha256.Sum256(text)
	r.pending = append(r.pending, entry{name, int64(len(text)), hex.EncodeToString(sum[:])})
	r.seen.Members++
	r.seen.Bytes += int64(len(text))
}

// small reads a member that must fit into memory.
func (r *Reader) small(head *tar.Header) ([]byte, error) {
	if head.Size > maxSmall {
		return nil, damaged(fmt.Errorf("%s has %d bytes", head.Name, head.Size))
	}
	text, err := io.ReadAll(r.tar)
	if err != nil {
		return nil, damaged(err)
	}
	return text, nil
}

// compare holds what was read since the last manifest against this one.
func (r *Reader) compare(head *tar.Header) error {
	text, err := r.small(head)
	if err != nil {
		return err
	}
	var listed []entry
	if err := json.Unmarshal(text, &listed); err != nil {
		return damaged(err)
	}
	if !slices.Equal(listed, r.pending) {
		return damaged(errors.New("members differ from their manifest"))
	}
	r.pending = r.pending[:0]
	r.chain.Write(text)
	r.seen.Manifests++
	return nil
}

// finish reads the last manifest and what must be the end.
func (r *Reader) finish(head *tar.Header) (Manifest, error) {
	text, err := r.small(head)
	if err != nil {
		return r.seen, err
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return m, damaged(err)
	}
	r.seen.Chain, r.seen.Damaged, r.seen.Purged = hex.EncodeToString(r.chain.Sum(nil)), m.Damaged, m.Purged
	same := r.seen.Members == m.Members && r.seen.Bytes == m.Bytes && r.seen.Manifests == m.Manifests && r.seen.Chain == m.Chain &&
		r.seen.Recordings == m.Recordings && r.seen.Checkpoints == m.Checkpoints
	if len(r.pending) > 0 || !same {
		return m, damaged(errors.New("the archive differs from its last manifest"))
	}
	if _, err := r.tar.Next(); !errors.Is(err, io.EOF) {
		return m, damaged(errors.Join(errors.New("something follows the last manifest"), err))
	}
	// The last piece of the encryption says that it is the last.
	if _, err := io.Copy(io.Discard, r.plain); err != nil {
		return m, damaged(err)
	}
	return m, nil
}
