package sample_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"vesper/internal/sample"
)

func TestTheSampleIsTheSameDictationAsItsCase(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "testdata", "dictations", sample.Case)
	for file, got := range map[string][]byte{"audio.ogg": sample.Audio(), "script.txt": []byte(sample.Script())} {
		want, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the sample: run testdata/generate.py %s", file, sample.Case)
		}
	}
}

func TestTheSampleIsSmallEnoughToEmbed(t *testing.T) {
	t.Parallel()
	if n := len(sample.Audio()); n == 0 || n > 200_000 {
		t.Errorf("the sample has %d bytes, want up to 200,000", n)
	}
}

func TestChangingTheReturnedAudioLeavesTheSampleAlone(t *testing.T) {
	t.Parallel()
	first := sample.Audio()
	first[0] ^= 0xff
	if bytes.Equal(first, sample.Audio()) {
		t.Error("the embedded recording can be changed by its readers")
	}
}
