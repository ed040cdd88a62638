package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"golang.org/x/term"

	"vesper/internal/backup"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
)

// backupCmd saves an installation.
type backupCmd struct {
	Make   backupMakeCmd   `cmd:"" default:"withargs" help:"Write database, recordings, keys and audit checkpoints into one encrypted file."`
	Verify backupVerifyCmd `cmd:"" help:"Read a backup whole and compare every part with its hash; restores nothing."`
}

type backupMakeCmd struct {
	serviceFlags
	Data      string   `help:"Data folder of vesper up, running or not; instead of the addresses." default:"./data" placeholder:"DIR"`
	AdminURL  string   `help:"PostgreSQL elsewhere, with the database's name, as a superuser or a role with BYPASSRLS." placeholder:"URL"`
	To        string   `help:"File to write; it must not be there yet." required:"" placeholder:"FILE"`
	Recipient []string `help:"age public key (age1…) that can open the file; instead of a passphrase." placeholder:"KEY"`
}

// Run takes the snapshot, writes the file, and gives it its name when it is whole.
func (c *backupMakeCmd) Run(rt *runtime) error {
	if err := backup.Blocked(c.Data, true); c.AdminURL == "" && err != nil {
		return err
	}
	lock, err := c.lock(rt)
	if err != nil {
		return err
	}
	file, err := backup.Create(c.To)
	if err != nil {
		return err
	}
	defer file.Discard()
	adminURL, flags, stop, err := c.source(rt)
	if err != nil {
		return err
	}
	defer stop()
	manifest, err := c.save(rt, file, lock, adminURL, flags)
	if err != nil {
		return err
	}
	if err := file.Finish(); err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "%s: %d recordings, %d checkpoints, %s\n", c.To, manifest.Recordings, manifest.Checkpoints, megabytes(manifest.Bytes))
	return reportDamage(rt, manifest)
}

// reportDamage fails when recordings were not whole when they were saved: all else is in the file.
func reportDamage(rt *runtime, m backup.Manifest) error {
	if n := len(m.Purged); n > 0 {
		fmt.Fprintf(rt.out, "  %s purged while the backup was made, and left out\n", times(n, "recording"))
	}
	for _, d := range m.Damaged {
		fmt.Fprintf(rt.out, "  ! recording %s: %s\n", d.ID, d.What)
	}
	if n := len(m.Damaged); n > 0 {
		return fault.New(fault.Conflict, "backup_incomplete", fmt.Sprintf("%d recordings were missing or damaged before this backup. Everything else is in the file; find those in an older backup.", n))
	}
	return nil
}

func (c *backupMakeCmd) lock(rt *runtime) (backup.Lock, error) {
	if len(c.Recipient) > 0 {
		return backup.RecipientLock(c.Recipient)
	}
	pass, err := passphrase(rt, true)
	if err != nil {
		return backup.Lock{}, err
	}
	return backup.PassphraseLock(pass)
}

// passphrase comes from the environment or the terminal, where a new one is asked for twice.
func passphrase(rt *runtime, isNew bool) (string, error) {
	if p := os.Getenv("VESPER_BACKUP_PASSPHRASE"); p != "" {
		return p, nil
	}
	p, err := askPassword(rt, "Passphrase of the backup: ")
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "passphrase_missing", "Give the passphrase on the terminal, on standard input or in VESPER_BACKUP_PASSPHRASE.")
	}
	if f, ok := rt.in.(*os.File); isNew && ok && term.IsTerminal(int(f.Fd())) {
		again, err := askPassword(rt, "The same again: ")
		if err != nil {
			return "", err
		}
		if again != p {
			return "", fault.New(fault.Invalid, "passphrase_differs", "The two passphrases differ. Nothing was written.")
		}
	}
	return p, nil
}

