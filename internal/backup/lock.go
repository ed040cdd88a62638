package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"

	"vesper/internal/fault"
)

// LeastPassphrase is how many characters a passphrase must have: whoever finds the file can guess as long as he likes.
const LeastPassphrase = 12

// Lock is who can open an archive: whoever knows the passphrase, or holds one of the keys.
type Lock struct{ to []age.Recipient }

// PassphraseLock locks with a passphrase.
func PassphraseLock(passphrase string) (Lock, error) {
	if len([]rune(passphrase)) < LeastPassphrase {
		return Lock{}, fault.New(fault.Invalid, "passphrase_short", fmt.Sprintf("The passphrase must have at least %d characters: it alone protects the recordings and keys in the file.", LeastPassphrase))
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return Lock{}, fmt.Errorf("make passphrase lock: %w", err)
	}
	return Lock{[]age.Recipient{r}}, nil
}

// RecipientLock locks for age public keys ("age1…"), any of which can open.
func RecipientLock(keys []string) (Lock, error) {
	to, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
	if err != nil {
		return Lock{}, fault.Wrap(err, fault.Invalid, "recipient_invalid", "A --recipient is not an age public key. It looks like age1… and is printed by age-keygen.")
	}
	return Lock{to}, nil
}

// Key opens an archive.
type Key struct{ with []age.Identity }

// PassphraseKey opens with a passphrase.
func PassphraseKey(passphrase string) (Key, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return Key{}, fault.New(fault.Invalid, "passphrase_missing", "The passphrase is missing. Give it on the terminal or in VESPER_BACKUP_PASSPHRASE.")
	}
	return Key{[]age.Identity{id}}, nil
}

// IdentityKey opens with a file of age secret keys.
func IdentityKey(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fault.Wrap(err, fault.Invalid, "identity_unreadable", "The file of --identity cannot be read.")
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return Key{}, fault.New(fault.Invalid, "identity_unreadable", "The file of --identity holds no age secret key.")
	}
	return Key{ids}, nil
}

// open starts decryption and says in plain words why it cannot.
func (k Key) open(r io.Reader) (io.Reader, error) {
	plain, err := age.Decrypt(r, k.with...)
	none := (*age.NoIdentityMatchError)(nil)
	switch {
	case err == nil:
		return plain, nil
	case errors.As(err, &none):
		return nil, fault.Wrap(err, fault.Invalid, "backup_locked", "The passphrase or key does not open this backup. Nothing was changed.")
	default:
		return nil, fault.Wrap(err, fault.Invalid, "backup_damaged", "The file is not a backup of Vesper, or its beginning is damaged. Take another copy.")
	}
}

// damaged is the fault of an archive that cannot be read to its end as it was written.
func damaged(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fault.Wrap(err, fault.Invalid, "backup_truncated", "The backup ends before it is complete: it was cut off while it was written or copied. Take another copy.")
	}
	return fault.Wrap(err, fault.Invalid, "backup_damaged", "The backup is damaged or cut off: a part of it is not as it was written. Nothing behind that part was used. Take another copy.")
}
