package services

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"vesper/internal/fault"
)

// Secret is a password or key that does not show itself in logs, errors or JSON.
type Secret string

const redacted = "[redacted]"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// MarshalText hides the secret from JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// The files of secrets/. Any other name is made on demand by Key.
const (
	postgresSecret = "postgres_password" // superuser; the passwords of other roles are derived from it
	redisSecret    = "redis_password"
	s3KeySecret    = "s3_access_key"
	s3SecretSecret = "s3_secret_key"
	masterSecret   = "master_key"
	sessionSecret  = "session_key"
)

// Secrets are the passwords and keys of one data folder, one file each, 32 random bytes in base64url.
type Secrets struct {
	dir string
	mu  sync.Mutex
}

// OpenSecrets opens the secrets of a data folder and makes those that are missing. When the folder already holds a
// database but not its password or master key, it refuses (secrets_missing): new ones would open nothing.
func OpenSecrets(dir string) (*Secrets, error) {
	s := &Secrets{dir: filepath.Join(dir, "secrets")}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, folderFault(err, "make the secrets folder")
	}
	if initialised(filepath.Join(dir, Postgres)) {
		for _, name := range []string{postgresSecret, masterSecret} {
			if _, err := os.Stat(filepath.Join(s.dir, name)); errors.Is(err, fs.ErrNotExist) {
				return nil, fault.New(fault.Unavailable, "secrets_missing", fmt.Sprintf(
					"The data folder holds a database, but secrets/%s is missing. Restore the secrets folder from its backup.", name))
			}
		}
	}
	for _, name := range []string{postgresSecret, redisSecret, s3KeySecret, s3SecretSecret, masterSecret, sessionSecret} {
		if _, err := s.read(name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// PostgresPassword returns the password of a PostgreSQL role. "postgres" is the superuser.
func (s *Secrets) PostgresPassword(role string) (Secret, error) {
	root, err := s.read(postgresSecret)
	if err != nil || role == superuser {
		return Secret(root), err
	}
	mac := hmac.New(sha256.New, []byte(root))
	mac.Write([]byte("postgres role " + role))
	return Secret(base64.RawURLEncoding.EncodeToString(mac.Sum(nil))), nil
}

// RedisPassword returns what Redis asks for.
func (s *Secrets) RedisPassword() (Secret, error) {
	text, err := s.read(redisSecret)
	return Secret(text), err
}

// S3Keys returns the credentials of the store's only account.
func (s *Secrets) S3Keys() (accessKey string, secretKey Secret, err error) {
	access, err := s.read(s3KeySecret)
	if err != nil {
		return "", "", err
	}
	secret, err := s.read(s3SecretSecret)
	return access, Secret(secret), err
}

// MasterKey returns the 32 bytes that wrap the key of each audio object.
func (s *Secrets) MasterKey() ([]byte, error) { return s.Key(masterSecret) }

// SessionKey returns the 32 bytes for session tokens.
func (s *Secrets) SessionKey() ([]byte, error) { return s.Key(sessionSecret) }

// Key returns 32 random bytes under a name (letters, digits, underscore); they are made on the first call and stay.
func (s *Secrets) Key(name string) ([]byte, error) {
	text, err := s.read(name)
	if err != nil {
		return nil, err
	}
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, damaged(name)
	}
	return key, nil
}

func damaged(name string) error {
	return fault.New(fault.Unavailable, "secrets_damaged", fmt.Sprintf(
		"The file secrets/%s of the data folder is damaged. Restore it from its backup.", name))
}

// read returns the text of a secret, which it makes when it is absent.
func (s *Secrets) read(name string) (string, error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "", fmt.Errorf("services: %q is no name of a secret", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := filepath.Join(s.dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return "", folderFault(err, "write a secret")
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "", folderFault(err, "read a secret")
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return "", damaged(name)
	}
	return value, tighten(path)
}

// create writes 32 random bytes. Of two processes that do so at once, the first one's stay: link does not replace.
func create(path string) error {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: it ends the program instead
	tmp := fmt.Sprintf("%s.%d.new", path, os.Getpid())
	defer os.Remove(tmp)
	if err := writeAtomically(tmp, []byte(base64.RawURLEncoding.EncodeToString(key[:])+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// tighten takes the rights of others away from a secret that was copied carelessly.
func tighten(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(path, 0o600)
}
