package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// published is where whisper.cpp's authors keep the ggml files.
const published = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main/"

// fromMirror copies or downloads from one mirror of the configuration. A mirror that is a single file serves only the
// model of that name.
func (f *fetch) fromMirror(ctx context.Context, mirror string, e Entry, to string) error {
	if u, err := url.Parse(mirror); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		if path.Ext(u.Path) == ".bin" {
			if path.Base(u.Path) != e.File {
				return errAbsent
			}
			return f.download(ctx, mirror, e, to)
		}
		return f.download(ctx, u.JoinPath(e.File).String(), e, to)
	}
	from := strings.TrimPrefix(mirror, "file://")
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("read mirror: %w", err)
	}
	if info.IsDir() {
		from = filepath.Join(from, e.File)
	} else if filepath.Base(from) != e.File {
		return errAbsent
	}
	return f.copyFile(ctx, from, e, to)
}

func (f *fetch) copyFile(ctx context.Context, from string, e Entry, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return errAbsent
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	counted := &counter{r: &ctxReader{ctx, in}, total: e.Size, tell: func(done, total int64) { f.progress(e.Name, done, total) }}
	_, err = io.Copy(out, counted)
	return errors.Join(err, out.Close())
}

// fromUpstream downloads what the authors publish.
func (f *fetch) fromUpstream(ctx context.Context, e Entry, to string) error {
	if !e.Published {
		return errAbsent
	}
	if f.upstreamDown {
		return errAbsent
	}
	base := f.Upstream
	if base == "" {
		base = published
	}
	err := f.download(ctx, strings.TrimSuffix(base, "/")+"/"+e.File, e, to)
	var down *unreachableError
	if errors.As(err, &down) {
		f.upstreamDown = true
	}
	return err
}

// counter reports how much was read.
type counter struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if n > 0 {
		c.tell(c.done, c.total)
	}
	return n, err
}
