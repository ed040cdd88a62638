// Command lexicon measures retrieval by sound: how often the right term is among the first that the lexicon names for what
// an engine wrote instead of it. It prints the figures for the recorded mishearings in heard.tsv, one half of the terms,
// by hash, for tuning costs, the other for reporting.
//
//	go run ./bench/lexicon            # figures
//	go run ./bench/lexicon -misses    # and what of the tuning half was not first
//	go run ./bench/lexicon -record    # speak terms with flite, transcribe them with bin/vesper, write heard.tsv anew
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	record := flag.Bool("record", false, "speak, transcribe and write the file anew")
	misses := flag.Bool("misses", false, "list what was not found first in the tuning half")
	file := flag.String("heard", "bench/lexicon/heard.tsv", "mishearings: term, kind, voice, heard")
	voices := flag.String("voices", "slt,rms,awb", "flite's voices for -record")
	binary := flag.String("vesper", "bin/vesper", "the engine for -record")
	model := flag.String("model", "base-q8_0", "the model for -record")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *record, *misses, *file, strings.Split(*voices, ","), engine{*binary, *model})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lexicon:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, record, misses bool, file string, voices []string, e engine) error {
	if record {
		if err := recordAll(ctx, file, voices, e); err != nil {
			return err
		}
	}
	cases, err := readHeard(file)
	if err != nil {
		return err
	}
	return report(os.Stdout, cases, misses)
}
