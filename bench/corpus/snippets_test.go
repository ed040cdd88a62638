package corpus_test

import (
	"crypto/sha256"
	"os"
	"testing"

	"vesper/bench/corpus"
)

func TestSnippetsAreShortDifferentAndAsManyAsAsked(t *testing.T) {
	t.Parallel()
	paths, err := corpus.Snippets(t.Context(), dictations(t)[:3], 6, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 6 {
		t.Fatalf("%d snippets, want 6", len(paths))
	}
	seen := map[[32]byte]string{}
	for _, path := range paths {
		got, err := corpus.ProbeSeconds(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if got < corpus.MinSnippet-0.1 || got > corpus.MaxSnippet+0.1 {
			t.Errorf("%s lasts %.2f s", path, got)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if other, twice := seen[sum]; twice {
			t.Errorf("%s is the same as %s", path, other)
		}
		seen[sum] = path
	}
}

func TestMoreSnippetsThanTheCorpusHoldsAreRefused(t *testing.T) {
	t.Parallel()
	one := dictations(t)[:1]
	if paths, err := corpus.Snippets(t.Context(), one, 500, t.TempDir()); err == nil {
		t.Errorf("%d snippets from one dictation", len(paths))
	}
}

func TestARecordingThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	broken := dictations(t)[0]
	broken.AudioFile = "script.txt"
	if _, err := corpus.Snippets(t.Context(), []corpus.Case{broken}, 1, t.TempDir()); err == nil {
		t.Error("a text file is cut as a recording")
	}
}
