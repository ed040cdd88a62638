package objects

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"vesper/internal/fault"
)

// KeySize is the length of a master key and of an object key, in bytes.
const KeySize = 32

// sealVersion is the first byte of a sealed key.
const sealVersion = 1

// A sealed key is: version (1 byte), id of the master key (8), nonce (12), sealed object key (32 + 16).
const (
	keyIDSize  = 8
	nonceSize  = 12
	tagSize    = 16
	sealedSize = 1 + keyIDSize + nonceSize + KeySize + tagSize
)

// keyring holds what is derived from the master keys. The master keys themselves are used for nothing directly.
type keyring struct {
	current master
	old     map[[keyIDSize]byte]master
}

// master is one master key's derivatives. Its id is derived too, so that a wrong key under a familiar name cannot be
// mistaken for the right one.
type master struct {
	id   [keyIDSize]byte
	wrap cipher.AEAD
	name []byte
}

func newKeyring(current []byte, old [][]byte) (*keyring, error) {
	m, err := newMaster(current)
	if err != nil {
		return nil, err
	}
	k := &keyring{current: m, old: map[[keyIDSize]byte]master{}}
	for _, o := range old {
		m, err := newMaster(o)
		if err != nil {
			return nil, err
		}
		k.old[m.id] = m
	}
	return k, nil
}

func newMaster(secret []byte) (master, error) {
	if len(secret) != KeySize {
		return master{}, fault.New(fault.Invalid, "master_key_invalid", "The master key for recordings must be exactly 32 "+
			"random bytes. Correct it in the configuration.")
	}
	derive := func(purpose string, n int) ([]byte, error) {
		return hkdf.Key(sha256.New, secret, nil, "vesper/objects/v1/"+purpose, n)
	}
	id, err1 := derive("id", keyIDSize)
	wrap, err2 := derive("wrap", KeySize)
	name, err3 := derive("name", KeySize)
	if err := errors.Join(err1, err2, err3); err != nil {
		return master{}, fmt.Errorf("derive from master key: %w", err)
	}
	block, err := aes.NewCipher(wrap)
	if err != nil {
		return master{}, fmt.Errorf("derive from master key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return master{}, fmt.Errorf("derive from master key: %w", err)
	}
	return master{id: [keyIDSize]byte(id), wrap: aead, name: name}, nil
}

// seal wraps an object key under the current master key, bound to practice and recording.
func (k *keyring) seal(key []byte, practice, audio uuid.UUID) []byte {
	out := make([]byte, 0, sealedSize)
	out = append(out, sealVersion)
	out = append(out, k.current.id[:]...)
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails: it crashes the process instead
	out = append(out, nonce...)
	return k.current.wrap.Seal(out, nonce, key, binding(practice, audio))
}

// unseal is the inverse of seal. It tells a master key that is not ours from a sealed key that is not this object's.
func (k *keyring) unseal(sealed []byte, practice, audio uuid.UUID) ([]byte, error) {
	if len(sealed) != sealedSize || sealed[0] != sealVersion {
		return nil, corrupt(errors.New("sealed key is malformed"))
	}
	id := [keyIDSize]byte(sealed[1 : 1+keyIDSize])
	m, known := k.old[id]
	if id == k.current.id {
		m, known = k.current, true
	}
	if !known {
		return nil, fault.Wrap(fmt.Errorf("object key is sealed by master key %x, configured is %x", id, k.current.id),
			fault.Internal, "master_key_missing", "This recording is locked with another master key than the one "+
				"configured. An administrator must add that key to the configuration.")
	}
	nonce := sealed[1+keyIDSize : 1+keyIDSize+nonceSize]
	key, err := m.wrap.Open(nil, nonce, sealed[1+keyIDSize+nonceSize:], binding(practice, audio))
	if err != nil {
		return nil, corrupt(errors.New("sealed key does not belong to this practice and recording"))
	}
	return key, nil
}

// binding is the additional data of a seal: what the object key may be used for.
func binding(practice, audio uuid.UUID) []byte {
	aad := append([]byte("vesper/audio-key/v1\x00"), practice[:]...)
	return append(aad, audio[:]...)
}

// name is the object's name; see the package comment. It uses the current master key, so that recordings sent again
// after a rotation are stored again, which is harmless.
func (k *keyring) objectName(practice, audio uuid.UUID, plainSum [sha256.Size]byte) string {
	mac := hmac.New(sha256.New, k.current.name)
	mac.Write(practice[:])
	mac.Write(audio[:])
	mac.Write(plainSum[:])
	return prefix(practice) + hex.EncodeToString(mac.Sum(nil))
}

// prefix is where a practice's recordings stand.
func prefix(practice uuid.UUID) string { return "practice/" + practice.String() + "/audio/" }
