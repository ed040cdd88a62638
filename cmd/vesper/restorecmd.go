package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"vesper/internal/backup"
	"vesper/internal/fault"
	"vesper/internal/services"
	"vesper/pipeline"
	"vesper/storage/objects"
	"vesper/storage/postgres"
)

// restoreCmd brings a backup into an empty folder and checks what it brought.
type restoreCmd struct {
	Data     string `help:"New or empty data folder." required:"" placeholder:"DIR"`
	Identity string `help:"File of age secret keys, when the backup was made for a --recipient." placeholder:"FILE"`
	File     string `arg:"" help:"The backup."`
}

// Run restores, compares everything with the backup, and only then lets vesper up have the folder.
func (c *restoreCmd) Run(rt *runtime) error {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	f, r, err := openBackup(rt, c.File, c.Identity)
	if err != nil {
		return err
	}
	defer f.Close()
	header := r.Header()
	printHeader(rt, header)
	program, err := services.FindPostgres(rt.ctx, 0)
	if err != nil {
		return err
	}
	if err := header.Fits(postgres.KnownSchema(), program.Major); err != nil {
		return err
	}
	if _, running := services.Running(dir); running {
		return fault.New(fault.Conflict, "folder_not_empty", "A Vesper runs in "+dir+". A backup is restored into a new or empty folder only; choose another with --data.")
	}
	mark, err := backup.Claim(dir)
	if err != nil {
		return err
	}
	defer mark.Leave()
	if err := enoughSpace(dir, f); err != nil {
		return errors.Join(err, mark.Release())
	}
	x := &restoration{rt: rt, dir: dir, bin: filepath.Dir(program.Path), placed: map[uuid.UUID]string{}}
	checks, err := x.run(r)
	if err != nil {
		return err
	}
	return conclude(rt, mark, checks, dir)
}

// enoughSpace refuses a disk that cannot hold what is in the file, before anything is written.
func enoughSpace(dir string, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("size of the backup: %w", err)
	}
	free, err := services.FreeSpace(dir)
	if err != nil {
		return err
	}
	if want := uint64(info.Size()) + services.LeastFree; free < want {
		return fault.New(fault.Unavailable, "disk_full", fmt.Sprintf("The disk of the data folder has %d MB free; this backup needs at least %d MB. Choose another folder with --data.", free>>20, want>>20))
	}
	return nil
}

// conclude prints what was found and unlocks the folder, or leaves it marked.
func conclude(rt *runtime, mark *backup.Mark, checks []backup.Check, dir string) error {
	found := 0
	for _, c := range checks {
		outcome := "equal"
		if len(c.Findings) > 0 {
			outcome = "DIFFERS"
		}
		fmt.Fprintf(rt.out, "  %-11s %-8s %s\n", c.Name, outcome, c.Detail)
		for _, what := range c.Findings {
			fmt.Fprintln(rt.out, "    !", what)
			found++
		}
		for _, what := range c.Known {
			fmt.Fprintln(rt.out, "    -", what)
		}
	}
	if found > 0 {
		err := fault.New(fault.Conflict, "restore_differs", "What was restored is not all that was saved. The folder is marked and vesper up refuses it; restore another backup into a new folder.")
		return errors.Join(err, mark.Differs(err.Code))
	}
	if err := mark.Release(); err != nil {
		return err
	}
	fmt.Fprintf(rt.out, "Verified. Start it with: vesper up --data %s\n", dir)
	return nil
}

// restoration is one run.
type restoration struct {
	rt       *runtime
	dir, bin string
	stop     func()
	adminURL string
	work     string // the workers' login
	flags    serviceFlags
	whole    *postgres.Whole
	store    *objects.Store
	placed   map[uuid.UUID]string // versions of objects, not yet in their rows
}

