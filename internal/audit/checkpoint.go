package audit

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Origin names the log in its checkpoints and keys.
const Origin = "vesper-audit"

// Checkpoint is the state of the tree at one size.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
}

// NewKey makes an Ed25519 key pair in the format of golang.org/x/mod/sumdb/note. Keep skey secret (mode 0600).
func NewKey() (skey, vkey string, err error) {
	return note.GenerateKey(rand.Reader, Origin)
}

// Sign writes the checkpoint as a signed note: origin, size, root, signature.
func (c Checkpoint) Sign(skey string) ([]byte, error) {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, fmt.Errorf("read audit key: %w", err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// SizeOf reads the size of a signed checkpoint without checking who signed it: enough to file a copy under, not to trust.
func SizeOf(signed []byte) (int64, error) {
	lines := strings.SplitN(string(signed), "\n", 3)
	if len(lines) < 3 || lines[0] != Origin {
		return 0, fmt.Errorf("checkpoint has another form")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size <= 0 {
		return 0, fmt.Errorf("checkpoint has no size")
	}
	return size, nil
}

// OpenCheckpoint checks the signature and returns the checkpoint.
func OpenCheckpoint(signed []byte, vkey string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read audit public key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 3 || lines[0] != Origin {
		return Checkpoint{}, fmt.Errorf("checkpoint has %d lines of another form", len(lines))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read checkpoint size: %w", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("read checkpoint root: %d bytes", len(root))
	}
	c := Checkpoint{Size: size}
	copy(c.Root[:], root)
	return c, nil
}
