package access

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"vesper/internal/fault"
)

// Parameters of argon2id: the first choice of the OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane).
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
)

// MinPassword is the shortest password that is accepted (NIST SP 800-63B asks for at least 8; we ask for more).
const MinPassword = 12

// HashPassword returns the PHC string of an argon2id hash with a fresh salt.
func HashPassword(password string) (string, error) {
	if len(password) < MinPassword {
		return "", fault.New(fault.Invalid, "password_short", fmt.Sprintf("Choose a password of at least %d characters.", MinPassword))
	}
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("read salt: %w", err)
	}
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// CheckPassword reports whether the password matches the PHC string. It takes the same time for a malformed or empty
// hash as for a wrong password, so that an unknown login cannot be told from a wrong password.
func CheckPassword(phc, password string) bool {
	memory, passes, lanes, salt, want, ok := parsePHC(phc)
	if !ok {
		memory, passes, lanes = argonMemory, argonTime, argonLanes
		salt, want = make([]byte, argonSalt), make([]byte, argonKey)
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, lanes, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && ok
}

func parsePHC(phc string) (memory, passes uint32, lanes uint8, salt, key []byte, ok bool) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || passes == 0 || lanes == 0 {
		return
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return
	}
	key, err = base64.RawStdEncoding.DecodeString(parts[5])
	ok = err == nil && len(key) >= 16
	return
}
