package objects

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/sio"

	"vesper/internal/fault"
)

// The metadata of an object, enough to rebuild a lost database row: ids, sizes and the sealed key, nothing readable.
const (
	metaFormat    = "Vesper-Format"
	metaAudio     = "Vesper-Audio"
	metaSize      = "Vesper-Size"
	metaSealedKey = "Vesper-Sealed-Key"
	metaCipherSum = "Vesper-Cipher-Sha256"
	checksum      = "X-Amz-Checksum-Sha256" // makes the store check what it received
)

// format is the version of names, encryption and metadata together.
const format = "1"

// PutRequest is a recording on its way in.
type PutRequest struct {
	Practice uuid.UUID
	AudioID  uuid.UUID
	Size     int64 // bytes that Reader will give; -1 when not known
	Reader   io.Reader
	// LockMode and LockUntil keep the object from its first moment, where the store has object lock; "" asks nothing.
	LockMode  string
	LockUntil time.Time
}

// Put encrypts and stores a recording and returns only once the store has checked the ciphertext's SHA-256 (or, where it
// does not check, the object was read back and compared). It is idempotent: a recording that is already there, whole, is
// not stored again.
//
// Faults: TooLarge over the size limit, Unavailable when the reader breaks off, the disk is full or the store is away,
// Invalid when Reader gives another number of bytes than Size. Nothing is acknowledged beside an error.
func (s *Store) Put(ctx context.Context, req PutRequest) (Object, error) {
	sp, err := s.encryptToSpool(req)
	if err != nil {
		return Object{}, err
	}
	defer sp.close()
	obj := Object{
		Practice: req.Practice, AudioID: req.AudioID, Size: sp.size, Key: s.keys.objectName(req.Practice, req.AudioID, sp.plain),
		SHA256: hex.EncodeToString(sp.plain[:]), CipherSHA256: hex.EncodeToString(sp.cipher[:]),
		SealedKey: s.keys.seal(sp.key, req.Practice, req.AudioID),
	}
	there, err := s.existing(ctx, obj)
	if err != nil || there.whole {
		return there.obj, err
	}
	return s.upload(ctx, obj, sp, there.damaged, req)
}

// upload sends the spooled ciphertext. If another process stores the same recording at the same time, one wins and both
// return the winner's object: on a store without versions the loser's key would open nothing. Only a damaged object is
// written over.
func (s *Store) upload(ctx context.Context, obj Object, sp *spool, over bool, req PutRequest) (Object, error) {
	opts := minio.PutObjectOptions{
		ContentType:      "application/octet-stream",
		DisableMultipart: true,
		UserMetadata: map[string]string{
			metaFormat: format, metaAudio: obj.AudioID.String(), metaSize: strconv.FormatInt(obj.Size, 10),
			metaSealedKey: base64.StdEncoding.EncodeToString(obj.SealedKey), metaCipherSum: obj.CipherSHA256,
			checksum: base64.StdEncoding.EncodeToString(sp.cipher[:]),
		},
	}
	if req.LockMode != "" && s.caps.ObjectLock {
		opts.Mode, opts.RetainUntilDate = retention(req.LockMode), req.LockUntil.UTC().Truncate(time.Second)
	}
	if !over {
		opts.SetMatchETagExcept("*") // only if nothing has this name
	}
	info, err := s.client.PutObject(ctx, s.bucket, obj.Key, sp.file, sp.cipherSize, opts)
	if err != nil && (code(err) == minio.PreconditionFailed || code(err) == "ConditionalRequestConflict") {
		return s.winner(ctx, obj)
	}
	if err != nil {
		return Object{}, storeFault("put", err)
	}
	obj.VersionID = info.VersionID
	if info.ChecksumSHA256 == opts.UserMetadata[checksum] {
		return obj, nil
	}
	// The store did not say that it checked: look for ourselves.
	if err := s.Verify(ctx, obj); err != nil {
		return Object{}, err
	}
	return obj, nil
}

func (s *Store) winner(ctx context.Context, obj Object) (Object, error) {
	there, err := s.existing(ctx, obj)
	if err == nil && !there.whole {
		err = storeFault("put", errors.New("the name was taken by an object that is not whole"))
	}
	return there.obj, err
}

