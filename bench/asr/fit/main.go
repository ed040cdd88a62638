// Command fit runs the second pass over the dictations that thresholds may be fitted on, and writes down every change that
// it considered: its features, and whether making it would bring the text nearer to what was said. fit.py turns that into
// the figures of the judge in package transcribe.
//
// Usage: fit [--limit N] [--skip N] OUT.jsonl
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
	"vesper/models"
	"vesper/transcribe"
	"vesper/transcribe/whisper"
)

func main() {
	whisper.RunChildIfAsked()
	limit := flag.Int("limit", 1000, "clips")
	set := flag.String("set", "tune", "tune, or pairs: the half of the minimal pairs that may be used for fitting")
	skip := flag.Int("skip", 0, "clips left out at the start")
	flag.Parse()
	if err := run(context.Background(), *set, *skip, *limit, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "fit:", err)
		os.Exit(1)
	}
}

// clip is a line of the clips' list.
type clip struct {
	ID    string `json:"id"`
	File  string `json:"file"`
	Half  string `json:"half"`
	Words []struct {
		W string `json:"w"`
	} `json:"words"`
}

// row is what is written for each change considered.
type row struct {
	Clip string `json:"clip"`
	transcribe.TracedProposal
	Better int `json:"better"` // words nearer to what was said if the change is made
}

// question is what is written for each risk word.
type question struct {
	Clip string `json:"clip"`
	transcribe.TracedQuestion
	Better int `json:"better"` // 1: the other reading was said; −1: what was heard was
}

func run(ctx context.Context, set string, skip, limit int, out string) error {
	cache := os.Getenv("VESPER_CACHE")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		cache = filepath.Join(home, ".cache", "vesper")
	}
	pool, err := open(ctx, filepath.Join(cache, "models"))
	if err != nil {
		return err
	}
	defer pool.Close()
	clips, err := read(filepath.Join(cache, "bench-asr", "clips", set+".jsonl"))
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	enc := json.NewEncoder(f)
	clips = slices.DeleteFunc(clips, func(c clip) bool { return c.Half == "report" })
	for i, c := range clips[min(skip, len(clips)):min(len(clips), skip+limit)] {
		var truth []string
		for _, w := range c.Words {
			truth = append(truth, plain(w.W)...)
		}
		var failed error
		write := func(v any) { failed = errors.Join(failed, enc.Encode(v)) }
		t := transcribe.Transcriber{Engine: pool, Lexicon: lexicon.Default(), Trace: func(t transcribe.Trace) {
			for _, p := range t.Proposals {
				write(row{c.ID, p, better(t.Words, p, truth)})
			}
			for _, q := range t.Questions {
				p := transcribe.TracedProposal{First: q.Word, Last: q.Word + 1, Text: q.Other}
				write(question{c.ID, q, better(t.Words, p, truth)})
			}
		}}
		tr, err := t.File(ctx, filepath.Join(cache, "bench-asr", "clips", set, c.File), transcribe.FileOptions{})
		if err != nil || failed != nil {
			return fmt.Errorf("%s: %w, %w", c.ID, err, failed)
		}
		heard := plain(tr.Text)
		fmt.Fprintf(os.Stderr, "%d %s: %d of %d words wrong\n", i, c.ID, distance(heard, truth, false), len(truth))
	}
	return nil
}

func open(ctx context.Context, dir string) (*whisper.Pool, error) {
	store := &models.Store{Dir: dir}
	model, err := store.Lookup("base-q8_0")
	if err != nil {
		return nil, err
	}
	vad, err := store.Lookup(models.SileroVAD)
	if err != nil {
		return nil, err
	}
	return whisper.New(ctx, whisper.Config{
		Model: whisper.File{Name: model.Name, Path: model.Path, SHA256: model.SHA256},
		VAD:   whisper.File{Name: vad.Name, Path: vad.Path, SHA256: vad.SHA256},
	})
}

func read(path string) ([]clip, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []clip
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c clip
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, lines.Err()
}

// plain splits text into words of letters and figures only.
func plain(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}

// better is how many words nearer to the truth a change brings the text around it.
func better(words []string, p transcribe.TracedProposal, truth []string) int {
	const around = 12
	from, to := max(0, p.First-around), min(len(words), p.Last+around)
	before := plain(strings.Join(words[from:to], " "))
	after := plain(strings.Join(words[from:p.First], " ") + " " + p.Text + " " + strings.Join(words[p.Last:to], " "))
	return distance(before, truth, true) - distance(after, truth, true)
}

// distance is the edit distance of two rows of words; inside lets the first lie anywhere in the second.
func distance(a, b []string, inside bool) int {
	row := make([]int, len(b)+1)
	for j := range row {
		if !inside {
			row[j] = j
		}
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			change := diagonal
			if x != y {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	best := row[len(b)]
	for _, c := range row {
		if inside {
			best = min(best, c)
		}
	}
	return best
}
