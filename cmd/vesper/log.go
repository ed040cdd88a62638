package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"vesper/internal/fault"
	"vesper/internal/telemetry"
)

// logTo writes the whole log to a file of the data folder and leaves the terminal to what a person must know: warnings
// and errors. With --verbose everything goes to both. The file of the last start is kept beside it.
func logTo(rt *runtime, dir string) (closeLog func(), err error) {
	path := filepath.Join(dir, "logs", "vesper.log")
	if err := os.MkdirAll(dir, 0o711); err != nil { // PostgreSQL's own account must pass through
		return nil, fault.Wrap(err, fault.Unavailable, "data_folder_unwritable", "The data folder cannot be made. Check the permissions around it.")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "data_folder_unwritable", "The data folder cannot be written. Check its permissions.")
	}
	if err := os.Rename(path, path+".1"); err != nil && !os.IsNotExist(err) {
		return nil, fault.Wrap(err, fault.Unavailable, "data_folder_unwritable", "The data folder cannot be written. Check its permissions.")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "data_folder_unwritable", "The data folder cannot be written. Check its permissions.")
	}
	least := slog.LevelWarn
	if rt.verbose {
		least = slog.LevelDebug
	}
	rt.log = slog.New(tee{telemetry.Log(slog.NewJSONHandler(f, nil)), atLeast{rt.log.Handler(), least}})
	return func() { f.Close() }, nil
}

// atLeast lets through what is important enough.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (a atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= a.level && a.Handler.Enabled(ctx, l)
}

func (a atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{a.Handler.WithAttrs(attrs), a.level}
}

func (a atLeast) WithGroup(name string) slog.Handler {
	return atLeast{a.Handler.WithGroup(name), a.level}
}

// tee hands each record to both handlers.
type tee struct{ a, b slog.Handler }

func (t tee) Enabled(ctx context.Context, l slog.Level) bool {
	return t.a.Enabled(ctx, l) || t.b.Enabled(ctx, l)
}

func (t tee) Handle(ctx context.Context, r slog.Record) error {
	var first error
	for _, h := range []slog.Handler{t.a, t.b} {
		if !h.Enabled(ctx, r.Level) {
			continue
		}
		if err := h.Handle(ctx, r.Clone()); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (t tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tee{t.a.WithAttrs(attrs), t.b.WithAttrs(attrs)}
}

func (t tee) WithGroup(name string) slog.Handler {
	return tee{t.a.WithGroup(name), t.b.WithGroup(name)}
}
