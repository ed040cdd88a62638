package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"vesper/internal/watch"
)

func TestNamesAreForTheTerminalAndNotForTheLog(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	rt := &runtime{ctx: t.Context(), out: &out, log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	events := []watch.Event{
		{Number: 7, Name: "Doe, Jane\x1b[2J.wav", What: watch.Uploading, Sent: 50, Size: 100},
		{Number: 7, Name: "Doe, Jane\x1b[2J.wav", What: watch.Received, Sum: strings.Repeat("ab", 32)},
		{Number: 7, Name: "Doe, Jane\x1b[2J.wav", What: watch.Moved, Place: "sent/2026-11-28/Doe, Jane\x1b[2J.wav", Sum: strings.Repeat("ab", 32), Size: 100},
		{Number: 8, Name: "Doe, Jane.wav", What: watch.Held, Detail: "The author is unknown."},
		{What: watch.FolderGone, Detail: "A share."},
	}
	terminal, service := newTeller(rt, false), newTeller(rt, true)
	terminal.terminal = true
	for _, e := range events {
		terminal.event(e)
		service.event(e)
	}
	if got := out.String(); !strings.Contains(got, "Doe, Jane?[2J.wav  received, now in sent/2026-11-28/Doe, Jane?[2J.wav\n") ||
		!strings.Contains(got, "50 %") || !strings.Contains(got, "held: The author is unknown.") || !strings.Contains(got, "folder gone: A share.") ||
		strings.Contains(got, "\x1b[2J") {
		t.Errorf("terminal:\n%q", got)
	}
	if got := log.String(); strings.Contains(got, "Jane") || !strings.Contains(got, "number=7") || !strings.Contains(got, "content=abababababab ") && !strings.Contains(got, "content=abababababab\n") ||
		!strings.Contains(got, "level=WARN msg=\"recording: held\"") {
		t.Errorf("log:\n%s", got)
	}
}
