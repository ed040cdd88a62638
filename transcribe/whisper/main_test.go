package whisper

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/models"
	"vesper/transcribe/audio"
)

func TestMain(m *testing.M) {
	RunChildIfAsked()
	code := m.Run()
	if p, err := shared(); err == nil {
		p.Close()
	}
	os.Exit(code)
}

// testConfig fetches the default model if it is not in the cache yet.
var testConfig = sync.OnceValues(func() (Config, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	store := &models.Store{Dir: models.DefaultDir()}
	model, err := store.Ensure(ctx, "base-q8_0")
	if err != nil {
		return Config{}, fmt.Errorf("model base-q8_0 is needed for this test: %w", err)
	}
	vad, err := store.Ensure(ctx, models.SileroVAD)
	if err != nil {
		return Config{}, fmt.Errorf("the Silero model is needed for this test: %w", err)
	}
	return Config{
		Model: File{model.Name, model.Path, model.SHA256}, VAD: File{vad.Name, vad.Path, vad.SHA256}, Nice: -1,
	}, nil
})

// shared is the pool of the tests that leave its children alone.
var shared = sync.OnceValues(func() (*Pool, error) {
	cfg, err := testConfig()
	if err != nil {
		return nil, err
	}
	return New(context.Background(), cfg)
})

func sharedPool(t testing.TB) *Pool {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newPool(t testing.TB, change func(*Config)) *Pool {
	t.Helper()
	cfg, err := testConfig()
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&cfg)
	}
	p, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

const bindings = "github.com/ggerganov/whisper.cpp/bindings/go"

// speechFile is the human sample that comes with the bindings: 11 s of a president.
var speechFile = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", bindings).Output()
	return filepath.Join(strings.TrimSpace(string(out)), "samples", "jfk.wav"), err
})

func speech(t testing.TB) []float32 {
	t.Helper()
	path, err := speechFile()
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := audio.Decode(t.Context(), path, audio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pcm.Close()
	out := make([]float32, pcm.Samples())
	if _, err := pcm.Read(out, 0); err != nil {
		t.Fatal(err)
	}
	return out
}
