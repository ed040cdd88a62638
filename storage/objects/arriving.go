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
	"io"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/sio"
)

// arrivingPrefix is where pieces of uploads stand that have not come to their end. They are encrypted as recordings are,
// each with its own key, which is kept nowhere but in the caller's row: without the row a piece cannot be read.
const arrivingPrefix = "arriving/"

// Part is a piece of an upload. Sealed is its encrypted form, on the way in only.
type Part struct {
	Practice  uuid.UUID
	Upload    uuid.UUID
	Number    int
	Size      int64 // bytes before encryption
	Key       string
	SHA256    string // of the bytes before encryption, lower-case hex
	SealedKey []byte
	Sealed    []byte
}

// SealPart encrypts a piece, which must fit into memory. Nothing is stored yet, so that the caller can write down first
// what will be.
func (s *Store) SealPart(practice, upload uuid.UUID, number int, plain []byte) (Part, error) {
	sum := sha256.Sum256(plain)
	p := Part{
		Practice: practice, Upload: upload, Number: number, Size: int64(len(plain)), SHA256: hex.EncodeToString(sum[:]),
		Key: fmt.Sprintf("%s%06d", arrivingFolder(upload), number),
	}
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	var out bytes.Buffer
	if _, err := sio.Encrypt(&out, bytes.NewReader(plain), cipherConfig(key)); err != nil {
		return Part{}, fmt.Errorf("encrypt part: %w", err)
	}
	p.Sealed, p.SealedKey = out.Bytes(), s.keys.seal(key, practice, upload)
	return p, nil
}

// PutPart stores what SealPart made, in the place of an earlier try. It has no retention lock.
func (s *Store) PutPart(ctx context.Context, p Part) error {
	sum := sha256.Sum256(p.Sealed)
	_, err := s.client.PutObject(ctx, s.bucket, p.Key, bytes.NewReader(p.Sealed), int64(len(p.Sealed)), minio.PutObjectOptions{
		ContentType: "application/octet-stream", DisableMultipart: true,
		UserMetadata: map[string]string{checksum: base64.StdEncoding.EncodeToString(sum[:])},
	})
	if err != nil {
		return storeFault("put part", err)
	}
	return nil
}

// GetPart reads a piece back, whole, and compares it with what was sealed.
func (s *Store) GetPart(ctx context.Context, p Part) ([]byte, error) {
	key, err := s.keys.unseal(p.SealedKey, p.Practice, p.Upload)
	if err != nil {
		return nil, err
	}
	size, err := sio.EncryptedSize(uint64(max(p.Size, 0)))
	if err != nil {
		return nil, corrupt(err)
	}
	body, _, _, err := (minio.Core{Client: s.client}).GetObject(ctx, s.bucket, p.Key, minio.GetObjectOptions{})
	if err != nil {
		return nil, storeFault("get part", err)
	}
	defer body.Close()
	raw, err := io.ReadAll(io.LimitReader(body, int64(size)+1))
	if err != nil {
		return nil, storeFault("read part", err)
	}
	var out bytes.Buffer
	if _, err := sio.Decrypt(&out, bytes.NewReader(raw), cipherConfig(key)); err != nil {
		return nil, corrupt(err)
	}
	if sum := sha256.Sum256(out.Bytes()); hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, corrupt(errors.New("part has another SHA-256"))
	}
	return out.Bytes(), nil
}

// RemoveParts removes all pieces of an upload, whatever tries left behind, in all their versions. Nothing being there is
// success.
func (s *Store) RemoveParts(ctx context.Context, upload uuid.UUID) error {
	ctx, stop := context.WithCancel(ctx) // ends the listing when a removal fails
	defer stop()
	opts := minio.ListObjectsOptions{Prefix: arrivingFolder(upload), Recursive: true, WithVersions: s.caps.Versioning}
	for o := range s.client.ListObjects(ctx, s.bucket, opts) {
		if o.Err != nil {
			return storeFault("list parts", o.Err)
		}
		if err := s.client.RemoveObject(ctx, s.bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err != nil {
			return storeFault("remove part", err)
		}
	}
	return nil
}

func arrivingFolder(upload uuid.UUID) string { return arrivingPrefix + upload.String() + "/" }
