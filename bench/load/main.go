// Command load measures Vesper under load and prints tables: how many dictations pass each minute through all stages when
// the engine costs nothing (it replays recorded transcripts), what two hundred uploads over bad lines cost, what an urgent
// dictation waits when thousands are queued before it, whether memory stays flat, and how quick the pages are with millions of
// notes in the database.
//
//	go run ./bench/load [-only flow,lossy,queue,large] [-minutes 5] [-notes 10000000] [-docs docs/bench]
//
// It starts PostgreSQL, Redis and the S3 store itself, with the settings that `vesper up` gives them. Server and workers run in
// this process; clients talk to them over HTTP.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the sizes of the parts.
type options struct {
	only      []string
	flow      time.Duration // how long the practice works
	uploaders int           // at once, over bad lines
	queued    int           // dictations that wait when an urgent one comes
	notes     int           // in the large database
	requests  int           // for each page of the large database
	dir       string        // of the large database, which then stays for the next run
	docs      string        // folder for table and plots; "": print only
	seed      uint64
}

// parts are what can be measured, in this order.
var parts = []struct {
	name string
	run  func(ctx context.Context, o options, r *report) error
}{
	{"flow", runFlow},
	{"lossy", runLossy},
	{"queue", runQueue},
	{"large", runLarge},
}

func main() {
	var o options
	only := flag.String("only", "flow,lossy,queue,large", "parts to run")
	minutes := flag.Float64("minutes", 5, "how long the practice works; 60 shows whether memory stays flat over an hour")
	flag.IntVar(&o.uploaders, "uploaders", 200, "uploads at once over bad lines")
	flag.IntVar(&o.queued, "queued", 5000, "dictations that wait when an urgent one comes")
	flag.IntVar(&o.notes, "notes", 10_000_000, "notes in the large database")
	flag.StringVar(&o.dir, "dir", "", "folder of the large database; it stays, and the next run finds it filled")
	flag.IntVar(&o.requests, "requests", 200, "requests for each page of the large database")
	flag.Uint64Var(&o.seed, "seed", 1, "of everything that is random")
	flag.StringVar(&o.docs, "docs", "", "folder to write load.md and the plots to")
	flag.Parse()
	o.only, o.flow = strings.Split(*only, ","), time.Duration(*minutes*float64(time.Minute))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	r := newReport(os.Stdout)
	var failed error // of a limit that was not kept: what was measured is written all the same
	for _, p := range parts {
		if !slices.Contains(o.only, p.name) {
			continue
		}
		if err := p.run(ctx, o, r); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
		}
		if ctx.Err() != nil {
			return failed
		}
	}
	if o.docs == "" {
		return failed
	}
	return errors.Join(failed, r.write(filepath.Clean(o.docs)))
}