func (x *restoration) run(r *backup.Reader) ([]backup.Check, error) {
	x.stop = func() {}
	defer func() {
		if x.whole != nil {
			x.whole.Close(x.rt.ctx)
		}
		x.stop()
		_ = os.Remove(filepath.Join(x.dir, "ports.json")) // they were for this run
	}()
	say, end := progressOf(x.rt)
	manifest, err := backup.Extract(x.rt.ctx, r, x.dir, x.open, say)
	end()
	if err != nil {
		return nil, err
	}
	if err := x.place(x.rt.ctx); err != nil {
		return nil, err
	}
	return x.check(x.rt.ctx, r.Header(), manifest)
}

// open starts the services with the keys that were restored, and makes roles and an empty database.
func (x *restoration) open(ctx context.Context) (backup.Target, error) {
	stack, stop, err := private(x.rt, x.dir)
	if err != nil {
		return nil, err
	}
	x.stop = stop
	logins, err := localLogins(stack)
	if err != nil {
		return nil, err
	}
	if err := postgres.Provision(ctx, stack.PostgresURL(""), mainDatabase, password(logins.Serve), password(logins.Work)); err != nil {
		return nil, err
	}
	if x.adminURL, x.flags, err = ofStack(stack); err != nil {
		return nil, err
	}
	x.work = logins.Work
	if x.whole, err = postgres.OpenWhole(ctx, x.adminURL); err != nil {
		return nil, err
	}
	x.store, err = openObjects(ctx, x.flags)
	return x, err
}

// Load implements backup.Target.
func (x *restoration) Load(ctx context.Context, dump io.Reader) error {
	return x.whole.LoadDump(ctx, x.bin, dump)
}

// PutRecording implements backup.Target. Rows learn the new versions in groups.
func (x *restoration) PutRecording(ctx context.Context, rec backup.Recording, size int64, r io.Reader) error {
	name, err := x.store.PutRaw(ctx, rec.Key, rec.Metadata, size, r)
	if err != nil {
		return err
	}
	x.placed[rec.ID] = name
	if len(x.placed) < 500 {
		return nil
	}
	return x.place(ctx)
}

// PutCheckpoint implements backup.Target.
func (x *restoration) PutCheckpoint(ctx context.Context, size int64, signed []byte) error {
	return x.store.PutCheckpoint(ctx, size, signed)
}

func (x *restoration) place(ctx context.Context) error {
	if len(x.placed) == 0 {
		return nil
	}
	defer clear(x.placed)
	return x.whole.Place(ctx, x.placed)
}

// check compares what stands in the folder with what was saved. Rows are counted before the schema is brought up to date.
func (x *restoration) check(ctx context.Context, h backup.Header, m backup.Manifest) ([]backup.Check, error) {
	have, err := x.whole.Tables(ctx)
	if err != nil {
		return nil, err
	}
	checks := []backup.Check{backup.CheckTables(h, have)}
	if err := postgres.Migrate(ctx, x.adminURL, x.rt.log); err != nil {
		return nil, err
	}
	store, err := postgres.Open(ctx, x.work, x.rt.log)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	signed, err := store.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	outside, err := x.store.Checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	log, err := backup.CheckLog(ctx, h, x.flags.AuditPublicKey, append(signed, outside...), store.Entries)
	if err != nil {
		return nil, err
	}
	recordings, err := backup.CheckRecordings(ctx, m, x.listen)
	if err != nil {
		return nil, err
	}
	return append(checks, log, recordings), x.whole.WakeJobs(ctx)
}

// listen opens every recording with its key and reads it through.
func (x *restoration) listen(ctx context.Context, fn func(uuid.UUID, error) error) error {
	say, end := progressOf(x.rt)
	defer end()
	var count, bytes int64
	return x.whole.EachRecording(ctx, func(a pipeline.Audio) error {
		count, bytes = count+1, bytes+a.Size
		say("checked", count, bytes)
		return fn(a.ID, x.store.Verify(ctx, objects.Object{
			Practice: a.PracticeID, AudioID: a.ID, Key: a.Key, VersionID: a.VersionID, Size: a.Size, SHA256: a.SHA256, SealedKey: a.SealedKey,
		}))
	})
}
