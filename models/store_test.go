package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vesper/internal/fault"
)

// small makes an entry for any bytes, so that the store's ways can be tested without 100 MB of weights.
func small(name string, content []byte) Entry {
	sum := sha256.Sum256(content)
	return Entry{
		Name: name, File: "ggml-" + name + ".bin", Kind: Whisper, Base: name, Quant: "f16",
		Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Published: true, License: "MIT", Languages: 1, MemoryMiB: 1,
	}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("error is %v, want a fault %s", err, code)
	}
}

// offline refuses every connection at once.
const offline = "http://127.0.0.1:1/"

func TestAModelThatIsNotHereIsNamedWithTheCommandThatFetchesIt(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir()}
	_, err := s.Lookup("base-q8_0")
	wantCode(t, err, "model_missing")
	if want := "The model base-q8_0 is not here. Fetch it with: vesper models fetch base-q8_0"; fault.As(err).Public != want {
		t.Errorf("text is %q", fault.As(err).Public)
	}
}

func TestAnUnknownModelIsRefusedWithTheKnownNames(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir(), Upstream: offline}
	for _, name := range []string{"huge", "ggml-huge.bin"} {
		_, err := s.Lookup(name)
		wantCode(t, err, "model_unknown")
		_, err = s.Ensure(t.Context(), name)
		wantCode(t, err, "model_unknown")
	}
}

func TestATruncatedFileIsRefused(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.Dir, "ggml-tiny.en.bin"), pattern(1000), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.Lookup("tiny.en")
	wantCode(t, err, "model_corrupt")
	results, err := s.Verify(t.Context())
	if err != nil || len(results) != 1 {
		t.Fatalf("verify: %v, %v", results, err)
	}
	wantCode(t, results[0].Err, "model_corrupt")
}

func TestAFileOfTheRightSizeWithWrongBytesIsRefused(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.Dir, sileroEntry.File), pattern(int(sileroEntry.Size)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.Lookup(SileroVAD)
	wantCode(t, err, "model_corrupt")
	for _, st := range s.List() {
		if st.Name == SileroVAD && (!st.Present || st.Checked) {
			t.Errorf("list says present %v, checked %v", st.Present, st.Checked)
		}
	}
}

func TestASecondLookupDoesNotReadTheFileButAChangeIsSeen(t *testing.T) {
	t.Parallel()
	s, content := &Store{Dir: t.TempDir()}, pattern(5000)
	e := small("x", content)
	path := s.path(e)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.local(e); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	if s.stamped(path, info) != e.SHA256 {
		t.Fatal("no stamp was left")
	}
	content[17]++
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	_, err := s.local(e)
	wantCode(t, err, "model_corrupt")
}

func TestFullVerificationFindsDamageThatTheStampHides(t *testing.T) {
	t.Parallel()
	s, content := &Store{Dir: t.TempDir()}, pattern(5000)
	e := small("x", content)
	path := s.path(e)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.local(e); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(path)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xff}, 100); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.local(e); err != nil {
		t.Fatalf("the stamp should hold for same size, time and inode: %v", err)
	}
	after, _ := os.Stat(path)
	_, err = s.check(t.Context(), e, path, after)
	wantCode(t, err, "model_corrupt")
	_, err = s.local(e)
	wantCode(t, err, "model_corrupt") // what was found once stays found
}

func TestAFileOfTheUsersOwnIsHashedAndUsed(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir()}
	path := filepath.Join(t.TempDir(), "ggml-tuned.bin")
	content := pattern(3000)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		file, err := s.Ensure(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if want := (File{Name: "ggml-tuned.bin", Path: path, SHA256: small("", content).SHA256, Size: 3000}); file != want {
			t.Errorf("got %+v, want %+v", file, want)
		}
	}
	_, err := s.Lookup(path + ".gone")
	wantCode(t, err, "model_missing")
}

func TestWhenNoSourceHasTheModelTheFaultSaysWhatWasTried(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir(), Upstream: offline, Mirrors: []string{t.TempDir()}}
	start := time.Now()
	_, err := s.Ensure(t.Context(), "small")
	wantCode(t, err, "model_unavailable")
	if !fault.Retryable(err) {
		t.Error("work that waits for a model should be tried again")
	}
	if took := time.Since(start); took > connectTimeout+time.Second {
		t.Errorf("giving up took %v", took)
	}
}

func TestACancelledFetchStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&Store{Dir: t.TempDir(), Upstream: offline}).Ensure(ctx, "small")
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}
