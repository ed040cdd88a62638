package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vesper/internal/services"
	"vesper/internal/testkit"
)

const backupPassphrase = "a passphrase of a test"

var unlock = []string{"VESPER_BACKUP_PASSPHRASE=" + backupPassphrase}

// TestARestoreDrill saves an installation at work, restores it elsewhere, and goes on working there.
func TestARestoreDrill(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	i := up(t, dir, "--demo")
	file := filepath.Join(t.TempDir(), "night.vesper")

	// A dictation waits: it was received while the queue was away.
	var waiting string
	i.pause(i.pid("redis"), func() {
		r := i.submit(clip(t, 8), "--key", "before the backup")
		r.want(t, 0, "received")
		waiting = r.out
		run(t, unlock, "backup", "--data", dir, "--to", file).want(t, 0, "recordings")
	})
	run(t, unlock, "backup", "--data", dir, "--to", file).wantFault(t, "file_exists")
	run(t, unlock, "backup", "verify", file).want(t, 0, "Whole:")
	secretsAreLocked(t, file, dir)
	i.signal(syscall.SIGTERM)
	i.ends()

	refusesWhatItCannotRestore(t, file, dir)

	next := filepath.Join(filepath.Dir(dir), "restored")
	killedHalfWay(t, file, next)
	r := run(t, unlock, "restore", file, "--data", next)
	r.want(t, 0, "audit log   equal", "recordings  equal", "database    equal", "Verified.")
	if strings.Contains(r.out, "DIFFERS") {
		t.Errorf("differences:\n%s", r.out)
	}

	again := up(t, next, "--demo")
	if strings.Contains(again.out.String(), "Demo logins") {
		t.Error("the practice was made anew")
	}
	n := 0
	testkit.Until(t, 2*time.Minute, "everything that waited in the backup is drafted", func() bool {
		n = 0
		for _, state := range again.states() {
			if state == "failed" || state == "rejected" {
				t.Fatalf("a dictation is %s", state)
			}
			if state == "drafted" {
				n++
			}
		}
		return n == 2 && again.total() == 2
	})
	again.submit(clip(t, 8), "--key", "before the backup").want(t, 0, "received before")
	if waiting == "" {
		t.Error("nothing was received")
	}
	run(t, nil, "audit", "verify", "--data", next).want(t, 0, "The log is whole.")
	again.leftBehind()
}

// states are those of all dictations.
func (i *installation) states() (out []string) {
	i.t.Helper()
	var list struct {
		Items []struct {
			State string `json:"state"`
		} `json:"items"`
	}
	if err := i.as("sam").Do(i.t.Context(), "GET", "/api/v1/dictations?limit=100", nil, &list); err != nil {
		i.t.Fatal(err)
	}
	for _, d := range list.Items {
		out = append(out, d.State)
	}
	return out
}

// leftBehind lets a newer program change the schema under a running one, which then ends with plain words.
func (i *installation) leftBehind() {
	i.t.Helper()
	i.psql(`BEGIN; UPDATE schema_version SET version = version + 1; COMMIT`)
	run(i.t, nil, "doctor", "--data", i.dir).want(i.t, 0, "PostgreSQL") // a newer schema that it can work with
	i.psql(`BEGIN; ALTER TABLE jobs RENAME COLUMN worker TO done_by; UPDATE schema_compat SET oldest_program = (SELECT version FROM schema_version); COMMIT`)
	if code := i.ends(); code != 1 || !strings.Contains(i.log.String(), "(schema_new)") {
		i.t.Errorf("ended with %d:\n%s", code, tail(i.log.String()))
	}
}