// source finds the services: those given by flags, those of a running vesper up, or those of a data folder, which are
// started for the time of the backup.
func (c *backupMakeCmd) source(rt *runtime) (adminURL string, flags serviceFlags, stop func(), err error) {
	stop = func() {}
	if c.AdminURL != "" {
		err := need(map[string]string{
			"s3-endpoint": c.S3Endpoint, "s3-access-key": c.S3AccessKey, "s3-secret-key": c.S3SecretKey, "master-key-file": c.MasterKeyFile,
			"audit-public-key": c.AuditPublicKey, "audit-key-file": c.AuditKeyFile,
		})
		return c.AdminURL, c.serviceFlags, stop, err
	}
	if _, err := os.Stat(filepath.Join(c.Data, "secrets")); err != nil {
		return "", flags, stop, fault.New(fault.Invalid, "data_folder_missing", "There is no installation in "+c.Data+". Give its folder with --data, or addresses of services elsewhere.")
	}
	var stack *services.Stack
	if _, running := services.Running(c.Data); running {
		stack, err = services.Attach(c.Data)
	} else {
		stack, stop, err = private(rt, c.Data)
	}
	if err != nil {
		return "", flags, func() {}, err
	}
	adminURL, flags, err = ofStack(stack)
	return adminURL, flags, stop, err
}

// private starts database and object store of a folder for a while; nobody else is told of them.
func private(rt *runtime, dir string) (*services.Stack, func(), error) {
	stack, err := services.Up(rt.ctx, services.Config{Dir: dir, Log: rt.log, AnyPort: true, Only: []string{services.Postgres, services.S3Store}})
	if err != nil {
		return nil, func() {}, err
	}
	return stack, func() {
		closeQuietly(context.WithoutCancel(rt.ctx), rt, "stop services", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return stack.Stop(ctx)
		})
	}, nil
}

func ofStack(stack *services.Stack) (string, serviceFlags, error) {
	logins, err := localLogins(stack)
	if err != nil {
		return "", serviceFlags{}, err
	}
	keys, err := prepareKeys(stack.Dir())
	return logins.Owner, localServices(stack, keys), err
}

func (c *backupMakeCmd) save(rt *runtime, out io.Writer, lock backup.Lock, adminURL string, flags serviceFlags) (backup.Manifest, error) {
	whole, err := postgres.OpenWhole(rt.ctx, adminURL)
	if err != nil {
		return backup.Manifest{}, err
	}
	defer whole.Close(rt.ctx)
	store, err := openObjects(rt.ctx, flags)
	if err != nil {
		return backup.Manifest{}, err
	}
	program, err := services.FindPostgres(rt.ctx, 0)
	if err != nil {
		return backup.Manifest{}, err
	}
	name, err := whole.Freeze(rt.ctx)
	if err != nil {
		return backup.Manifest{}, err
	}
	header, err := headerOf(rt.ctx, whole)
	if err != nil {
		return backup.Manifest{}, err
	}
	if header.Postgres > program.Major {
		return backup.Manifest{}, fault.New(fault.Unavailable, "postgres_too_old", fmt.Sprintf(
			"The database is PostgreSQL %d, but the installed pg_dump is of %d. Install the client programs of PostgreSQL %d.", header.Postgres, program.Major, header.Postgres))
	}
	files, err := c.files(rt, flags)
	if err != nil {
		return backup.Manifest{}, err
	}
	say, end := progressOf(rt)
	defer end()
	return backup.Make(rt.ctx, out, lock, backup.Source{
		Header: header, Files: files, Objects: shelf{store}, Snapshot: frozen{whole, name, filepath.Dir(program.Path)}, Purged: whole.Purged, Progress: say,
	})
}

func headerOf(ctx context.Context, whole *postgres.Whole) (h backup.Header, err error) {
	h.Program, h.At = version, time.Now()
	if h.Schema, h.Postgres, err = whole.Versions(ctx); err != nil {
		return h, err
	}
	if h.Schema > postgres.KnownSchema() {
		return h, fault.New(fault.Invalid, "schema_new", fmt.Sprintf("The database's schema is version %d, this program knows %d. Make the backup with the newer Vesper.", h.Schema, postgres.KnownSchema()))
	}
	if h.Tables, err = whole.Tables(ctx); err != nil {
		return h, err
	}
	size, root, signed, err := whole.LastCheckpoint(ctx)
	if err == nil && size > 0 {
		h.Checkpoint = &backup.Checkpoint{Size: size, Root: base64.StdEncoding.EncodeToString(root), Signed: string(signed)}
	}
	return h, err
}

