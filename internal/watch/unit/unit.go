// Package unit writes the file by which systemd (Linux) or launchd (macOS) keeps `vesper watch` running, and removes it
// again. It runs no command of either: what to run next is told, because it changes the machine.
package unit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"vesper/internal/fault"
)

// Spec is a watcher as a service.
type Spec struct {
	Program string   // this binary, by its whole path
	Args    []string // flags of vesper watch, without the folder
	Dir     string   // the folder, by its whole path
	Writes  []string // other folders that it writes to

	PasswordFile string // whole path; readable by its owner only
	User         bool   // for whoever installs it, not for the machine
	RunAs        string // account of a service of the machine
	Home         string // of whoever installs it
	Config       string // XDG_CONFIG_HOME; empty: HOME/.config
}

// marker is in every file that this package writes, and no other is ever replaced or removed.
const marker = "Written by vesper watch as its service"

// Manager is systemd or launchd.
type Manager interface {
	Path(s Spec) string
	File(s Spec) []byte
	Next(s Spec) []string // commands that start it
	Stop(s Spec) []string // commands that stop it, before its file goes
}

// For returns the service manager of an operating system, by the name that Go has for it.
func For(goos string) (Manager, error) {
	switch goos {
	case "linux":
		return Systemd{}, nil
	case "darwin":
		return Launchd{}, nil
	default:
		return nil, fault.New(fault.Unsupported, "service_manager_unknown", "There is neither systemd nor launchd here. Start vesper watch with what your system has for services.")
	}
}

// Name is that of the service: the same folder always has the same one.
func (s Spec) Name() string {
	sum := sha256.Sum256([]byte(s.Dir))
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return '-'
		}
	}, filepath.Base(s.Dir))
	return "vesper-watch-" + strings.Trim(slug[:min(len(slug), 30)], "-") + "-" + hex.EncodeToString(sum[:3])
}

// Install writes the file, over an earlier one of its own only.
func Install(m Manager, s Spec) error {
	path := m.Path(s)
	if err := check(s); err != nil {
		return err
	}
	if err := mayReplace(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return unwritable(err)
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, m.File(s), 0o644); err != nil { // it holds no secret
		return unwritable(err)
	}
	if err := os.Rename(temp, path); err != nil {
		return unwritable(err)
	}
	return nil
}

// Uninstall removes the file if it is one of ours.
func Uninstall(m Manager, s Spec) error {
	path := m.Path(s)
	if err := mayReplace(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.NotFound, "service_absent", "No service is installed for this folder at "+path+".")
		}
		return err
	}
	if err := os.Remove(path); err != nil {
		return unwritable(err)
	}
	return nil
}

func mayReplace(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(raw, []byte(marker)) {
		return fault.New(fault.Conflict, "service_foreign", "The file "+path+" was not written by this program, so it is left alone.")
	}
	return nil
}

func unwritable(err error) error {
	return fault.Wrap(err, fault.Invalid, "service_unwritable", "The service's file cannot be written. Run this as root for the machine, or with --user for yourself.")
}

// check refuses what no service manager would survive.
func check(s Spec) error {
	for _, v := range append([]string{s.Program, s.Dir, s.PasswordFile, s.RunAs}, append(s.Args, s.Writes...)...) {
		if strings.ContainsAny(v, "\n\r\x00") {
			return fault.New(fault.Invalid, "service_name", "A path or setting with a line break in it cannot be written into a service's file.")
		}
	}
	if !s.User && (s.RunAs == "" || s.RunAs == "root") {
		return fault.New(fault.Invalid, "service_account", "The folder belongs to root. Name the account that shall run the service with --run-as; it must be able to write to the folder.")
	}
	return nil
}

// Owner is the account that a folder belongs to.
func Owner(dir string) string {
	info, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	u, err := user.LookupId(strconv.FormatUint(uint64(st.Uid), 10))
	if err != nil {
		return ""
	}
	return u.Username
}
