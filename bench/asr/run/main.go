// Command run transcribes clips of the speech bench with Vesper's own engine and writes one line of JSON for each, which
// bench/asr/score.py compares with what was said.
//
//	go run ./bench/asr/run --set tune --limit 20 --settings full --out x.jsonl
//	go run ./bench/asr/run --set report --change '{"chunk_seconds":20}' --out y.jsonl
//	go run ./bench/asr/run --serve          reads {"id","path","settings","change"} lines, answers each with a result line
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"vesper/internal/lexicon"
	"vesper/models"
	"vesper/transcribe"
	"vesper/transcribe/whisper"
)

// options are the flags.
type options struct {
	set, filter, settings, change, out, clips, model string
	limit, children, threads                         int
	serve, list                                      bool
}

func main() {
	whisper.RunChildIfAsked() // an engine child is this same binary
	var o options
	flag.StringVar(&o.set, "set", "tune", "tune, report, pairs, nonspeech or human")
	flag.StringVar(&o.filter, "filter", "", "only clips with all of these words in their names")
	flag.IntVar(&o.limit, "limit", 0, "at most so many clips; 0: all")
	flag.StringVar(&o.settings, "settings", "full", "named settings, see settings.go")
	flag.StringVar(&o.change, "change", "", "JSON object laid over the settings")
	flag.StringVar(&o.out, "out", "-", "file for the results")
	flag.StringVar(&o.clips, "clips", "", "folder of the clips; default: in the cache")
	flag.StringVar(&o.model, "model", "base-q8_0", "model of the catalogue")
	flag.IntVar(&o.children, "children", 2, "engine processes")
	flag.IntVar(&o.threads, "threads", 1, "threads in each")
	flag.BoolVar(&o.serve, "serve", false, "read requests from standard input")
	flag.BoolVar(&o.list, "list", false, "print the names of the settings and end")
	flag.Parse()
	if o.list {
		fmt.Println(strings.Join(slices.Sorted(maps.Keys(variants)), "\n"))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

// result is one line of output.
type result struct {
	ID         string                 `json:"id"`
	System     string                 `json:"system"`
	Seconds    float64                `json:"seconds"` // wall time from file to transcript
	Audio      float64                `json:"audio_seconds,omitempty"`
	Load       float64                `json:"load_seconds,omitempty"` // time to load the model, on the first line
	Transcript *transcribe.Transcript `json:"transcript,omitempty"`
	Error      string                 `json:"error,omitempty"`
}

// bench is a loaded engine.
type bench struct {
	pool *whisper.Pool
	load float64
	out  *json.Encoder
}

func run(ctx context.Context, o options) error {
	out := io.Writer(os.Stdout)
	if o.out != "-" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
	}
	b, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer b.pool.Close()
	b.out = json.NewEncoder(out)
	if o.serve {
		return b.serve(ctx, os.Stdin)
	}
	return b.all(ctx, o)
}

// open loads the model into the engine's processes and times it.
func open(ctx context.Context, o options) (*bench, error) {
	store := &models.Store{}
	model, err := store.Ensure(ctx, o.model)
	if err != nil {
		return nil, err
	}
	vad, err := store.Ensure(ctx, models.SileroVAD)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	pool, err := whisper.New(ctx, whisper.Config{
		Model: whisper.File{Name: model.Name, Path: model.Path, SHA256: model.SHA256},
		VAD:   whisper.File{Name: vad.Name, Path: vad.Path, SHA256: vad.SHA256},
		// The peers run at normal priority, so Vesper does too.
		Children: o.children, Threads: o.threads, Nice: -1,
	})
	if err != nil {
		return nil, err
	}
	if err := pool.Warm(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return &bench{pool: pool, load: time.Since(began).Seconds()}, nil
}

// all transcribes the chosen clips one after another.
func (b *bench) all(ctx context.Context, o options) error {
	if o.clips == "" {
		cache, err := cacheDir()
		if err != nil {
			return err
		}
		o.clips = filepath.Join(cache, "clips")
	}
	chosen, err := clips(o.clips, o.set, o.filter, o.limit)
	if err != nil {
		return err
	}
	settings, err := find(o.settings, o.change)
	if err != nil {
		return err
	}
	var heard, took float64
	for i, c := range chosen {
		r := b.one(ctx, c.ID, c.File, settings)
		r.System, r.Audio = "vesper "+o.settings+o.change, c.Seconds
		if i == 0 {
			r.Load = b.load
		}
		if err := b.out.Encode(r); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		heard, took = heard+c.Seconds, took+r.Seconds
		fmt.Fprintf(os.Stderr, "\r%d/%d clips, %.1f s of audio in %.1f s (%.1f × real time) ", i+1, len(chosen), heard, took, heard/took)
	}
	fmt.Fprintln(os.Stderr)
	return nil
}

// one transcribes a file. What fails is told in the result, so that a run goes on.
func (b *bench) one(ctx context.Context, id, path string, s transcribe.Settings) result {
	began := time.Now()
	t, err := transcribe.Transcriber{Engine: b.pool, Lexicon: lexicon.Default()}.File(ctx, path, transcribe.FileOptions{Run: transcribe.RunOptions{Settings: s}})
	r := result{ID: id, Seconds: time.Since(began).Seconds()}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Transcript = &t
	return r
}

// serve answers requests until the input ends.
func (b *bench) serve(ctx context.Context, in io.Reader) error {
	if err := b.out.Encode(map[string]float64{"ready": b.load}); err != nil {
		return err
	}
	requests := json.NewDecoder(in)
	for requests.More() {
		var q struct{ ID, Path, Settings, Change string }
		if err := requests.Decode(&q); err != nil {
			return err
		}
		settings, err := find(q.Settings, q.Change)
		if err != nil {
			return err
		}
		if err := b.out.Encode(b.one(ctx, q.ID, q.Path, settings)); err != nil {
			return err
		}
	}
	return nil
}