// files are keys and the practice's own lists. Of an installation elsewhere they are put where vesper up looks for them.
func (c *backupMakeCmd) files(rt *runtime, flags serviceFlags) (map[string][]byte, error) {
	files := map[string][]byte{}
	if c.AdminURL == "" {
		var err error
		if files, err = backup.Files(c.Data); err != nil {
			return nil, err
		}
	} else {
		master, err := readKey(flags.MasterKeyFile)
		if err != nil {
			return nil, err
		}
		secret, err := readKey(flags.AuditKeyFile)
		if err != nil {
			return nil, err
		}
		files["secrets/master_key"], files["secrets/audit_signing_key"] = []byte(master), []byte(secret)
		files["secrets/audit_public_key"] = []byte(textOrFile(flags.AuditPublicKey))
	}
	if rt.templatesDir != "" {
		if err := backup.AddFolder(files, "templates", rt.templatesDir); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// frozen is the database's snapshot in the words of package backup.
type frozen struct {
	whole     *postgres.Whole
	name, bin string
}

// Dump implements backup.Snapshot.
func (f frozen) Dump(ctx context.Context, to io.Writer) error {
	return f.whole.Dump(ctx, f.bin, f.name, to)
}

// Recordings implements backup.Snapshot.
func (f frozen) Recordings(ctx context.Context, fn func(uuid.UUID, string, string) error) error {
	return f.whole.EachRecording(ctx, func(a pipeline.Audio) error { return fn(a.ID, a.Key, a.VersionID) })
}

// shelf is the object store in the words of package backup.
type shelf struct{ store *objects.Store }

// Open implements backup.Objects.
func (s shelf) Open(ctx context.Context, key, version string) (backup.Object, error) {
	raw, err := s.store.OpenRaw(ctx, key, version)
	return backup.Object{ReadCloser: raw.ReadCloser, Size: raw.Size, Metadata: raw.Metadata, SHA256: raw.CipherSHA256}, err
}

// Checkpoints implements backup.Objects.
func (s shelf) Checkpoints(ctx context.Context, upTo int64, fn func(int64, []byte) error) error {
	return s.store.WalkCheckpoints(ctx, upTo, fn)
}

type backupVerifyCmd struct {
	Identity string `help:"File of age secret keys, when the backup was made for a --recipient." placeholder:"FILE"`
	File     string `arg:"" help:"The backup."`
}

// Run reads the file to its end.
func (c *backupVerifyCmd) Run(rt *runtime) error {
	f, r, err := openBackup(rt, c.File, c.Identity)
	if err != nil {
		return err
	}
	defer f.Close()
	printHeader(rt, r.Header())
	say, end := progressOf(rt)
	var count, bytes int64
	manifest, err := r.Each(func(m backup.Member) error {
		count, bytes = count+1, bytes+m.Size
		say("parts", count, bytes)
		return nil
	})
	end()
	if err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "Whole: %d parts, %s, %d recordings, %d checkpoints.\n", manifest.Members, megabytes(manifest.Bytes), manifest.Recordings, manifest.Checkpoints)
	return reportDamage(rt, manifest)
}

func openBackup(rt *runtime, path, identity string) (*os.File, *backup.Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "file_unreadable", "The backup cannot be opened. Check its name and that you may read it.")
	}
	key, err := keyOf(rt, identity)
	if err == nil {
		var r *backup.Reader
		if r, err = backup.NewReader(rt.ctx, f, key); err == nil {
			return f, r, nil
		}
	}
	_ = f.Close()
	return nil, nil, err
}

func keyOf(rt *runtime, identity string) (backup.Key, error) {
	if identity != "" {
		return backup.IdentityKey(identity)
	}
	pass, err := passphrase(rt, false)
	if err != nil {
		return backup.Key{}, err
	}
	return backup.PassphraseKey(pass)
}

func printHeader(rt *runtime, h backup.Header) {
	fmt.Fprintf(rt.out, "Backup of %s by Vesper %s, schema %d, PostgreSQL %d.\n", h.At.Format(time.RFC3339), h.Program, h.Schema, h.Postgres)
	if h.Checkpoint != nil {
		fmt.Fprintf(rt.out, "Audit log: %d events, root %s.\n", h.Checkpoint.Size, h.Checkpoint.Root)
	}
}

// progressOf shows how much of what went through, and at the end how far it came.
func progressOf(rt *runtime) (say func(what string, count, bytes int64), end func()) {
	show, last := statusLine(rt), ""
	say = func(what string, count, bytes int64) {
		last = fmt.Sprintf("%s: %d, %s", what, count, megabytes(bytes))
		if count == 0 {
			last = fmt.Sprintf("%s: %s", what, megabytes(bytes))
		}
		show(last, false)
	}
	return say, func() {
		if last != "" {
			show(last, true)
		}
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
