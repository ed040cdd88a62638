package main_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"vesper/internal/audit"
	"vesper/internal/backup"
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
	night := filepath.Join(t.TempDir(), "night.vesper")
	public, private := keyPair(t)
	save := func(args ...string) []string {
		return append([]string{"backup", "--data", dir, "--to", night, "--recipient", public}, args...)
	}
	i.pause(i.pid("s3"), func() { // killed half-way: it cannot be done while the store sleeps
		b := start(t, save()...)
		testkit.Until(t, time.Minute, "a backup is being written", func() bool { _, err := os.Stat(night + ".partial"); return err == nil })
		b.signal(syscall.SIGKILL)
		b.ends()
	})
	if _, err := os.Stat(night); err == nil {
		t.Error("a backup that was killed looks finished")
	}

	// A dictation waits: it was received while the queue was away.
	i.pause(i.pid("redis"), func() {
		i.submit(clip(t, 8), "--key", "before the backup", "--stat").want(t, 0, "received")
		run(t, nil, save()...).want(t, 0, "recordings")
	})
	run(t, nil, save()...).wantFault(t, "file_exists")
	run(t, nil, "backup", "verify", night, "--identity", private).want(t, 0, "Whole:")
	secretsAreLocked(t, night, dir)
	i.savedByItsAddresses(public, private)
	i.signal(syscall.SIGTERM)
	i.ends()

	refusesWhatItCannotRestore(t, night, private, dir)

	next := filepath.Join(filepath.Dir(dir), "restored")
	killedHalfWay(t, night, private, next)
	r := run(t, nil, "restore", night, "--data", next, "--identity", private)
	r.want(t, 0, "audit log   equal", "recordings  equal", "database    equal", "Verified.")
	if strings.Contains(r.out, "DIFFERS") {
		t.Errorf("differences:\n%s", r.out)
	}

	again := up(t, next, "--demo")
	if strings.Contains(again.out.String(), "Demo logins") {
		t.Error("the practice was made anew")
	}
	again.drafts(again.idOf(clip(t, 8), "before the backup")) // it waited in the backup, and goes before the sample
	if n := again.total(); n != 2 {
		t.Errorf("%d dictations after the restore", n)
	}
	run(t, nil, "audit", "verify", "--data", next).want(t, 0, "The log is whole.")
	again.leftBehind()
}

// savedByItsAddresses makes a backup as of services elsewhere, which knows no data folder.
func (i *installation) savedByItsAddresses(public, private string) {
	i.t.Helper()
	stack, err := services.Attach(i.dir)
	if err != nil {
		i.t.Fatal(err)
	}
	s3, secret := stack.S3(), func(name string) string { return filepath.Join(i.dir, "secrets", name) }
	to := filepath.Join(i.t.TempDir(), "elsewhere.vesper")
	args := []string{
		"backup", "--to", to, "--recipient", public, "--data", "/nowhere",
		"--admin-url", i.database(), "--s3-endpoint", s3.Endpoint, "--s3-access-key", s3.AccessKey, "--s3-secret-key", s3.SecretKey.Reveal(),
		"--master-key-file", secret("master_key"), "--audit-key-file", secret("audit_signing_key"),
	}
	run(i.t, nil, args...).wantFault(i.t, "config_missing")
	run(i.t, nil, append(args, "--audit-public-key", secret("audit_public_key"))...).want(i.t, 0, "recordings")
	run(i.t, nil, "backup", "verify", to, "--identity", private).want(i.t, 0, "Whole:")
}

// database is the address of the installation's database, as its superuser.
func (i *installation) database() string {
	i.t.Helper()
	stack, err := services.Attach(i.dir)
	if err != nil {
		i.t.Fatal(err)
	}
	return strings.Replace(stack.PostgresURL(""), "/vesper?", "/vesper_main?", 1)
}

// idOf is the dictation that was received under a key, as the same recording sent again is told.
func (i *installation) idOf(path, key string) string {
	i.t.Helper()
	r := i.submit(path, "--key", key)
	r.want(i.t, 0, "received before")
	for word := range strings.FieldsSeq(r.out) {
		if id, err := uuid.Parse(strings.Trim(word, ".,:()")); err == nil {
			return id.String()
		}
	}
	i.t.Fatalf("no id in %q", r.out)
	return ""
}

// leftBehind lets a newer program change the schema under a running one, which then ends with plain words.
func (i *installation) leftBehind() {
	i.t.Helper()
	i.psql(`BEGIN; UPDATE schema_version SET version = version + 1; COMMIT`)
	run(i.t, nil, "doctor", "--data", i.dir).want(i.t, 0, "PostgreSQL") // a newer schema that it can work with
	i.submit(clip(i.t, 6), "--key", "under a newer schema").want(i.t, 0, "received")
	i.psql(`BEGIN; ALTER TABLE jobs RENAME COLUMN worker TO done_by; UPDATE schema_compat SET oldest_program = (SELECT version FROM schema_version); COMMIT`)
	if code := i.ends(); code != 1 || !strings.Contains(i.log.String(), "(schema_new)") {
		i.t.Errorf("ended with %d:\n%s", code, tail(i.log.String()))
	}
}

