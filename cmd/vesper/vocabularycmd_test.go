package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vesper/internal/fault"
)

func TestVocabularyIsImportedShownAndListed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ours.txt")
	if err := os.WriteFile(file, []byte("Zanterpel\tbrand\nbluebell sign\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := vocabularyFolder{Data: dir}
	var out bytes.Buffer
	rt := &runtime{ctx: t.Context(), out: &out}
	add := vocabularyImportCmd{vocabularyFolder: folder, Format: "list", Kind: "exam", File: []string{file}}
	if err := add.Run(rt); fault.As(err).Code != "vocabulary_without_source" {
		t.Fatalf("a list without a source: %v", err)
	}
	add.Source, add.Licence = "Fiction Practice", "our own"
	if err := add.Run(rt); err != nil {
		t.Fatal(err)
	}
	show := vocabularyShowCmd{vocabularyFolder: folder, Word: []string{"santer pell", "the"}, Max: 0.36, N: 5}
	if err := show.Run(rt); err != nil {
		t.Fatal(err)
	}
	list := vocabularyListCmd{termListFlags{vocabularyFolder: folder}}
	if err := list.Run(rt); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"list.tsv.gz: 2 terms", "Zanterpel", "plain English (1.0)", "Fiction Practice", "United States public domain"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}
