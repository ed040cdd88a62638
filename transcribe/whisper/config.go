package whisper

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"time"

	"vesper/internal/fault"
)

// File is a model file with the digest it must have.
type File struct {
	Name   string // "base-q8_0"; without its quantisation it chooses the alignment heads
	Path   string
	SHA256 string // hex
}

// Config is how a Pool runs. Model and VAD are needed; everything else has a default.
type Config struct {
	Model       File
	VAD         File          // Silero, as ggml
	Children    int           // 0: one per processor, fewer when memory is short
	Threads     int           // per child; 0: the processors shared out among the children
	GPU         bool          // use the GPU backend that is built in; then one child by default
	Nice        int           // scheduling priority of children; 0 means 5, so that pages stay quick. −1 means none
	Memory      uint64        // most bytes of a child beside the shared weights; 0: as its model needs. Not for a GPU, nor outside Linux
	CallTimeout time.Duration // 0: 5 min for one call, which is at most 30 s of audio
	LoadTimeout time.Duration // 0: 3 min
	Executable  string        // "": this binary
	Log         *slog.Logger  // nil: discarded
	Watch       Watch         // is told of calls and children, for metrics; may be nil

	weights *os.File // memory that the children share
}

func (c Config) withDefaults() (Config, error) {
	if c.Children <= 0 {
		c.Children = FitChildren(c.GPU, c.Model.Path)
	}
	if c.Threads <= 0 {
		c.Threads = max(1, runtime.GOMAXPROCS(0)/c.Children)
	}
	switch {
	case c.Nice == 0:
		c.Nice = 5
	case c.Nice < 0:
		c.Nice = 0
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = 5 * time.Minute
	}
	if c.LoadTimeout <= 0 {
		c.LoadTimeout = 3 * time.Minute
	}
	if c.Watch == nil {
		c.Watch = unwatched{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Executable == "" {
		self, err := selfExecutable()
		if err != nil {
			return c, fmt.Errorf("find own binary: %w", err)
		}
		c.Executable = self
	}
	return c, nil
}

// verify holds a file against its digest, and returns a stamp by which a later change can be seen without reading it all.
func verify(ctx context.Context, f File) (stamp, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return stamp{}, fault.Wrap(err, fault.Unavailable, "model_missing",
			"The speech model "+f.Name+" is not there. Fetch it with: vesper models fetch "+f.Name)
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return stamp{}, fmt.Errorf("verify %s: %w", f.Name, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, contextReader{ctx, file}); err != nil {
		return stamp{}, fmt.Errorf("verify %s: %w", f.Name, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.SHA256 {
		return stamp{}, fault.Wrap(fmt.Errorf("sha256 is %s, not %s", got, f.SHA256), fault.Unavailable, "model_corrupt",
			"The file of the speech model "+f.Name+" is damaged. Fetch it again with: vesper models fetch "+f.Name)
	}
	return stamp{st.Size(), st.ModTime()}, nil
}

// checkHeader refuses a file that is no Whisper model in ggml form: the library reads the counts in its header unchecked.
func checkHeader(f File) error {
	var head [8]byte
	file, err := os.Open(f.Path)
	if err != nil {
		return fmt.Errorf("verify %s: %w", f.Name, err)
	}
	defer file.Close()
	_, err = io.ReadFull(file, head[:])
	magic, vocabulary := binary.LittleEndian.Uint32(head[:4]), binary.LittleEndian.Uint32(head[4:])
	if err != nil || magic != 0x67676d6c || vocabulary < 51864 || vocabulary > 51866 {
		return fault.Wrap(fmt.Errorf("header %x", head), fault.Unavailable, "model_corrupt",
			"The file of the speech model "+f.Name+" is no Whisper model. Choose one from: vesper models list")
	}
	return nil
}

type stamp struct {
	size  int64
	mtime time.Time
}

// unchanged verifies again only when the file was touched since.
func unchanged(ctx context.Context, f File, s stamp) error {
	if st, err := os.Stat(f.Path); err == nil && st.Size() == s.size && st.ModTime().Equal(s.mtime) {
		return nil
	}
	_, err := verify(ctx, f)
	return err
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
