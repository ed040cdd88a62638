// Command arriving measures how soon after its last byte a long dictation is drafted, when it was heard while it arrived and
// when it was not, in one run on one fresh stack. The dictations are made of the recordings of testdata and arrive in the
// time they last (-pace 1) in a browser's format. It fails when the two ways do not give the same note.
//
//	go run ./bench/arriving [-minutes 2,5,10] [-pace 1] [-vesper bin/vesper]
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"vesper/bench/corpus"
	"vesper/internal/client"
)

// options are the command's.
type options struct {
	minutes              string
	pace                 float64
	binary, dictations   string
	url, login, password string
}

func main() {
	var o options
	flag.StringVar(&o.minutes, "minutes", "2,5,10", "lengths of the dictations")
	flag.Float64Var(&o.pace, "pace", 1, "how many times faster than spoken they arrive")
	flag.StringVar(&o.binary, "vesper", "bin/vesper", "the binary to measure")
	flag.StringVar(&o.dictations, "dictations", "testdata/dictations", "folder of the dictations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "vesper-bench-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL's own user must pass through
		return err
	}
	stop, err := start(ctx, &o, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer stop()
	c, err := client.New(o.url)
	if err != nil {
		return err
	}
	if _, err := c.Login(ctx, o.login, o.password); err != nil {
		return err
	}
	if err := settled(ctx, c); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "dictation\tafter the last byte, heard while it arrived\tafter the last byte, heard at once\theard by the last byte")
	for _, text := range strings.Split(o.minutes, ",") {
		minutes, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("minutes: %w", err)
		}
		if err := measure(ctx, table, c, o, dir, minutes); err != nil {
			return err
		}
	}
	return table.Flush()
}

// measure lets one dictation arrive, and sends its twin whole.
func measure(ctx context.Context, out io.Writer, c *client.Client, o options, dir string, minutes float64) error {
	seconds := minutes * 60
	growing, err := recording(ctx, o.dictations, dir, seconds, "growing")
	if err != nil {
		return err
	}
	twin, err := recording(ctx, o.dictations, dir, seconds, "twin") // the same sound, another file
	if err != nil {
		return err
	}
	early, heard, id, err := arrive(ctx, c, growing, seconds/o.pace)
	if err != nil {
		return err
	}
	sent := time.Now()
	r, err := c.Submit(ctx, twin, client.Submission{WorkType: "progress"})
	if err != nil {
		return err
	}
	if _, err := c.Await(ctx, r.ID, "drafted"); err != nil {
		return err
	}
	late := time.Since(sent)
	same, err := equal(ctx, c, id, r.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%g min\t%.1f s\t%.1f s\t%d of %.0f s\n", minutes, early.Seconds(), late.Seconds(), heard, seconds)
	fmt.Fprintf(os.Stderr, "%g min: %.1f s, at once %.1f s, heard %d s\n", minutes, early.Seconds(), late.Seconds(), heard)
	if !same {
		return errors.New("the two ways gave different notes")
	}
	return nil
}

// arrive sends the file in pieces, a piece every five seconds of sound, and waits for the draft.
func arrive(ctx context.Context, c *client.Client, path string, lasts float64) (after time.Duration, heard int, id string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, "", err
	}
	g, err := c.Grow(ctx, path, client.Submission{WorkType: "progress"})
	if err != nil {
		return 0, 0, "", err
	}
	began := time.Now()
	for at := 0; ; {
		due := min(len(raw), int(float64(len(raw))*time.Since(began).Seconds()/lasts))
		if due == len(raw) {
			sent := time.Now()
			if id, err = g.End(ctx, raw[at:]); err != nil {
				return 0, 0, "", err
			}
			_, err = c.Await(ctx, id, "drafted")
			return time.Since(sent), heard, id, err
		}
		if heard, err = g.Append(ctx, raw[at:due]); err != nil {
			return 0, 0, "", err
		}
		at = due
		select {
		case <-ctx.Done():
			return 0, 0, "", ctx.Err()
		case <-time.After(time.Duration(min(5, lasts*(1-float64(at)/float64(len(raw)))) * float64(time.Second))):
		}
	}
}

// recording joins the recordings of testdata into one of so many seconds. The same length gives the same sound; title makes
// the files differ.
func recording(ctx context.Context, dictations, dir string, seconds float64, title string) (string, error) {
	cases, err := corpus.Load(dictations)
	if err != nil {
		return "", err
	}
	args := []string{"-v", "error", "-y"}
	var joined strings.Builder
	for i, c := range cases {
		args = append(args, "-i", c.Audio())
		fmt.Fprintf(&joined, "[%d:a]aresample=48000,aformat=channel_layouts=mono[a%d];", i, i)
	}
	for i := range cases {
		fmt.Fprintf(&joined, "[a%d]", i)
	}
	fmt.Fprintf(&joined, "concat=n=%d:v=0:a=1", len(cases))
	path := filepath.Join(dir, fmt.Sprintf("%s-%g.webm", title, seconds))
	args = append(args, "-filter_complex", joined.String(), "-t", fmt.Sprint(seconds), "-c:a", "libopus", "-b:a", "48k", "-metadata", "title="+title,
		"-fflags", "+bitexact", path)
	cmd := exec.CommandContext(ctx, "ffmpeg", args...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("join recordings: %w: %s", err, said)
	}
	return path, nil
}

// equal says whether two dictations were drafted alike: what was heard, word by word with its times.
func equal(ctx context.Context, c *client.Client, a, b string) (bool, error) {
	var texts [2][]byte
	for i, id := range []string{a, b} {
		var d struct {
			Version struct {
				Document struct {
					Sections json.RawMessage `json:"sections"`
				} `json:"document"`
			} `json:"version"`
			Seconds float64 `json:"seconds"`
		}
		if err := c.Do(ctx, "GET", "/api/v1/dictations/"+id, nil, &d); err != nil {
			return false, err
		}
		texts[i] = stripped(d.Version.Document.Sections)
		if len(texts[i]) < 1000 {
			return false, fmt.Errorf("dictation %s is nearly empty", id)
		}
	}
	return bytes.Equal(texts[0], texts[1]), nil
}

// stripped leaves the transcript's id out of the sources.
func stripped(raw json.RawMessage) []byte {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	var strip func(v any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			delete(v, "transcript")
			delete(v, "transcript_id")
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(v)
	out, _ := json.Marshal(v) //nolint:errchkjson // it came from JSON
	return out
}