// psql works on the installation's database as its superuser.
func (i *installation) psql(sql string) {
	i.t.Helper()
	stack, err := services.Attach(i.dir)
	if err != nil {
		i.t.Fatal(err)
	}
	p, err := services.FindPostgres(i.t.Context(), 0)
	if err != nil {
		i.t.Fatal(err)
	}
	url := strings.Replace(stack.PostgresURL(""), "/vesper?", "/vesper_main?", 1)
	out, err := exec.CommandContext(i.t.Context(), filepath.Join(filepath.Dir(p.Path), "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url).CombinedOutput()
	if err != nil {
		i.t.Fatalf("%v: %s", err, out)
	}
}

// secretsAreLocked looks for keys and names in the file.
func secretsAreLocked(t *testing.T, file, dir string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v, %v", info.Mode(), err)
	}
	raw := string(read(t, file))
	key := strings.TrimSpace(string(read(t, filepath.Join(dir, "secrets", "master_key"))))
	for _, word := range []string{key, "audio_objects", "Bennett", "DEMO-0001"} {
		if strings.Contains(raw, word) {
			t.Errorf("the backup can be read: it holds %.12s", word)
		}
	}
	if left, _ := filepath.Glob(file + "*"); len(left) != 1 {
		t.Errorf("beside the backup: %v", left)
	}
}

// refusesWhatItCannotRestore tries archives and folders that are not as they should be. Nothing may be left of them that
// looks restored.
func refusesWhatItCannotRestore(t *testing.T, file, used string) {
	t.Helper()
	whole := read(t, file)
	bad := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)-1000] ^= 1
	fresh := filepath.Join(filepath.Dir(used), "refused")

	run(t, []string{"VESPER_BACKUP_PASSPHRASE=another passphrase"}, "restore", file, "--data", fresh).wantFault(t, "backup_locked")
	run(t, unlock, "restore", bad("text", []byte("no backup at all")), "--data", fresh).wantFault(t, "backup_damaged")
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a backup that could not be opened left a folder")
	}
	run(t, unlock, "restore", file, "--data", used).wantFault(t, "folder_not_empty")

	for _, path := range []string{bad("cut", whole[:len(whole)-100]), bad("flipped", flipped)} {
		run(t, unlock, "backup", "verify", path).wantFault(t, "backup_damaged")
	}
	r := run(t, unlock, "restore", bad("cut", whole[:len(whole)-100]), "--data", fresh)
	r.want(t, 1, "(backup_damaged)")
	run(t, nil, "up", "--data", fresh, "--force").wantFault(t, "restore_unfinished")
}

// killedHalfWay kills a restore while it works; up must not take the folder, and the next restore begins anew.
func killedHalfWay(t *testing.T, file, dir string) {
	t.Helper()
	b := startWith(t, unlock, "restore", file, "--data", dir)
	testkit.Until(t, time.Minute, "the restore's database is made", func() bool {
		_, err := os.Stat(filepath.Join(dir, "postgres", "PG_VERSION"))
		return err == nil
	})
	b.signal(syscall.SIGKILL)
	b.ends()
	run(t, nil, "up", "--data", dir).wantFault(t, "restore_unfinished")
	testkit.Until(t, 30*time.Second, "its services end too", func() bool { return len(processesOf(t, dir)) == 0 })
}

// TestADamagedRecordingIsToldAndTheRestIsSaved damages stored objects before a backup and in a restored folder.
func TestABackupOfAStoppedInstallationNamesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	i := up(t, dir, "--demo")
	i.submit(clip(t, 3), "--key", "a").want(t, 0, "received")
	i.signal(syscall.SIGTERM)
	i.ends()
	file := filepath.Join(t.TempDir(), "b.vesper")
	run(t, unlock, "backup", "--data", dir, "--to", file).want(t, 0, "2 recordings") // starts the services for it
	if left := processesOf(t, dir); len(left) != 0 {
		t.Errorf("the backup leaves %v", left)
	}

	damageARecording(t, dir)
	second := filepath.Join(t.TempDir(), "damaged.vesper")
	run(t, unlock, "backup", "--data", dir, "--to", second).want(t, 1, "(backup_incomplete)", "damaged in the object store")
	run(t, unlock, "backup", "verify", second).want(t, 1, "(backup_incomplete)")
	next := filepath.Join(filepath.Dir(dir), "next")
	run(t, unlock, "restore", second, "--data", next).want(t, 0, "1 of 2 opened", "before the backup", "Verified.")
}

// damageARecording flips a byte of one stored object.
func damageARecording(t *testing.T, dir string) {
	t.Helper()
	var found string
	err := filepath.WalkDir(filepath.Join(dir, "s3", "objects", "vesper", "practice"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		t.Fatalf("no object below %s: %v", dir, err)
	}
	f, err := os.OpenFile(found, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, 100); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, 100); err != nil {
		t.Fatal(err)
	}
}
