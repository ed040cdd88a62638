package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"vesper/internal/fault"
)

// markFile stands in a folder from the first moment of a restoration until it was checked.
const markFile = "restore.json"

// The states of a restoration that is not through.
const (
	running = "running" // or killed
	differs = "differs" // finished, but not what was saved
)

// Mark is a folder that a restoration has for itself.
type Mark struct {
	dir  string
	file *os.File
}

type mark struct {
	State string    `json:"state"`
	At    time.Time `json:"at"`
	Why   string    `json:"why,omitempty"`
}

// Claim takes an empty or new folder. What a restoration that was killed left in it is removed first: nothing can have
// worked there since (see Blocked).
func Claim(dir string) (*Mark, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, folderFault(err)
	}
	names, err := contents(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, markFile)
	if len(names) > 0 {
		if state := stateOf(path); state != running {
			return nil, notEmpty(dir, state)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, folderFault(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fault.New(fault.Conflict, "restore_running", "Another restore works in "+dir+" at this moment.")
	}
	m := &Mark{dir, f}
	if err := m.write(mark{State: running, At: time.Now().UTC()}); err != nil {
		_ = f.Close()
		return nil, err
	}
	return m, m.clear(names)
}

func notEmpty(dir, state string) error {
	if state == differs {
		return fault.New(fault.Conflict, "folder_not_empty", "The folder "+dir+" holds a restored installation whose check found differences. Choose a new folder, or remove this one first.")
	}
	return fault.New(fault.Conflict, "folder_not_empty", "The folder "+dir+" is not empty. A backup is restored into a new or empty folder only; choose another with --data.")
}

func contents(dir string) (names []string, err error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, folderFault(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, nil
}

// clear removes what a killed restoration left. Its services end with it, but may still write for a moment.
func (m *Mark) clear(names []string) error {
	for _, name := range names {
		if name == markFile {
			continue
		}
		path, err := filepath.Join(m.dir, name), error(nil)
		for range 20 {
			if err = os.RemoveAll(path); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if err != nil {
			return folderFault(err)
		}
	}
	return nil
}

func (m *Mark) write(v mark) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode mark: %w", err)
	}
	if err := m.file.Truncate(0); err != nil {
		return folderFault(err)
	}
	if _, err := m.file.WriteAt(append(text, '\n'), 0); err != nil {
		return folderFault(err)
	}
	if err := m.file.Sync(); err != nil {
		return folderFault(err)
	}
	return nil
}

// Differs leaves the folder marked: the check found something.
func (m *Mark) Differs(why string) error {
	return errors.Join(m.write(mark{State: differs, At: time.Now().UTC(), Why: why}), m.file.Close())
}

// Release takes the mark away: all is there and equal, or nothing was begun.
func (m *Mark) Release() error {
	if err := os.Remove(filepath.Join(m.dir, markFile)); err != nil {
		return folderFault(err)
	}
	return m.file.Close()
}

// Leave lets go of a folder whose restoration did not end well; the mark stays. After Differs and Release it does nothing.
func (m *Mark) Leave() { _ = m.file.Close() }

func stateOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	var v mark
	if json.Unmarshal(text, &v) != nil || v.State != differs {
		return running // also when it was killed while writing the mark itself
	}
	return v.State
}

// Blocked refuses a folder whose restoration was not completed, and one whose check found differences unless force is given.
func Blocked(dir string, force bool) error {
	switch stateOf(filepath.Join(dir, markFile)) {
	case running:
		return fault.New(fault.Conflict, "restore_unfinished", "A restore into this folder was not completed. Run vesper restore again with the same folder: it begins anew.")
	case differs:
		if !force {
			return fault.New(fault.Conflict, "restore_differs", "What was restored into this folder is not all that was saved. Restore another backup into a new folder, or start with --force to work with what is there.")
		}
	}
	return nil
}

// putFile writes a small file of the archive below dir. Only what a backup saves is taken, and nothing outside.
func putFile(dir, path string, content []byte) error {
	top, _, _ := strings.Cut(path, "/")
	if !filepath.IsLocal(path) || !slices.Contains(savedFolders, top) || top == path {
		return damaged(fmt.Errorf("a file that no backup saves"))
	}
	to := filepath.Join(dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return folderFault(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return folderFault(err)
	}
	return nil
}

// savedFolders are what is saved of a data folder beside database and objects: keys, passwords, and what the practice made.
var savedFolders = []string{"secrets", "vocabulary", "templates"}

// Files reads what is saved of a data folder.
func Files(dir string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, top := range savedFolders {
		if err := AddFolder(out, top, filepath.Join(dir, top)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddFolder adds the regular files below a folder to files, under the name top; a folder that is not there has none.
func AddFolder(files map[string][]byte, top, dir string) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Size() > maxSmall {
			return fault.New(fault.TooLarge, "backup_file_large", "The file "+path+" is too large to be one of the practice's own lists. Move it elsewhere.")
		}
		files[top+"/"+filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return folderFault(err)
	}
	return nil
}

func folderFault(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	if full(err) {
		return diskFull(err)
	}
	return fault.Wrap(fmt.Errorf("data folder: %w", err), fault.Unavailable, "data_folder_unwritable", "The data folder cannot be read or written. Check its owner and permissions, or choose another with --data.")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
