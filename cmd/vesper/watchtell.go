package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"vesper/internal/watch"
)

// teller says what happens to recordings: on a terminal one line for each, by name, to whoever sits before it; elsewhere to
// the log, where a recording is a number and the beginning of its content's SHA-256.
type teller struct {
	rt       *runtime
	terminal bool
	moving   bool // a line stands that the next one replaces
}

func newTeller(rt *runtime, service bool) *teller {
	f, ok := rt.out.(*os.File)
	return &teller{rt: rt, terminal: ok && !service && term.IsTerminal(int(f.Fd()))}
}

func (t *teller) begin(dir, server, login string, once bool) {
	if !t.terminal {
		t.rt.log.Info("watching", "server", server)
		return
	}
	how := "Stop with Ctrl-C."
	if once {
		how = "Ends when nothing is left to send."
	}
	fmt.Fprintf(t.rt.out, "Watching %s for %s as %s. %s\n", dir, server, login, how)
}

func (t *teller) end(r watch.Result, once bool) {
	if !once {
		return
	}
	text := fmt.Sprintf("%d received (%d of them before), %d rejected, %d left in the folder", r.Received, r.Duplicates, r.Rejected, r.Left)
	if t.terminal {
		t.line(text)
		return
	}
	fmt.Fprintln(t.rt.out, text)
}

func (t *teller) event(e watch.Event) {
	if t.terminal {
		t.show(e)
		return
	}
	level := slog.LevelInfo
	switch e.What {
	case watch.Uploading, watch.Received, watch.Known:
		level = slog.LevelDebug // moved says it
	case watch.Rejected, watch.Held, watch.Waiting, watch.FolderGone, watch.StateLost, watch.Note:
		level = slog.LevelWarn
	}
	var args []any
	if e.Number > 0 {
		args = append(args, "number", e.Number, "bytes", e.Size)
	}
	if len(e.Sum) > 12 {
		args = append(args, "content", e.Sum[:12])
	}
	if e.Detail != "" {
		args = append(args, "detail", e.Detail)
	}
	what := "recording: "
	if e.Number == 0 {
		what = "watch: "
	}
	t.rt.log.Log(t.rt.ctx, level, what+string(e.What), args...)
}

// show prints for a person.
func (t *teller) show(e watch.Event) {
	text := printable(e.Name)
	switch e.What {
	case watch.Uploading:
		if e.Size > 0 {
			fmt.Fprintf(t.rt.out, "\r\033[K%s  %s  %d %%", time.Now().Format(time.TimeOnly), text, 100*e.Sent/e.Size)
			t.moving = true
		}
		return
	case watch.Received, watch.Known:
		if !t.rt.verbose {
			return
		}
		text += "  " + string(e.What) + ", SHA-256 " + e.Sum
	case watch.Moved:
		text += "  received, now in " + printable(e.Place)
	case watch.FolderGone, watch.FolderBack, watch.LockWait, watch.StateLost:
		text = string(e.What)
	default:
		text += "  " + string(e.What)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	t.line(time.Now().Format(time.TimeOnly) + "  " + text)
}

func (t *teller) line(text string) {
	if t.moving {
		fmt.Fprint(t.rt.out, "\r\033[K")
		t.moving = false
	}
	fmt.Fprintln(t.rt.out, text)
}

// printable keeps a file's name from steering the terminal.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
}
