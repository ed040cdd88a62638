// Command notes measures the note: from the dictations of testdata, as they were spoken and as the default model heard
// them, it drafts each one and counts what is right, what is flagged, what is lost and what is made up. It needs no engine.
//
//	go run ./bench/notes                 # the table, also written to docs/bench/notes.md
//	go run ./bench/notes -misses         # and each miss of the dictations that may be tuned on
//	go run ./bench/notes -misses -only telephone-warfarin
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"vesper/bench/corpus"
	"vesper/notes"
	"vesper/notes/templates"
	"vesper/transcribe"
)

func main() {
	dir := flag.String("dictations", "testdata/dictations", "folder of the dictations")
	docs := flag.String("docs", "docs/bench/notes.md", "page to write; empty for none")
	misses := flag.Bool("misses", false, "name each miss, of the dictations that may be tuned on")
	only := flag.String("only", "", "measure one dictation and write no page")
	flag.Parse()
	if err := run(*dir, *docs, *only, *misses); err != nil {
		fmt.Fprintln(os.Stderr, "bench notes:", err)
		os.Exit(1)
	}
}

func run(dir, docs, only string, misses bool) error {
	cases, err := corpus.Load(dir)
	if err != nil {
		return err
	}
	var all []score
	for _, c := range cases {
		if only != "" && c.Name != only {
			continue
		}
		scores, err := measure(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		all = append(all, scores...)
	}
	var page bytes.Buffer
	write(&page, all, about())
	if _, err := os.Stdout.Write(page.Bytes()); err != nil {
		return err
	}
	if misses {
		tell(os.Stdout, all)
	}
	if docs == "" || only != "" {
		return nil
	}
	return os.WriteFile(docs, page.Bytes(), 0o644)
}

// measure scores a case as it was spoken, and each recording of it that the model heard.
func measure(c corpus.Case) ([]score, error) {
	tpl, err := templates.Find(c.WorkType)
	if err != nil {
		return nil, err
	}
	spoken, err := judge(c, tpl, c.Spoken(), "spoken")
	if err != nil {
		return nil, err
	}
	out := []score{spoken}
	for _, r := range c.Recordings() {
		t, ok, err := r.Heard()
		if err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		s, err := judge(c, tpl, t, r.Voice)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// judge drafts a transcript and compares the note with the one expected.
func judge(c corpus.Case, tpl templates.Template, t transcribe.Transcript, voice string) (score, error) {
	doc, err := notes.Draft(t, tpl, notes.Options{})
	if err != nil {
		return score{}, err
	}
	p := align(expectedTokens(c.Note), documentTokens(doc))
	s := score{name: c.Name, unseen: c.Unseen, voice: voice, model: voice != "spoken", words: len(t.Words)}
	s.judgeFacts(c, doc, p)
	s.judgeSections(c, p)
	s.judgeCommands(c, doc, p)
	s.judgeWords(doc, t)
	s.judgeDrift(p)
	s.judgeFlags(c, doc, p)
	s.judgeFollowUps(c, doc)
	s.judgeTerms(c, doc, t, p)
	s.time, err = speed(tpl, t)
	return s, err
}

// speed is the median processor time of a draft, as for 400 words: what it takes on a machine that does nothing else.
func speed(tpl templates.Template, t transcribe.Transcript) (time.Duration, error) {
	const runs = 9
	var times [runs]time.Duration
	for i := range times {
		began := processor()
		if _, err := notes.Draft(t, tpl, notes.Options{}); err != nil {
			return 0, err
		}
		times[i] = processor() - began
	}
	return median(times[:]) * 400 / time.Duration(max(1, len(t.Words))), nil
}

// processor is the time that this program has had on processors.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // cannot fail for the program itself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// about says what was measured, for the page.
func about() string {
	commit, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "an unknown commit"
	}
	return "commit " + strings.TrimSpace(string(commit))
}
