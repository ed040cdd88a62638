package backup_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"vesper/internal/audit"
	"vesper/internal/backup"
)

// record is an audit log of n events with its signed checkpoint.
func record(t *testing.T, skey string, n int64) ([]audit.Entry, *backup.Checkpoint) {
	t.Helper()
	hashes := map[int64]tlog.Hash{}
	reader := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	var entries []audit.Entry
	for i := range n {
		e := audit.Event{ID: uuid.New(), PracticeID: uuid.New(), At: time.Now(), ActorRole: "system", Action: "x", Subject: "y", Outcome: "done"}
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		stored, err := tlog.StoredHashesForRecordHash(i, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		for j, h := range stored {
			hashes[tlog.StoredHashIndex(0, i)+int64(j)] = h
		}
		entries = append(entries, audit.Entry{Seq: i, Leaf: leaf, Event: e})
	}
	root, err := tlog.TreeHash(n, reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := audit.Checkpoint{Size: n, Root: root}.Sign(skey)
	if err != nil {
		t.Fatal(err)
	}
	return entries, &backup.Checkpoint{Size: n, Root: base64.StdEncoding.EncodeToString(root[:]), Signed: string(signed)}
}

func TestAFileGetsItsNameOnlyWhenItIsWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b")
	if err := os.WriteFile(path+".partial", []byte("of a backup that was killed"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := backup.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Create(path)
	wantCode(t, err, "backup_running")
	if _, err := f.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a file has the name")
	}
	if err := f.Finish(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	raw, err := os.ReadFile(path)
	if info, _ := os.Stat(path); err != nil || string(raw) != "new" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q %v", raw, err)
	}
	_, err = backup.Create(path)
	wantCode(t, err, "file_exists")

	given, err := backup.Create(path + "2")
	if err != nil {
		t.Fatal(err)
	}
	given.Discard()
	if left, _ := filepath.Glob(path + "2*"); len(left) > 0 {
		t.Errorf("a discarded backup leaves %v", left)
	}
	_, err = backup.Create(filepath.Join(path, "below a file"))
	wantCode(t, err, "backup_unwritable")
}

func TestOnlyAnEmptyFolderIsRestoredInto(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	blocked := func(code string, force bool) {
		t.Helper()
		if err := backup.Blocked(dir, force); code != "" {
			wantCode(t, err, code)
		} else if err != nil {
			t.Error(err)
		}
	}
	blocked("", false)
	m, err := backup.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Claim(dir)
	wantCode(t, err, "restore_running")
	blocked("restore_unfinished", true)
	if err := os.MkdirAll(filepath.Join(dir, "postgres", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.Leave() // as when it is killed

	m, err = backup.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
		t.Error("what a killed restore left is still there")
	}
	if err := m.Differs("x"); err != nil {
		t.Fatal(err)
	}
	blocked("restore_differs", false)
	blocked("", true)
	_, err = backup.Claim(dir)
	wantCode(t, err, "folder_not_empty")

	dir = filepath.Join(t.TempDir(), "other")
	if m, err = backup.Claim(dir); err != nil {
		t.Fatal(err)
	}
	if err := m.Release(); err != nil {
		t.Fatal(err)
	}
	blocked("", false)
	if err := os.WriteFile(filepath.Join(dir, "kept"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = backup.Claim(dir)
	wantCode(t, err, "folder_not_empty")
	if _, err := os.Stat(filepath.Join(dir, "kept")); err != nil {
		t.Error("a folder in use was touched")
	}
}
