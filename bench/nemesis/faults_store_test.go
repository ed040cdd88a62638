package nemesis_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"vesper/internal/services"
	"vesper/internal/testkit"
)

// storeFaults strike the object store: its answers, and its files.
func (p *practice) storeFaults() []fault {
	affects := []string{"op:upload", "op:upload-tus", "stage:transcribe"}
	moody := func(kind string, m mood) fault {
		return fault{kind: kind, part: "s3", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			m := m
			if m.delay > 0 {
				m.delay = between(r, m.delay/2, m.delay)
			}
			p.bad.mood.Store(&m)
			defer p.bad.mood.Store(nil)
			wait(ctx, between(r, 2*time.Second, 6*time.Second))
			return "", nil
		}}
	}
	return []fault{
		moody("S3 answers 500", mood{status: http.StatusInternalServerError, every: 1}),
		moody("S3 answers 503 now and then", mood{status: http.StatusServiceUnavailable, every: 2}),
		moody("S3 answers break off", mood{every: 2}),
		moody("S3 slow", mood{delay: 3 * time.Second}),
		{kind: "S3 killed", part: "s3", affects: affects, do: func(context.Context, *rand.Rand) (string, error) {
			p.store.Process(services.S3Store).Kill()
			return "", nil
		}},
		{kind: "S3 object damaged", part: "s3", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			path, err := p.object(r)
			if err != nil {
				return path, err
			}
			flip := func() error { return flipByte(filepath.Join(p.s3Dir, path)) }
			if err := flip(); err != nil {
				return path, err
			}
			wait(ctx, between(r, 3*time.Second, 7*time.Second))
			return path, flip()
		}},
		{kind: "S3 object missing", part: "s3", affects: affects, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			path, err := p.object(r)
			if err != nil {
				return path, err
			}
			here, away := filepath.Join(p.s3Dir, path), filepath.Join(p.store.Dir(), "s3", "taken-away")
			if err := os.Rename(here, away); err != nil {
				return path, err
			}
			wait(ctx, between(r, 3*time.Second, 7*time.Second))
			if err := os.MkdirAll(filepath.Dir(here), 0o700); err != nil { // the store tidies up empty folders
				return path, err
			}
			return path, os.Rename(away, here)
		}},
	}
}

// object is a recording that a worker will want soon, if there is one, else any.
func (p *practice) object(*rand.Rand) (string, error) {
	return testkit.TryValue[string](p.admin, `SELECT a.key FROM audio_objects a JOIN dictations d ON d.id = a.dictation_id
		WHERE a.rendition = 'original' ORDER BY (d.state <> 'queued'), d.received_at DESC LIMIT 1`)
}

// flipByte changes one bit in the middle of a file, or changes it back.
func flipByte(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, info.Size()/2); err != nil {
		return err
	}
	one[0] ^= 1
	_, err = f.WriteAt(one, info.Size()/2)
	return err
}
