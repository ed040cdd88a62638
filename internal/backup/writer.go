package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
)

// recordingRecord is the PAX record that holds a Recording.
const recordingRecord = "VESPER.recording"

// Writer writes one archive. After an error it is of no use any more.
type Writer struct {
	crypt   io.WriteCloser
	tar     *tar.Writer
	at      time.Time
	pending []entry
	chain   hash.Hash
	total   Manifest
}

// NewWriter begins an archive with its header.
func NewWriter(out io.Writer, lock Lock, h Header) (*Writer, error) {
	crypt, err := age.Encrypt(out, lock.to...)
	if err != nil {
		return nil, fmt.Errorf("begin encryption: %w", err)
	}
	h.Format, h.At = Format, h.At.UTC().Truncate(time.Second)
	w := &Writer{crypt: crypt, tar: tar.NewWriter(crypt), at: h.At, chain: sha256.New()}
	return w, w.addJSON(headerName, h)
}

func (w *Writer) addJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return w.addBytes(name, text)
}

func (w *Writer) addBytes(name string, text []byte) error {
	_, err := w.add(name, int64(len(text)), nil, bytes.NewReader(text))
	return err
}

// add writes a member of exactly this size and returns its SHA-256.
func (w *Writer) add(name string, size int64, rec *Recording, r io.Reader) (string, error) {
	head := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.at, Format: tar.FormatPAX}
	if rec != nil {
		text, err := json.Marshal(rec)
		if err != nil {
			return "", fmt.Errorf("encode recording: %w", err)
		}
		head.PAXRecords = map[string]string{recordingRecord: string(text)}
	}
	if err := w.tar.WriteHeader(head); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w.tar, sum), io.LimitReader(r, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	e := entry{name, size, hex.EncodeToString(sum.Sum(nil))}
	w.pending = append(w.pending, e)
	w.total.Members++
	w.total.Bytes += size
	if len(w.pending) == perManifest {
		return e.SHA256, w.flush()
	}
	return e.SHA256, nil
}

// flush writes the manifest of what was written since the last one.
func (w *Writer) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	text, err := json.Marshal(w.pending)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	w.pending = w.pending[:0]
	w.total.Manifests++
	w.chain.Write(text)
	return w.raw(fmt.Sprintf("%s%08d.json", manifestsDir, w.total.Manifests), text)
}

// raw writes a member that no manifest lists.
func (w *Writer) raw(name string, text []byte) error {
	err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), Mode: 0o600, ModTime: w.at, Format: tar.FormatPAX})
	if err == nil {
		_, err = w.tar.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// AddFile adds a small file of the installation under a path relative to the data folder.
func (w *Writer) AddFile(path string, content []byte) error {
	return w.addBytes(filesDir+path, content)
}

// Dump takes the database's dump. Close it when the dump is whole.
func (w *Writer) Dump() io.WriteCloser { return &pieces{w: w} }

// AddRecording adds an object as it is stored and returns the SHA-256 of its bytes.
func (w *Writer) AddRecording(rec Recording, size int64, r io.Reader) (string, error) {
	sum, err := w.add(objectsDir+rec.Key, size, &rec, r)
	if err == nil {
		w.total.Recordings++
	}
	return sum, err
}

// AddDamage notes a recording that is not in the archive, or not as it should be.
func (w *Writer) AddDamage(d Damage) { w.total.Damaged = append(w.total.Damaged, d) }

// AddPurged notes a recording that was purged after the snapshot was taken.
func (w *Writer) AddPurged(id uuid.UUID) { w.total.Purged = append(w.total.Purged, id) }

// AddCheckpoint adds a signed checkpoint of the audit log.
func (w *Writer) AddCheckpoint(size int64, signed []byte) error {
	w.total.Checkpoints++
	return w.addBytes(fmt.Sprintf("%s%020d", recordsDir, size), signed)
}

// Close writes the last manifest and the end of the encryption, without which nobody takes the file for whole.
func (w *Writer) Close() (Manifest, error) {
	if err := w.flush(); err != nil {
		return w.total, err
	}
	w.total.Chain = hex.EncodeToString(w.chain.Sum(nil))
	text, err := json.MarshalIndent(w.total, "", " ")
	if err != nil {
		return w.total, fmt.Errorf("encode manifest: %w", err)
	}
	if err := w.raw(finalName, text); err != nil {
		return w.total, err
	}
	if err := w.tar.Close(); err != nil {
		return w.total, fmt.Errorf("end archive: %w", err)
	}
	if err := w.crypt.Close(); err != nil {
		return w.total, fmt.Errorf("end encryption: %w", err)
	}
	return w.total, nil
}

// pieces cuts a stream of unknown length into members.
type pieces struct {
	w   *Writer
	buf bytes.Buffer
	n   int
}

// Write implements io.Writer.
func (p *pieces) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		part := b[done:min(len(b), done+pieceSize-p.buf.Len())]
		p.buf.Write(part)
		done += len(part)
		if p.buf.Len() == pieceSize {
			if err := p.flush(); err != nil {
				return done, err
			}
		}
	}
	return len(b), nil
}

func (p *pieces) flush() error {
	if p.buf.Len() == 0 {
		return nil
	}
	p.n++
	err := p.w.addBytes(fmt.Sprintf("%s%08d", databaseDir, p.n), p.buf.Bytes())
	p.buf.Reset()
	return err
}

// Close writes what is left.
func (p *pieces) Close() error { return p.flush() }
