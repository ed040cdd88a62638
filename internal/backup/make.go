package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"vesper/internal/fault"
)

// Snapshot is the database at one moment. All its methods see the same rows, whatever is written meanwhile.
type Snapshot interface {
	Dump(ctx context.Context, to io.Writer) error
	// Recordings calls fn for each recording that has an object.
	Recordings(ctx context.Context, fn func(id uuid.UUID, key, version string) error) error
}

// Object is one object as the store holds it.
type Object struct {
	io.ReadCloser
	Size     int64
	Metadata map[string]string
	SHA256   string // what its bytes should be, as the store remembers; "" when it does not
}

// Objects is where recordings and checkpoints stand.
type Objects interface {
	// Open opens an object. NotFound when it is not there.
	Open(ctx context.Context, key, version string) (Object, error)
	// Checkpoints calls fn for each signed checkpoint of at most this size.
	Checkpoints(ctx context.Context, upTo int64, fn func(size int64, signed []byte) error) error
}

// Source is an installation that is saved.
type Source struct {
	Header   Header
	Files    map[string][]byte // by path below the data folder
	Snapshot Snapshot
	Objects  Objects
	// Purged says whether a recording is purged by now, or on its way out, whatever the snapshot says. nil: none is.
	Purged func(ctx context.Context, id uuid.UUID) (bool, error)
	// Progress is told what is being saved and how much of it; it may be nil.
	Progress func(what string, count, bytes int64)
}

// maxDamaged is how many recordings may be missing or damaged before it must be the wrong store.
const maxDamaged = 1000

// Make writes an archive of the source. Recordings that are missing or damaged do not stop it, because all others must be
// saved; the manifest names them.
func Make(ctx context.Context, out io.Writer, lock Lock, src Source) (Manifest, error) {
	target := &target{ctx: ctx, w: out}
	m, err := fill(ctx, target, lock, src)
	if target.err != nil {
		return m, fileFault(target.err)
	}
	return m, err
}

// target remembers the error of the file, to tell it from the errors of what is saved, and ends when ctx ends.
type target struct {
	ctx context.Context
	w   io.Writer
	err error
}

func (t *target) Write(p []byte) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := t.w.Write(p)
	if err != nil {
		t.err = err
	}
	return n, err
}

func fill(ctx context.Context, out io.Writer, lock Lock, src Source) (Manifest, error) {
	w, err := NewWriter(out, lock, src.Header)
	if err != nil {
		return Manifest{}, err
	}
	for _, path := range sortedKeys(src.Files) {
		if err := w.AddFile(path, src.Files[path]); err != nil {
			return Manifest{}, err
		}
	}
	dump := &counted{w: w.Dump(), say: src.progress("database")}
	if err := src.Snapshot.Dump(ctx, dump); err != nil {
		return Manifest{}, err
	}
	if err := dump.w.Close(); err != nil {
		return Manifest{}, err
	}
	if err := recordings(ctx, w, src); err != nil {
		return Manifest{}, err
	}
	if c := src.Header.Checkpoint; c != nil {
		if err := src.Objects.Checkpoints(ctx, c.Size, w.AddCheckpoint); err != nil {
			return Manifest{}, err
		}
	}
	return w.Close()
}

func recordings(ctx context.Context, w *Writer, src Source) error {
	say := src.progress("recordings")
	var bytes int64
	return src.Snapshot.Recordings(ctx, func(id uuid.UUID, key, version string) error {
		size, err := recording(ctx, w, src, id, key, version)
		if err != nil {
			return err
		}
		if len(w.total.Damaged) > maxDamaged {
			return fault.New(fault.Invalid, "backup_objects_missing", "More than a thousand recordings are missing from the object store. Is it the right bucket? Nothing was saved.")
		}
		bytes += size
		say(w.total.Recordings, bytes)
		return nil
	})
}

func recording(ctx context.Context, w *Writer, src Source, id uuid.UUID, key, version string) (int64, error) {
	o, err := src.Objects.Open(ctx, key, version)
	if fault.KindOf(err) == fault.NotFound {
		return 0, absent(ctx, w, src, id)
	}
	if err != nil {
		return 0, err
	}
	defer o.Close()
	sum, err := w.AddRecording(Recording{ID: id, Key: key, Metadata: o.Metadata}, o.Size, o)
	if err != nil {
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			return 0, f
		}
		return 0, fmt.Errorf("save recording %s: %w", id, err)
	}
	if o.SHA256 != "" && sum != o.SHA256 {
		w.AddDamage(Damage{id, "damaged in the object store"})
	}
	return o.Size, nil
}

// absent notes why a recording is not in the store: its purge came after the snapshot, or it is missing.
func absent(ctx context.Context, w *Writer, src Source, id uuid.UUID) error {
	if src.Purged != nil {
		if purged, err := src.Purged(ctx, id); err != nil {
			return err
		} else if purged {
			w.AddPurged(id)
			return nil
		}
	}
	w.AddDamage(Damage{id, "missing in the object store"})
	return nil
}

func (s Source) progress(what string) func(count, bytes int64) {
	return func(count, bytes int64) {
		if s.Progress != nil {
			s.Progress(what, count, bytes)
		}
	}
}

// counted says how much went through.
type counted struct {
	w   io.WriteCloser
	n   int64
	say func(count, bytes int64)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.say(0, c.n)
	return n, err
}
