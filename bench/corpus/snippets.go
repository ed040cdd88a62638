package corpus

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Snippets are between these lengths, in seconds: a sentence or two.
const (
	MinSnippet = 4.0
	MaxSnippet = 8.0
)

// breath is the shortest pause at which a recording is cut, in seconds; a snippet keeps margin of it at both ends.
const (
	breath = 0.25
	margin = 0.1
)

// span is a stretch of a recording, in seconds.
type span struct{ start, end float64 }

func (s span) seconds() float64 { return s.end - s.start }

// Snippets cuts n different short dictations from the corpus at its pauses and writes them to dir as Ogg/Opus files, one
// per utterance, taking the cases in turn. It needs ffmpeg. It returns their paths; fewer than n is an error.
func Snippets(ctx context.Context, cases []Case, n int, dir string) ([]string, error) {
	chosen, err := choose(ctx, cases, n)
	if err != nil {
		return nil, fmt.Errorf("cut snippets: %w", err)
	}
	paths := make([]string, n)
	for i, s := range chosen {
		paths[i] = filepath.Join(dir, fmt.Sprintf("%02d-%s.ogg", i+1, s.from.Name))
		if err := cut(ctx, s.from.Audio(), s.span, paths[i]); err != nil {
			return nil, fmt.Errorf("cut snippets: %s: %w", s.from.Name, err)
		}
	}
	return paths, nil
}

// snippet is a stretch of a case.
type snippet struct {
	from Case
	span
}

// choose takes n utterances from the cases in turn.
func choose(ctx context.Context, cases []Case, n int) ([]snippet, error) {
	cuts, total := make([][]span, len(cases)), 0
	for i, c := range cases {
		pauses, err := findPauses(ctx, c.Audio())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		cuts[i] = utterances(pauses, c.Seconds)
		total += len(cuts[i])
	}
	if total < n {
		return nil, fmt.Errorf("the corpus has %d utterances of %v to %v s, not %d", total, MinSnippet, MaxSnippet, n)
	}
	var chosen []snippet
	for turn := 0; len(chosen) < n; turn++ {
		for i, c := range cases {
			if turn < len(cuts[i]) && len(chosen) < n {
				chosen = append(chosen, snippet{c, cuts[i][turn]})
			}
		}
	}
	return chosen, nil
}

// utterances joins the speech between pauses to stretches of MinSnippet to MaxSnippet, none overlapping another.
func utterances(pauses []span, seconds float64) []span {
	var found []span
	start := 0.0
	for i := 0; i <= len(pauses); i++ {
		end, next := seconds, seconds
		if i < len(pauses) {
			end, next = pauses[i].start, pauses[i].end
		}
		switch length := end - start; {
		case length > MaxSnippet-2*margin:
			start = next // a stretch without a pause: leave it out
		case length >= MinSnippet:
			found = append(found, span{max(0, start-margin), min(seconds, end+margin)})
			start = next
		case start == 0 && i == 0:
			start = next // the silence before the first word
		}
	}
	return found
}

var pauseLine = regexp.MustCompile(`silence_(start|end): (-?[0-9.]+)`)

// findPauses asks ffmpeg where nobody speaks.
func findPauses(ctx context.Context, audio string) ([]span, error) {
	filter := fmt.Sprintf("silencedetect=noise=-45dB:d=%v", breath)
	out, err := run(ctx, "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-i", audio, "-af", filter, "-f", "null", "-")
	if err != nil {
		return nil, err
	}
	var pauses []span
	for _, m := range pauseLine.FindAllStringSubmatch(out, -1) {
		at, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, fmt.Errorf("read ffmpeg's pauses: %w", err)
		}
		if m[1] == "start" {
			pauses = append(pauses, span{max(0, at), at})
		} else if len(pauses) > 0 {
			pauses[len(pauses)-1].end = at
		}
	}
	return pauses, nil
}

// cut writes a stretch of a recording.
func cut(ctx context.Context, audio string, s span, path string) error {
	_, err := run(ctx, "ffmpeg", "-v", "error", "-nostdin", "-y", "-ss", seconds(s.start), "-t", seconds(s.seconds()), "-i", audio,
		"-c:a", "libopus", "-b:a", "24k", "-ar", "24000", "-ac", "1", path)
	return err
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// ProbeSeconds asks ffprobe how long a recording is.
func ProbeSeconds(ctx context.Context, audio string) (float64, error) {
	out, err := run(ctx, "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", audio)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(out), 64)
}

// run returns what a command says on both of its outputs.
func run(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is not installed: %w", name, err)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
