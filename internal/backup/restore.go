package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"vesper/internal/fault"
)

// Target is what an archive is restored into.
type Target interface {
	// Load reads the dump to its end into a new, empty database.
	Load(ctx context.Context, dump io.Reader) error
	// PutRecording stores an object under its key, and its new version with the recording's row.
	PutRecording(ctx context.Context, rec Recording, size int64, r io.Reader) error
	PutCheckpoint(ctx context.Context, size int64, signed []byte) error
}

// Fits refuses an archive that this program or the installed PostgreSQL is too old for.
func (h Header) Fits(schema, postgres int) error {
	if h.Schema > schema {
		return fault.New(fault.Invalid, "schema_new", fmt.Sprintf("The backup's schema is version %d, this program knows %d. Install Vesper %s or newer. Nothing was changed.", h.Schema, schema, h.Program))
	}
	if h.Postgres > postgres {
		return fault.New(fault.Unavailable, "postgres_too_old", fmt.Sprintf("The backup is from PostgreSQL %d, but %d is installed. Install PostgreSQL %d or newer. Nothing was changed.", h.Postgres, postgres, h.Postgres))
	}
	return nil
}

// Extract restores an archive. Files go below dir; open is called once they are there, because they hold the keys of
// what it opens.
func Extract(ctx context.Context, r *Reader, dir string, open func(context.Context) (Target, error), progress func(what string, count, bytes int64)) (Manifest, error) {
	x := &extraction{ctx: ctx, dir: dir, open: open, say: progress}
	m, err := r.Each(x.member)
	if ended := x.endLoad(err); err == nil {
		err = ended
	}
	if err == nil && x.target == nil {
		err = damaged(errors.New("the archive has no database"))
	}
	return m, err
}

type extraction struct {
	ctx    context.Context
	dir    string
	open   func(context.Context) (Target, error)
	say    func(what string, count, bytes int64)
	target Target
	load   *load
	count  int64
	bytes  int64
}

func (x *extraction) member(m Member) error {
	if strings.HasPrefix(m.Name, databaseDir) {
		return x.database(m)
	}
	if err := x.endLoad(nil); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(m.Name, filesDir):
		return x.file(m)
	case x.target == nil:
		return damaged(fmt.Errorf("%s stands before the database", m.Name))
	case m.Recording != nil:
		if err := x.target.PutRecording(x.ctx, *m.Recording, m.Size, m.Reader); err != nil {
			return err
		}
		x.count, x.bytes = x.count+1, x.bytes+m.Size
		x.say("recordings", x.count, x.bytes)
		return nil
	case strings.HasPrefix(m.Name, recordsDir):
		return x.checkpoint(m)
	default:
		return damaged(fmt.Errorf("%s is not known", m.Name))
	}
}

func (x *extraction) file(m Member) error {
	text, err := whole(m)
	if err != nil {
		return err
	}
	return putFile(x.dir, strings.TrimPrefix(m.Name, filesDir), text)
}

func (x *extraction) checkpoint(m Member) error {
	size, err := strconv.ParseInt(strings.TrimPrefix(m.Name, recordsDir), 10, 64)
	if err != nil {
		return damaged(err)
	}
	text, err := whole(m)
	if err != nil {
		return err
	}
	return x.target.PutCheckpoint(x.ctx, size, text)
}

func whole(m Member) ([]byte, error) {
	if m.Size > maxSmall {
		return nil, damaged(fmt.Errorf("%s has %d bytes", m.Name, m.Size))
	}
	return io.ReadAll(m)
}

// load is the database's restoration under way: the pieces of the dump go in on one side.
type load struct {
	in    *io.PipeWriter
	end   chan error
	bytes int64
}

func (x *extraction) database(m Member) error {
	if x.target == nil {
		var err error
		if x.target, err = x.open(x.ctx); err != nil {
			return err
		}
		out, in := io.Pipe()
		end := make(chan error, 1)
		x.load = &load{in: in, end: end}
		go func() {
			err := x.target.Load(x.ctx, out)
			out.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // whoever still writes learns that it is over
			end <- err
		}()
	}
	if x.load == nil {
		return damaged(errors.New("the database comes in two parts"))
	}
	n, err := io.Copy(x.load.in, m)
	if err != nil && errors.Is(err, io.ErrClosedPipe) {
		return x.endLoad(err)
	}
	x.load.bytes += n
	x.say("database", 0, x.load.bytes)
	return err
}

// endLoad waits for the database, after its last piece or because of an error elsewhere.
func (x *extraction) endLoad(cause error) error {
	if x.load == nil {
		return nil
	}
	l := x.load
	x.load = nil
	_ = l.in.CloseWithError(cause) // nil means the end of the dump
	err := <-l.end
	if err == nil && errors.Is(cause, io.ErrClosedPipe) {
		return damaged(errors.New("the dump goes on behind its end"))
	}
	return err
}