// psql works on the installation's database as its superuser.
func (i *installation) psql(sql string) {
	i.t.Helper()
	p, err := services.FindPostgres(i.t.Context(), 0)
	if err != nil {
		i.t.Fatal(err)
	}
	out, err := exec.CommandContext(i.t.Context(), filepath.Join(filepath.Dir(p.Path), "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, i.database()).CombinedOutput()
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
func refusesWhatItCannotRestore(t *testing.T, file, private, used string) {
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
	run(t, nil, "restore", bad("text", []byte("no backup at all")), "--data", fresh, "--identity", private).wantFault(t, "backup_damaged")
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a backup that could not be opened left a folder")
	}
	run(t, nil, "restore", file, "--data", used, "--identity", private).wantFault(t, "folder_not_empty")

	for _, path := range []string{bad("cut", whole[:len(whole)-100]), bad("flipped", flipped)} {
		run(t, nil, "backup", "verify", path, "--identity", private).wantFault(t, "backup_damaged")
	}
	r := run(t, nil, "restore", bad("cut", whole[:len(whole)-100]), "--data", fresh, "--identity", private)
	r.want(t, 1, "(backup_damaged)")
	run(t, nil, "up", "--data", fresh, "--force").wantFault(t, "restore_unfinished")
}

// killedHalfWay kills a restore while it works; up must not take the folder, and the next restore begins anew.
func killedHalfWay(t *testing.T, file, private, dir string) {
	t.Helper()
	b := start(t, "restore", file, "--data", dir, "--identity", private)
	testkit.Until(t, time.Minute, "the restore's database is made", func() bool {
		_, err := os.Stat(filepath.Join(dir, "postgres", "PG_VERSION"))
		return err == nil
	})
	b.signal(syscall.SIGKILL)
	b.ends()
	run(t, nil, "up", "--data", dir).wantFault(t, "restore_unfinished")
	testkit.Until(t, 30*time.Second, "its services end too", func() bool { return len(processesOf(t, dir)) == 0 })
}

// keyPair is an age key as age-keygen makes it.
func keyPair(t *testing.T) (public, private string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String(), file(t, "key.txt", id.String()+"\n")
}

func TestABackupOfAStoppedInstallationNamesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	i := up(t, dir, "--demo")
	i.submit(clip(t, 3), "--key", "a").want(t, 0, "received")
	i.signal(syscall.SIGTERM)
	i.ends()
	saved := filepath.Join(t.TempDir(), "b.vesper")
	run(t, unlock, "backup", "--data", dir, "--to", saved).want(t, 0, "2 recordings") // starts the services for it
	run(t, unlock, "backup", "verify", saved).want(t, 0, "Whole:")
	if left := processesOf(t, dir); len(left) != 0 {
		t.Errorf("the backup leaves %v", left)
	}

	if disk := newCramped(t); disk.mounted {
		disk.fill(150)
		run(t, unlock, "restore", saved, "--data", disk.dir).wantFault(t, "disk_full")
		if left, err := os.ReadDir(disk.dir); err != nil || len(left) > 0 {
			t.Errorf("without space it began: %v %v", left, err)
		}
	}

	damageARecording(t, dir)
	public, private := keyPair(t)
	second := filepath.Join(t.TempDir(), "damaged.vesper")
	run(t, nil, "backup", "--data", dir, "--to", second, "--recipient", public).want(t, 1, "(backup_incomplete)", "damaged in the object store")
	run(t, nil, "backup", "verify", second, "--identity", private).want(t, 1, "(backup_incomplete)")
	next := filepath.Join(filepath.Dir(dir), "next")
	run(t, nil, "restore", second, "--data", next, "--identity", private).want(t, 0, "1 of 2 opened", "before the backup", "Verified.")

	// An archive that says something else than it holds, and one of a later day.
	forged := rewritten(t, second, public, private, func(h *backup.Header) { h.Tables["people"]++ })
	other := filepath.Join(filepath.Dir(dir), "other")
	run(t, nil, "restore", forged, "--data", other, "--identity", private).want(t, 1, "(restore_differs)", "DIFFERS", "the table people has")
	run(t, nil, "up", "--data", other).wantFault(t, "restore_differs")
	newer := rewritten(t, second, public, private, func(h *backup.Header) { h.Schema = 999 })
	run(t, nil, "restore", newer, "--data", filepath.Join(filepath.Dir(dir), "never"), "--identity", private).wantFault(t, "schema_new")
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "never")); err == nil {
		t.Error("a backup that is too new left a folder")
	}
}

// rewritten is the archive with another header, otherwise whole.
func rewritten(t *testing.T, path, public, private string, change func(*backup.Header)) string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := backup.IdentityKey(private)
	must(err)
	lock, err := backup.RecipientLock([]string{public})
	must(err)
	r, err := backup.NewReader(t.Context(), bytes.NewReader(read(t, path)), key)
	must(err)
	h := r.Header()
	change(&h)
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, lock, h)
	must(err)
	dump := w.Dump()
	_, err = r.Each(func(m backup.Member) error {
		body, err := io.ReadAll(m)
		must(err)
		dir, name, _ := strings.Cut(m.Name, "/")
		if dir != "files" && dir != "database" {
			must(dump.Close())
		}
		switch dir {
		case "files":
			return w.AddFile(name, body)
		case "database":
			_, err := dump.Write(body)
			return err
		case "objects":
			_, err := w.AddRecording(*m.Recording, m.Size, bytes.NewReader(body))
			return err
		default:
			size, err := audit.SizeOf(body)
			must(err)
			return w.AddCheckpoint(size, body)
		}
	})
	must(err)
	_, err = w.Close()
	must(err)
	return file(t, "rewritten.vesper", out.String())
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