// found is what stands under a name: nothing, a whole object, or a damaged one.
type found struct {
	obj            Object // set when whole
	whole, damaged bool
}

// existing looks for the object of the same name and reads it through, because what is acknowledged must be whole.
func (s *Store) existing(ctx context.Context, want Object) (found, error) {
	info, err := s.client.StatObject(ctx, s.bucket, want.Key, minio.StatObjectOptions{})
	if err != nil {
		if f := storeFault("stat", err); fault.KindOf(f) != fault.NotFound {
			return found{}, f
		}
		return found{}, nil
	}
	got := want
	got.VersionID, got.CipherSHA256 = info.VersionID, info.UserMetadata[metaCipherSum]
	if got.SealedKey, err = base64.StdEncoding.DecodeString(info.UserMetadata[metaSealedKey]); err != nil {
		return found{damaged: true}, nil //nolint:nilerr // unreadable metadata is damage, and is repaired
	}
	switch err := s.Verify(ctx, got); {
	case err == nil:
		return found{obj: got, whole: true}, nil
	case fault.As(err).Code == CodeCorrupt:
		return found{damaged: true}, nil
	default:
		return found{}, err
	}
}

// spool is a recording in its encrypted form, in a private file that has no name any more.
type spool struct {
	file          *os.File
	key           []byte
	plain, cipher [sha256.Size]byte
	size          int64
	cipherSize    int64
}

func (sp *spool) close() { _ = sp.file.Close() } // the file is unlinked: nothing is left to fail

// encryptToSpool reads the recording once. The plaintext is only ever in memory.
func (s *Store) encryptToSpool(req PutRequest) (*spool, error) {
	f, err := os.CreateTemp(s.spool, "vesper-spool-*")
	if err != nil {
		return nil, spoolFault(err)
	}
	sp := &spool{file: f, key: make([]byte, KeySize)}
	_, _ = rand.Read(sp.key) // never fails
	if err := errors.Join(os.Remove(f.Name()), f.Chmod(0o600)); err != nil {
		sp.close()
		return nil, spoolFault(err)
	}
	if err := sp.fill(req, s.max); err != nil {
		sp.close()
		return nil, err
	}
	return sp, nil
}

func (sp *spool) fill(req PutRequest, limit int64) error {
	in := &source{r: req.Reader, left: limit, sum: sha256.New()}
	enc, err := sio.EncryptReader(in, cipherConfig(sp.key))
	if err != nil {
		return fmt.Errorf("start encryption: %w", err)
	}
	sum := sha256.New()
	sp.cipherSize, err = io.Copy(io.MultiWriter(sum, sp.file), enc)
	switch {
	case in.err != nil:
		return in.err
	case err != nil:
		return spoolFault(err)
	case req.Size >= 0 && in.n != req.Size:
		return fault.New(fault.Invalid, "audio_size_mismatch", "The recording did not arrive whole. Send it again.")
	}
	sum.Sum(sp.cipher[:0])
	in.sum.Sum(sp.plain[:0])
	sp.size = in.n
	if _, err := sp.file.Seek(0, io.SeekStart); err != nil {
		return spoolFault(err)
	}
	return nil
}

// source counts and hashes what the caller's reader gives, and keeps its error apart from ours.
type source struct {
	r    io.Reader
	sum  hash.Hash
	n    int64
	left int64
	err  error
}

func (r *source) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += int64(n)
	r.left -= int64(n)
	r.sum.Write(p[:n])
	if r.left < 0 {
		err = fault.New(fault.TooLarge, "audio_too_large", "The recording is larger than this server takes. Split it, or ask "+
			"an administrator to raise the limit.")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = interrupted(err)
		return n, r.err
	}
	return n, err
}

// interrupted keeps faults as they are; anything else means that the sender broke off.
func interrupted(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	return fault.Wrap(fmt.Errorf("read recording: %w", err), fault.Unavailable, "upload_interrupted", "The recording did not "+
		"arrive whole. Send it again.")
}

// cipherConfig is DARE 2.0 with AES-256-GCM, and nothing else, for writing and for reading.
func cipherConfig(key []byte) sio.Config {
	return sio.Config{
		MinVersion: sio.Version20, MaxVersion: sio.Version20, Key: bytes.Clone(key), CipherSuites: []byte{sio.AES_256_GCM},
	}
}
