package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRecordingsOfAKilledProcessAreRemoved(t *testing.T) {
	t.Parallel()
	rt := &runtime{ctx: t.Context(), log: slog.New(slog.DiscardHandler)}
	dir := t.TempDir()
	old := time.Now().Add(-25 * time.Hour)
	for _, name := range []string{"transcribe-old", "transcribe-new", "other-old"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "recording"), []byte("speech"), 0o600); err != nil {
			t.Fatal(err)
		}
		if filepath.Base(name) != "transcribe-new" {
			for _, path := range []string{filepath.Join(dir, name, "recording"), filepath.Join(dir, name)} {
				if err := os.Chtimes(path, old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	left := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, e := range entries {
			out += e.Name() + " "
		}
		return out
	}
	sweep(rt, dir, "transcribe-", serviceFlags{}.leftoverAge())
	if got := left(); got != "other-old transcribe-new " {
		t.Errorf("in a shared folder %q is left", got)
	}
	sweep(rt, dir, "transcribe-", serviceFlags{ownScratch: true}.leftoverAge())
	if got := left(); got != "other-old " {
		t.Errorf("in a folder of our own %q is left", got)
	}
}

func TestDemoLoginsOfAFirstStartThatWasCutShortAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo-logins")
	if err := os.WriteFile(path+".new", []byte(`[{"ro`), 0o600); err != nil { // killed while writing
		t.Fatal(err)
	}
	first, err := demoLogins(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := demoLogins(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(demoPeople) || len(again) != len(first) || again[0] != first[0] {
		t.Errorf("first %d logins, then %d", len(first), len(again))
	}
}
