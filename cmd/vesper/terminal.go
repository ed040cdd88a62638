package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"vesper/internal/fault"
)

// askPassword prompts on a terminal and reads a line from a pipe.
func askPassword(rt *runtime, prompt string) (string, error) {
	if f, ok := rt.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(rt.errOut, prompt)
		raw, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(rt.errOut)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		return string(raw), nil
	}
	line, err := bufio.NewReader(rt.in).ReadString('\n')
	if err != nil && (err != io.EOF || line == "") {
		return "", fault.Wrap(err, fault.Invalid, "password_missing", "Give the password on the terminal, on standard input or in VESPER_PASSWORD.")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// progress prints downloads and conversions: a moving line on a terminal, a line each few seconds elsewhere.
func progress(rt *runtime) func(name string, done, total int64) {
	show := statusLine(rt)
	return func(name string, done, total int64) {
		text := fmt.Sprintf("%s: %d MB", name, done>>20)
		if total > 0 {
			text = fmt.Sprintf("%s: %d of %d MB", name, done>>20, total>>20)
		}
		show(text, total > 0 && done >= total)
	}
}

// statusLine shows how far something is: on a terminal as one line that changes, elsewhere a line now and then.
func statusLine(rt *runtime) func(text string, finished bool) {
	f, ok := rt.errOut.(*os.File)
	terminal := ok && term.IsTerminal(int(f.Fd()))
	var mu sync.Mutex
	var last time.Time
	return func(text string, finished bool) {
		mu.Lock()
		defer mu.Unlock()
		pause := 5 * time.Second
		if terminal {
			pause = 100 * time.Millisecond
		}
		if time.Since(last) < pause && !finished {
			return
		}
		last = time.Now()
		switch {
		case terminal && finished:
			fmt.Fprintf(rt.errOut, "\r\033[K%s\n", text)
		case terminal:
			fmt.Fprintf(rt.errOut, "\r\033[K%s", text)
		default:
			fmt.Fprintln(rt.errOut, text)
		}
	}
}

// slogErrors gives net/http's own complaints to the log.
func slogErrors(l *slog.Logger) *log.Logger { return slog.NewLogLogger(l.Handler(), slog.LevelWarn) }

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

// textOrFile reads a value that may be the name of a file.
func textOrFile(s string) string {
	if raw, err := os.ReadFile(s); err == nil {
		return strings.TrimSpace(string(raw))
	}
	return s
}

func trimFHIR(u string) string { return strings.TrimSuffix(u, "/fhir") }
