package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errChanged means that a file is not what it was a moment ago.
var errChanged = errors.New("the file has changed")

// move brings a file of the folder into a day's folder below dest and returns where it lies then. It replaces nothing and
// loses nothing: where a name is taken, a number is added, and between two disks the copy is on the disk and compared before
// the first one goes.
func (w *watcher) move(name, dest string) (string, error) {
	dir := filepath.Join(dest, w.Now().Format(time.DateOnly), filepath.FromSlash(path.Dir(name)))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	to, err := free(filepath.Join(dir, path.Base(name)))
	if err != nil {
		return "", err
	}
	from := w.path(name)
	err = os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		err = carry(from, to)
	}
	if err != nil {
		return "", err
	}
	syncFolder(dir)
	syncFolder(filepath.Dir(from))
	return to, nil
}

// free is the name itself, or with the first number that makes it one that is not taken.
func free(to string) (string, error) {
	ext := filepath.Ext(to)
	stem := strings.TrimSuffix(to, ext)
	for n := 2; ; n++ {
		_, err := os.Lstat(to)
		if errors.Is(err, os.ErrNotExist) {
			return to, nil
		}
		if err != nil {
			return "", err
		}
		to = fmt.Sprintf("%s (%d)%s", stem, n, ext)
	}
}

// carry moves a file to another disk.
func carry(from, to string) error {
	src, size, err := open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	temp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".part")
	// Others may write to the share: what they put in the way is not written through.
	dst, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_RDWR|unix.O_NOFOLLOW, 0o640)
	if err != nil {
		return err
	}
	defer dst.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(dst, sum), src)
	if err == nil {
		err = dst.Sync()
	}
	if err != nil {
		return err
	}
	there, err := hash(dst)
	if err != nil {
		return err
	}
	again, err := hash(src)
	if err != nil {
		return err
	}
	if n != size || there != again || there != hex.EncodeToString(sum.Sum(nil)) {
		return errChanged
	}
	if info, err := src.Stat(); err == nil {
		_ = os.Chtimes(temp, time.Time{}, info.ModTime()) // only for show
	}
	if err := os.Rename(temp, to); err != nil {
		return err
	}
	syncFolder(filepath.Dir(to))
	return os.Remove(from)
}

// hash reads a file from its beginning.
func hash(f *os.File) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// reject moves an unusable recording out of the way, with a file beside it that says why.
func (w *watcher) reject(name, side, why string) error {
	to, err := w.move(name, w.Rejected)
	if err != nil {
		return err
	}
	if side != "" {
		_, _ = w.move(side, w.Rejected) // the recording is what counts
	}
	note, err := free(to + ".why.txt")
	if err != nil {
		return err
	}
	text := why + "\n\nVesper did not take this recording on " + w.Now().Format(time.DateTime) +
		". Mend it and put it back into the folder, or keep it here; nothing was deleted.\n"
	f, err := os.OpenFile(note, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
