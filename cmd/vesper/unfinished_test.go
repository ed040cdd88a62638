package main

import (
	"os"
	"path/filepath"
	"testing"

	"vesper/transcribe"
)

func TestAnInterruptedTranscriptionIsTakenUpAgainAndLeavesNothingBehind(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	recording := filepath.Join(t.TempDir(), "a.wav")
	if err := os.WriteFile(recording, []byte("sound"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *unfinished {
		t.Helper()
		u, err := openUnfinished(recording)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = u.close() })
		return u
	}
	u := open()
	for i := range 2 {
		if err := u.add(transcribe.ChunkResult{Index: i}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := u.file.WriteString(`{"index":2,"wor`); err != nil { // the power went
		t.Fatal(err)
	}
	u = open()
	if len(u.results) != 2 || u.results[1].Index != 1 {
		t.Fatalf("found %+v", u.results)
	}
	if st, err := u.file.Stat(); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", st.Mode(), err)
	}
	if err := u.add(transcribe.ChunkResult{Index: 2}); err != nil {
		t.Fatal(err)
	}
	if u = open(); len(u.results) != 3 {
		t.Fatalf("after the cut line: %+v", u.results)
	}
	u.remove()
	if u = open(); len(u.results) != 0 {
		t.Errorf("after the end: %+v", u.results)
	}
}
