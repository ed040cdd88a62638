package objects

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/sio"
)

// Get opens a recording for reading from any position, so that HTTP ranges work. Bytes are fetched and decrypted as they
// are read; a read of damaged bytes fails with CodeCorrupt and gives none of them away. ctx must live as long as the
// reader.
//
// Faults: NotFound when the object is gone, Internal ("audio_corrupt") when it is not the one that was put,
// ("master_key_missing") when it is locked with another master key, Unavailable when the store is away.
func (s *Store) Get(ctx context.Context, obj Object) (io.ReadSeekCloser, error) {
	key, info, err := s.open(ctx, obj)
	if err != nil {
		return nil, err
	}
	if obj.Size == 0 {
		return nopCloser{bytes.NewReader(nil)}, nil
	}
	src := &window{ctx: ctx, store: s, obj: obj, etag: info.ETag, size: info.Size}
	plain, err := sio.DecryptReaderAt(src, cipherConfig(key))
	if err != nil {
		return nil, fmt.Errorf("start decryption: %w", err)
	}
	return &reader{plain: plain, size: obj.Size}, nil
}

// open unseals the key and looks at the object: DARE marks the last package, but a store that lost the whole tail is
// told at once by the size.
func (s *Store) open(ctx context.Context, obj Object) ([]byte, minio.ObjectInfo, error) {
	key, err := s.keys.unseal(obj.SealedKey, obj.Practice, obj.AudioID)
	if err != nil {
		return nil, minio.ObjectInfo{}, err
	}
	info, err := s.client.StatObject(ctx, s.bucket, obj.Key, minio.StatObjectOptions{VersionID: obj.VersionID})
	if err != nil {
		return nil, info, storeFault("stat", err)
	}
	want, err := sio.EncryptedSize(uint64(max(obj.Size, 0)))
	if err != nil || info.Size != int64(want) {
		return nil, info, corrupt(fmt.Errorf("object has %d bytes, expected %d", info.Size, want))
	}
	return key, info, nil
}

// Info is what the store knows about an object.
type Info struct {
	AudioID      uuid.UUID
	Size         int64 // bytes before encryption
	StoredSize   int64 // bytes as stored
	CipherSHA256 string
	VersionID    string
	StoredAt     time.Time
}

// Head asks the store about an object without reading it. It needs Key, SealedKey, Size and the ids.
func (s *Store) Head(ctx context.Context, obj Object) (Info, error) {
	_, info, err := s.open(ctx, obj)
	if err != nil {
		return Info{}, err
	}
	id, err := uuid.Parse(info.UserMetadata[metaAudio])
	if err != nil || id != obj.AudioID {
		return Info{}, corrupt(errors.New("object belongs to another recording"))
	}
	return Info{
		AudioID: id, Size: obj.Size, StoredSize: info.Size, CipherSHA256: info.UserMetadata[metaCipherSum],
		VersionID: info.VersionID, StoredAt: info.LastModified,
	}, nil
}

// Verify reads the whole object and compares it with what was put: every package's seal, the size, SHA256, and
// CipherSHA256 if it is given. A difference is "audio_corrupt".
func (s *Store) Verify(ctx context.Context, obj Object) error {
	key, info, err := s.open(ctx, obj)
	if err != nil {
		return err
	}
	body, err := s.fetch(ctx, obj, info.ETag, 0, info.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	cipherSum, plainSum := sha256.New(), sha256.New()
	in := &failing{r: io.TeeReader(body, cipherSum)}
	plain, err := sio.DecryptReader(in, cipherConfig(key))
	if err != nil {
		return fmt.Errorf("start decryption: %w", err)
	}
	if obj.Size > 0 {
		_, err = io.Copy(plainSum, plain)
	}
	switch {
	case in.err != nil:
		return storeFault("read", in.err)
	case err != nil:
		return corrupt(err)
	case hex.EncodeToString(plainSum.Sum(nil)) != obj.SHA256:
		return corrupt(errors.New("plaintext has another SHA-256"))
	case obj.CipherSHA256 != "" && hex.EncodeToString(cipherSum.Sum(nil)) != obj.CipherSHA256:
		return corrupt(errors.New("ciphertext has another SHA-256"))
	}
	return nil
}

// failing remembers the error of the network, to tell it from one of the decryption.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

// blockSize is how much is decrypted at once, in bytes. Players and decoders read in small pieces, and each ReadAt of
// the decryption starts at a package's beginning.
const blockSize = 256 << 10

// reader is the decrypted recording. It keeps the block around its position.
type reader struct {
	plain     io.ReaderAt
	size, pos int64
	off       int64 // where block begins
	block     []byte
}

func (r *reader) Read(p []byte) (int, error) {
	if r.pos >= r.size {
		return 0, io.EOF
	}
	if r.pos < r.off || r.pos >= r.off+int64(len(r.block)) {
		if err := r.load(r.pos - r.pos%blockSize); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.block[r.pos-r.off:])
	r.pos += int64(n)
	return n, nil
}

func (r *reader) load(off int64) error {
	if r.block == nil {
		r.block = make([]byte, 0, min(blockSize, r.size))
	}
	block := r.block[:min(blockSize, r.size-off)]
	r.block = r.block[:0] // nothing of a failed read is ever given out
	n, err := r.plain.ReadAt(block, off)
	if e := (sio.Error{}); errors.As(err, &e) {
		return corrupt(err)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n < len(block) {
		return corrupt(fmt.Errorf("object ends at %d of %d bytes", off+int64(n), r.size))
	}
	r.off, r.block = off, block
	return nil
}

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, errors.New("seek outside the recording")
	}
	r.pos = offset
	return offset, nil
}

// Close is safe to call twice; there is nothing open between reads.
func (r *reader) Close() error { return nil }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }
